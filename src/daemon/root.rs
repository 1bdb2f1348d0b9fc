//! The tree: every actor's child specification, and how they are wired.

use std::{
    collections::HashMap, io, ops::RangeInclusive, path::PathBuf, sync::Arc, time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{
    net::UnixListener,
    runtime::Handle,
    sync::{Semaphore, watch},
    time::Instant,
};

use super::{
    intensity,
    narrator::Story,
    proxy::{DataPath, Front, accept, data_path},
};
use crate::{
    actors::{
        cert_signer::{self, CertSigner, Post},
        directory::Directory,
        event_log::EventLog,
        infra::Infra,
        ipc_gateway::{self, Desk, IpcGateway, Tenure},
        listener::{self, Accept, Listener},
        log_store::{self, LogStore, Sinks},
        port_allocator::{self, PortAllocator},
        projects::{self, Projects},
        proxy_router::{self, ProxyRouter, Routes},
        state_store::{self, StateStore},
        usage::Usage,
    },
    core::{certs::Realm, config::global::Proxy, ports::LeaseBook, state::State},
    dashboard::Dashboard,
    os::{
        ca::{self, Vault},
        hosts_file::Keeper,
        leaves::Leaves,
        logs::LogPlane,
        loopback::Sockets,
        paths::Places,
        trust::Watch,
    },
    proxy::{Engine, Kind},
    supervision::{
        address::{Address, Mailroom, address},
        engine::{Policy, Restart},
        graph::{Bond, Edge, Graph, Id, Needs},
        nursery::{ChildSpec, StartFn, spawn},
        plate::{ChildPlate, SupervisorPlate},
        supervisor::{self, Supervisor},
    },
};

/// How long an infrastructure actor may take to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Longer than any project takes to stop: its services have their own limits.
const PATIENT: Duration = Duration::from_hours(1);

/// What the tree is built around: all of it outlives any actor.
pub(super) struct Foundation {
    /// Files and folders.
    pub(super) places: Arc<Places>,
    /// What the last daemon left.
    pub(super) state: State,
    /// Who reads and writes logs.
    pub(super) plane: LogPlane,
    /// The IPC socket.
    pub(super) listener: Arc<UnixListener>,
    /// What may be assigned.
    pub(super) ports: RangeInclusive<u16>,
    /// This program.
    pub(super) exe: PathBuf,
    /// Where the proxy listens.
    pub(super) front: Front,
    /// What was configured for it.
    pub(super) proxy: Proxy,
    /// Where actors and handlers run.
    pub(super) threads: Handle,
}

/// The tree, ready to be started.
pub(super) struct Tree {
    /// The root supervisor.
    pub(super) args: supervisor::Args,
    /// What requests are answered from.
    pub(super) desk: Arc<Desk>,
    /// Who writes the routing table.
    pub(super) router: Address<proxy_router::Msg>,
    /// The proxy's threads; whoever stops the tree lets them end what they have begun.
    pub(super) engine: Arc<Engine>,
    /// Who writes the names of what runs.
    pub(super) keeper: Arc<Keeper>,
}

/// Builds the tree. Fails if the data path has no threads.
pub(super) fn tree(foundation: Foundation) -> io::Result<Tree> {
    let Foundation { places, state, plane, listener, ports, exe, front, proxy, threads } =
        foundation;
    let (store_room, state_store) = address();
    let (port_room, port_allocator) = address();
    let (log_room, log_store) = address();
    let (project_room, projects) = address();
    let (route_room, routed) = address();
    let journal = places.state_dir.join("events.jsonl");
    let events = Arc::new(EventLog::open(&journal, state.last_seq));
    let Signing { trust, leaves, signer } = signing(&places, Realm::new(&proxy.tlds));
    let story = Arc::new(Story::default());
    let DataPath { engine, routes, gate } =
        data_path(&front, &proxy, leaves.clone(), trust, story.clone())?;
    let infra = Infra {
        state_store,
        ports: port_allocator,
        logs: log_store,
        projects,
        events,
        directory: Directory::default(),
        places,
        gate,
        launching: Arc::new(Semaphore::new(launches())),
        exe,
    };
    story.begin(infra.clone());
    let keeper = Arc::new(Keeper::new(front.chosen));
    let root = SupervisorPlate::new("one_for_one");
    let desk = Arc::new(Desk {
        infra: infra.clone(),
        root: root.clone(),
        since: Instant::now(),
        notes: ArcSwap::from_pointee(front.notes),
        open: watch::Sender::new(false),
        closing: watch::Sender::new(false),
        tenure: watch::Sender::new(Tenure::Stays),
        connections: watch::Sender::new(0),
        attached: Arc::new(Semaphore::new(ipc_gateway::MOST_ATTACHED)),
        usage: Usage::default(),
        visitors: watch::Sender::default(),
        faults: intensity::faults(),
    });
    story.show(Dashboard::new(desk.clone()), threads);
    let branch = [
        state_keeper(store_room, &state, &infra),
        allocator(port_room, &state, ports, &infra),
        signer,
        log_keeper(log_room, plane, &infra),
        router(route_room, routes, leaves, keeper.clone(), &infra),
        door("listener:http", accept(engine.clone(), Kind::Http), front.http, &desk),
        door("listener:https", accept(engine.clone(), Kind::Https), front.https, &desk),
        gateway(desk.clone(), listener),
    ];
    let projects = child("projects", Projects, project_room, move |plate| projects::Args {
        infra: infra.clone(),
        plate,
    });
    let args = root_args(infra_branch(branch), projects, root);
    Ok(Tree { args, desk, router: routed, engine, keeper })
}

/// The two branches meet through addresses only, so neither takes the other down; projects stop first.
fn root_args(
    infra: (Id, ChildSpec),
    projects: (Id, ChildSpec),
    plate: Arc<SupervisorPlate>,
) -> supervisor::Args {
    let edge = Edge { needs: Needs::Started, bond: Bond::Loose };
    let edges = [(projects.0.clone(), infra.0.clone(), edge)];
    let graph = Graph::new([infra.0.clone(), projects.0.clone()], edges)
        .expect("one edge between two nodes is no cycle");
    let projects = (projects.0, ChildSpec { grace: PATIENT, ..projects.1 });
    supervisor::Args { graph, specs: HashMap::from([infra, projects]), plate }
}

/// The infrastructure: each needs those before it.
fn infra_branch(children: [(Id, ChildSpec); 8]) -> (Id, ChildSpec) {
    let order: Vec<Id> = children.iter().map(|(id, _)| id.clone()).collect();
    let specs = HashMap::from(children);
    let plate = ChildPlate::new("infra");
    let start: StartFn = Arc::new(move |birth| {
        let board = SupervisorPlate::new("rest_for_one");
        birth.plate.supervises(board.clone());
        let graph = Graph::chain(order.clone());
        let args = supervisor::Args { graph, specs: specs.clone(), plate: board };
        Box::pin(async move { Ok(spawn(birth.supervisor, Supervisor, args).await?.get_cell()) })
    });
    ("infra".into(), ChildSpec { start, policy: permanent(), grace: GRACE * 4, plate })
}

fn gateway(desk: Arc<Desk>, listener: Arc<UnixListener>) -> (Id, ChildSpec) {
    let (room, _) = address();
    child("ipc-gateway", IpcGateway, room, move |plate| ipc_gateway::Args {
        listener: listener.clone(),
        desk: desk.clone(),
        plate,
    })
}

/// A listener of the proxy. Without a port it has nothing to do, and says so in the tree.
fn door(
    name: &'static str,
    accept: Accept,
    sockets: Option<Sockets>,
    desk: &Desk,
) -> (Id, ChildSpec) {
    let open = desk.open.subscribe();
    let sockets = sockets.map_or_else(|| Arc::from([]), |sockets| sockets.sockets);
    child(name, Listener, address().0, move |plate| listener::Args {
        accept: accept.clone(),
        sockets: sockets.clone(),
        open: open.clone(),
        plate,
    })
}

/// What survives the daemon.
fn state_keeper(room: Mailroom<state_store::Msg>, state: &State, infra: &Infra) -> (Id, ChildSpec) {
    let memory = Arc::new(ArcSwap::from_pointee(state.clone()));
    let (path, events) = (infra.places.state_file.clone(), infra.events.clone());
    child("state-store", StateStore, room, move |plate| state_store::Args {
        memory: memory.clone(),
        path: path.clone(),
        events: events.clone(),
        plate,
    })
}

/// Who leases ports of this range.
fn allocator(
    room: Mailroom<port_allocator::Msg>,
    state: &State,
    range: RangeInclusive<u16>,
    infra: &Infra,
) -> (Id, ChildSpec) {
    let book = Arc::new(ArcSwap::from_pointee(book(state, &infra.places)));
    let state_store = infra.state_store.clone();
    child("port-allocator", PortAllocator, room, move |plate| port_allocator::Args {
        book: book.clone(),
        range: range.clone(),
        state_store: state_store.clone(),
        plate,
    })
}

/// Who knows where output goes.
fn log_keeper(room: Mailroom<log_store::Msg>, plane: LogPlane, infra: &Infra) -> (Id, ChildSpec) {
    let (dir, sinks) = (infra.places.log_dir.clone(), Sinks::default());
    child("log-store", LogStore, room, move |plate| log_store::Args {
        plane: plane.clone(),
        dir: dir.clone(),
        sinks: sinks.clone(),
        plate,
    })
}

/// Who writes the routing table.
fn router(
    room: Mailroom<proxy_router::Msg>,
    routes: Routes,
    leaves: Arc<Leaves>,
    keeper: Arc<Keeper>,
    infra: &Infra,
) -> (Id, ChildSpec) {
    let directory = infra.directory.clone();
    child("proxy-router", ProxyRouter, room, move |plate| proxy_router::Args {
        directory: directory.clone(),
        routes: routes.clone(),
        leaves: leaves.clone(),
        keeper: keeper.clone(),
        plate,
    })
}

/// What certificates come from.
struct Signing {
    /// Whether the root is trusted.
    trust: Arc<Watch>,
    /// What the signer publishes.
    leaves: Arc<Leaves>,
    signer: (Id, ChildSpec),
}

fn signing(places: &Places, realm: Realm) -> Signing {
    let dir = ca::dir(&places.data_dir);
    let trust = Arc::new(Watch::new(ca::root_file(&dir)));
    let (room, signer) = address();
    let vault = Arc::new(Vault::new(dir, realm.clone()));
    let leaves = Arc::new(Leaves::new(realm, Post(signer)));
    let (published, watched) = (leaves.clone(), trust.clone());
    let signer = child("cert-signer", CertSigner, room, move |plate| cert_signer::Args {
        vault: vault.clone(),
        leaves: published.clone(),
        trust: watched.clone(),
        plate,
    });
    Signing { trust, leaves, signer }
}

/// A child whose every life gets its arguments afresh and is published under one address.
fn child<A>(
    name: &'static str,
    actor: A,
    room: Mailroom<A::Msg>,
    args: impl Fn(Arc<ChildPlate>) -> A::Arguments + Send + Sync + 'static,
) -> (Id, ChildSpec)
where
    A: ractor::Actor + Copy,
{
    let room = Arc::new(room);
    let start: StartFn = Arc::new(move |birth| {
        let (args, room) = (args(birth.plate.clone()), room.clone());
        Box::pin(async move {
            let actor = spawn(birth.supervisor, actor, args).await?;
            let cell = actor.get_cell();
            room.publish(actor);
            Ok(cell)
        })
    });
    let plate = ChildPlate::new(name);
    (name.into(), ChildSpec { start, policy: permanent(), grace: GRACE, plate })
}

fn permanent() -> Policy {
    Policy { restart: Restart::Permanent, oneshot: false, limit: intensity::limit() }
}

/// The leases of the last daemon.
fn book(state: &State, places: &Places) -> LeaseBook {
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
    // The same in every life of the daemon, which is what makes ports stick.
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let mut book = LeaseBook::seeded(hasher.hash_one(&places.socket));
    for lease in &state.leases {
        if !book.remember(&lease.project, &lease.service, lease.port) {
            tracing::warn!(port = lease.port, service = %lease.service, "a lease was there twice");
        }
    }
    book
}

/// So many programs are started at once: more would only compete for the processors.
fn launches() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get)
}
