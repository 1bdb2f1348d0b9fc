//! The daemon's life: take the lock, build the tree, serve, end in order.

use std::{convert::Infallible, io, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::timeout,
};

use super::{
    config,
    estate::Estate,
    handover, logging,
    proxy::front,
    restore,
    root::{Foundation, Tree, tree},
    tell::{Failure, Teller},
    upgrade,
};
use crate::{
    actors::{infra::Infra, ipc_gateway::Desk, proxy_router::names::of_what_runs},
    core::{log::Limits, memory::marker},
    os::{
        hosts_file::Keeper,
        keep, limits,
        logs::LogPlane,
        paths::{Places, create_private_dir, create_run_dir},
        ports, reaper, signals,
    },
    supervision::supervisor::spawn_root,
};

/// How long requests that were begun may take when the daemon ends.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// How long those who want something may have to wait for what was there before.
const TAKING_UP: Duration = Duration::from_secs(10);

/// The exit code when the root supervisor has given up (`EX_SOFTWARE`).
const GAVE_UP: u8 = 70;

/// Serves until told to end.
pub(super) fn serve(teller: &mut Teller, foreground: bool) -> Result<ExitCode, Failure> {
    // The heart hears its signals otherwise, and what is blocked is inherited.
    signals::unblock_all().map_err(system("hear signals"))?;
    let (line, mut kept) = handover::take_over().map_err(system("take over from the heart"))?;
    let places = Arc::new(Places::find(|name| std::env::var_os(name))?);
    create_run_dir(&places.run_dir)?;
    for dir in [&places.state_dir, &places.log_dir] {
        create_private_dir(dir)?;
    }
    let lock = handover::lock(&mut kept, &places.socket)?;
    logging::start();
    let global = config::global(&places)?;
    if let Err(error) = limits::raise_nofile() {
        tracing::warn!(%error, "cannot raise the limit of open descriptors");
    }
    reaper::become_subreaper().map_err(system("become the parent of orphans"))?;
    let state = restore::state(&places, &mut kept);
    let logs = Limits { max_size: global.logs.max_size, keep: global.logs.keep };
    let plane =
        LogPlane::resume(logs, &mut kept).map_err(system("start the thread that keeps logs"))?;
    let runtime = runtime().map_err(system("start the runtime"))?;
    let socket = places.socket.clone();
    let listener =
        runtime.block_on(async { handover::listener(&mut kept, &places.socket, &lock) })?;
    let doors = handover::doors(&mut kept);
    let front = front(&global.proxy, doors, |name| std::env::var(name).ok());
    if let Some(line) = line {
        handover::keep(line, &lock, &listener, &front);
    }
    let notes = front.notes.clone();
    let foundation = Foundation {
        places,
        state: state.clone(),
        plane,
        listener: Arc::new(listener),
        ports: ports::assignable_range(),
        exe: PathBuf::from("/proc/self/exe"),
        front,
        proxy: global.proxy,
        threads: runtime.handle().clone(),
    };
    let tree = tree(foundation).map_err(system("start the proxy"))?;
    tree.desk.infra.events.began();
    for note in notes {
        tree.desk.infra.events.record(None, None, "proxy", Some(note));
    }
    let estate = Estate::new(kept, &state, |project, service| {
        tree.desk.infra.places.notify_socket(project, service).ok().map(|path| marker(&path))
    });
    let in_use = estate.notify_sockets();
    if let Err(error) = tree.desk.infra.places.remove_notify_sockets(|path| in_use.contains(path)) {
        tracing::warn!(%error, "cannot look for notify sockets that are left");
    }
    let restoring =
        restore::projects(tree.desk.clone(), tree.router.clone(), state.projects, estate);
    let code = runtime.block_on(live(teller, tree, restoring, foreground))?;
    if let Err(error) = std::fs::remove_file(&socket).and_then(|()| lock.leave(&socket)) {
        tracing::warn!(%error, "cannot remove the socket and its lock");
    }
    Ok(code)
}

async fn live(
    teller: &mut Teller,
    tree: Tree,
    restoring: impl Future<Output = ()> + Send + 'static,
    foreground: bool,
) -> Result<ExitCode, Failure> {
    let (desk, engine, keeper) = (tree.desk, tree.engine, tree.keeper);
    let mut signals = Signals::new(foreground).map_err(system("watch for signals"))?;
    let reaper = tokio::spawn(reaper::Reaper.run());
    let root = spawn_root(tree.args).await;
    let (root, mut ended) = root.map_err(|error| Failure::Actors(error.to_string()))?;
    if desk.faults {
        tracing::warn!("LOCALD_FAULTS is set: clients may make actors of this daemon panic");
    }
    let restoring = tokio::spawn(restore_and_keep(desk.infra.clone(), restoring, keeper.clone()));
    let why = tokio::select! {
        name = signals.next() => Some(name),
        () = told(desk.closing.subscribe()) => Some("`locald server stop`"),
        _ = &mut ended => None,
        never = begin(teller, &desk) => match never {},
        never = upgrade::make_way(&desk, &engine, LAST_ANSWERS) => match never {},
    };
    desk.closing.send_replace(true);
    restoring.abort();
    let Some(why) = why else {
        tracing::error!("the root supervisor has given up");
        return Ok(ExitCode::from(GAVE_UP));
    };
    tracing::info!("stopping on {why}");
    // Before the services are stopped that are to answer them.
    if !engine.drain(LAST_ANSWERS).await {
        tracing::warn!("requests that have not ended in {LAST_ANSWERS:?} are broken off");
    }
    root.stop(None);
    // A root that panics while it stops has said so in the log.
    drop(ended.await);
    if let Err(error) = keeper.clear().await {
        tracing::warn!(error, "cannot take the names out of /etc/hosts");
    }
    reaper.abort();
    desk.infra.events.ended(why);
    Ok(ExitCode::SUCCESS)
}

/// Opens the doors when all that was there before is taken up; not much later if that takes too long.
async fn begin(teller: &mut Teller, desk: &Desk) -> Infallible {
    let _in_time = timeout(TAKING_UP, told(desk.open.subscribe())).await;
    desk.open.send_replace(true);
    tracing::info!(pid = std::process::id(), "serving");
    // There is a daemon again: why there was none is of no interest any more.
    let _forgotten = std::fs::remove_file(desk.infra.places.last_word());
    if let Some(line) = keep::line() {
        line.serves();
    }
    teller.ready();
    std::future::pending().await
}

/// Names of what ran before are not taken out of the hosts file for the moment that its restoring takes.
async fn restore_and_keep(infra: Infra, restoring: impl Future<Output = ()>, keeper: Arc<Keeper>) {
    restoring.await;
    keeper.keep(of_what_runs(&infra.directory));
    keeper.run(|news| infra.events.record(None, None, "hosts", Some(news))).await;
}

async fn told(mut closing: watch::Receiver<bool>) {
    // The sender lives as long as the daemon.
    let _closing = closing.wait_for(|closing| *closing).await;
}

/// Two workers: the daemon waits more than it works, and threads cost memory.
fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .thread_name("locald")
        .enable_all()
        .build()
}

fn system(what: &'static str) -> impl Fn(io::Error) -> Failure {
    move |source| Failure::System { what, source }
}

/// The signals that end the daemon.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    /// A daemon without a terminal has nobody who could hang up on it.
    foreground: bool,
}

impl Signals {
    fn new(foreground: bool) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            foreground,
        })
    }

    async fn next(&mut self) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                _ = self.hang_up.recv() => if self.foreground { return "SIGHUP" },
            }
        }
    }
}
