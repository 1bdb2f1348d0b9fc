//! The one writer of the routing table. How each service is doing is not its business: that, a
//! service's target tells the data path by itself.

pub mod names;

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::task::JoinHandle;

use super::{
    directory::{Directory, Entry},
    infra::PATIENCE,
};
use crate::{
    core::{
        plan::ServicePlan,
        routes::{ProjectRoutes, Table},
    },
    os::{hosts_file::Keeper, leaves::Leaves, own_leaf::OwnLeaf, traffic::Target},
    supervision::{
        address::{Address, CallError},
        plate::ChildPlate,
    },
};

/// The actor.
#[derive(Clone, Copy)]
pub struct ProxyRouter;

/// The routing table, as the data path reads it.
pub type Routes = Arc<ArcSwap<Table<Arc<Target>>>>;

/// What it is told.
#[derive(Debug)]
pub enum Msg {
    /// Projects have come, gone or changed their services. At most one is under way.
    Changed,
    /// The table is to be up to date now. One per daemon.
    Settle(RpcReplyPort<()>),
}

impl Address<Msg> {
    /// Returns when the table has all the projects that there are.
    pub async fn settle(&self) -> Result<(), CallError> {
        self.call(Msg::Settle, PATIENCE).await
    }
}

/// What it is given.
pub struct Args {
    /// The projects.
    pub directory: Directory,
    /// The table; outlives the actor, which alone writes it.
    pub routes: Routes,
    /// Where certificates that services bring themselves are looked up.
    pub leaves: Arc<Leaves>,
    /// Who writes the names of what runs into the system's file.
    pub keeper: Arc<Keeper>,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// Its state.
pub struct Router {
    directory: Directory,
    routes: Routes,
    leaves: Arc<Leaves>,
    /// Waits for the next change.
    watcher: JoinHandle<()>,
    /// Tells the keeper.
    names: JoinHandle<()>,
}

impl Actor for ProxyRouter {
    type Msg = Msg;
    type State = Router;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        Args { directory, routes, leaves, keeper, plate }: Args,
    ) -> Result<Router, ActorProcessingErr> {
        let shown = routes.clone();
        plate.describe(move || Some(format!("{} hosts", shown.load().hosts())));
        let watcher = tokio::spawn(std::future::ready(()));
        myself.cast(Msg::Changed)?;
        let names = tokio::spawn(names::follow(directory.clone(), keeper));
        Ok(Router { directory, routes, leaves, watcher, names })
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        msg: Msg,
        router: &mut Router,
    ) -> Result<(), ActorProcessingErr> {
        if let Msg::Settle(reply) = msg {
            router.build();
            // An asker that is gone has no use for the answer.
            let _gone = reply.send(());
            return Ok(());
        }
        // Watched before it is read: what changes in between is not missed.
        let changes = changes(&router.directory);
        router.build();
        router.watcher = tokio::spawn(async move {
            changes.await;
            // The actor is gone only when it has aborted this task.
            let _gone = myself.cast(Msg::Changed);
        });
        Ok(())
    }
}

impl Router {
    fn build(&self) {
        let entries = self.directory.all();
        match Table::build(entries.values().map(routes_of)) {
            Ok(table) => self.routes.store(Arc::new(table)),
            // Projects are checked against each other before they are taken up.
            Err(clash) => tracing::error!(%clash, "the routes stay as they were"),
        }
        self.leaves.publish_own(own_leaves(entries.values(), &self.leaves.own_leaves()));
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.watcher.abort();
        self.names.abort();
    }
}

/// Completes at the next change of what services there are.
fn changes(directory: &Directory) -> impl Future<Output = ()> + use<> {
    let mut projects = directory.watch();
    let mut lists: Vec<_> =
        directory.all().values().map(|entry| entry.board.watch_routes()).collect();
    async move {
        let lists = lists.iter_mut().map(|list| Box::pin(list.changed()));
        let any = futures_util::future::select_all(
            lists.chain(std::iter::once(Box::pin(projects.changed()))),
        );
        // An end of watching is a change too: a project is gone.
        let _changed = any.await;
    }
}

fn routes_of(entry: &Entry) -> ProjectRoutes<Arc<Target>> {
    let board = &entry.board;
    let target = |service: &ServicePlan| {
        board.service(&service.name).map_or_else(
            // Planned and not listed yet: nobody gets there before it is.
            || Arc::new(Target::new(board.name.clone(), service.name.clone())),
            |service| service.target.clone(),
        )
    };
    ProjectRoutes::of(&entry.context.plan.load(), target)
}

/// The certificates that services bring themselves, by host; those of before where the files are the
/// same, with what was read of them.
fn own_leaves<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    before: &HashMap<String, Arc<OwnLeaf>>,
) -> HashMap<String, Arc<OwnLeaf>> {
    let mut own = HashMap::new();
    for entry in entries {
        let plan = entry.context.plan.load();
        let dir = &entry.board.dir;
        let routes = ProjectRoutes::of(&plan, |_| ());
        for (service, host) in routes.hosts() {
            let Some(files) = plan.service(service).and_then(|service| service.tls.as_ref()) else {
                continue;
            };
            let (cert, key) = (dir.join(&files.cert), dir.join(&files.key));
            let known = before.get(&host).filter(|own| own.is_of(&cert, &key)).cloned();
            own.insert(host, known.unwrap_or_else(|| Arc::new(OwnLeaf::new(cert, key))));
        }
    }
    own
}
