//! The one writer of the routing table. How each service is doing is not its business: that, a
//! service's target tells the data path by itself.

use std::sync::Arc;

use arc_swap::ArcSwap;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::JoinHandle;

use super::directory::{Directory, Entry};
use crate::{
    core::{
        plan::ServicePlan,
        routes::{ProjectRoutes, Table},
    },
    os::traffic::Target,
    supervision::plate::ChildPlate,
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
}

/// What it is given.
pub struct Args {
    /// The projects.
    pub directory: Directory,
    /// The table; outlives the actor, which alone writes it.
    pub routes: Routes,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// Its state.
pub struct Router {
    directory: Directory,
    routes: Routes,
    /// Waits for the next change.
    watcher: JoinHandle<()>,
}

impl Actor for ProxyRouter {
    type Msg = Msg;
    type State = Router;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        Args { directory, routes, plate }: Args,
    ) -> Result<Router, ActorProcessingErr> {
        let shown = routes.clone();
        plate.describe(move || Some(format!("{} hosts", shown.load().hosts())));
        let watcher = tokio::spawn(std::future::ready(()));
        myself.cast(Msg::Changed)?;
        Ok(Router { directory, routes, watcher })
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        Msg::Changed: Msg,
        router: &mut Router,
    ) -> Result<(), ActorProcessingErr> {
        // Watched before it is read: what changes in between is not missed.
        let changes = changes(&router.directory);
        let entries = router.directory.all();
        match Table::build(entries.values().map(routes_of)) {
            Ok(table) => router.routes.store(Arc::new(table)),
            // Projects are checked against each other before they are taken up.
            Err(clash) => tracing::error!(%clash, "the routes stay as they were"),
        }
        router.watcher = tokio::spawn(async move {
            changes.await;
            // The actor is gone only when it has aborted this task.
            let _gone = myself.cast(Msg::Changed);
        });
        Ok(())
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.watcher.abort();
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
