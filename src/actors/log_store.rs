//! Hands out the sinks that services print into: one per service, which outlives its lives.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use super::infra::PATIENCE;
use crate::{
    core::id::{ProjectName, ServiceName},
    os::logs::{LogPlane, Sink},
    supervision::{
        address::{Address, CallError},
        plate::ChildPlate,
    },
};

/// The actor.
#[derive(Clone, Copy)]
pub struct LogStore;

/// What it is told.
#[derive(Debug)]
pub enum Msg {
    /// The sinks of these services, in this order. One per plan of a project.
    Sinks(ProjectName, Vec<ServiceName>, RpcReplyPort<Vec<Sink>>),
    /// A project is gone: its followers end. One per `down`.
    Forget(ProjectName),
}

/// All sinks, by file. Outlives the actor, which alone writes it: two sinks on one file would
/// tear each other's lines.
pub type Sinks = Arc<ArcSwap<BTreeMap<PathBuf, Sink>>>;

/// What it is given.
pub struct Args {
    /// Who reads and writes.
    pub plane: LogPlane,
    /// Below it, a folder per project.
    pub dir: PathBuf,
    /// See [`Sinks`].
    pub sinks: Sinks,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// Its state.
pub struct Store {
    plane: LogPlane,
    dir: PathBuf,
    sinks: Sinks,
}

impl Actor for LogStore {
    type Msg = Msg;
    type State = Store;
    type Arguments = Args;

    async fn pre_start(
        &self,
        _: ActorRef<Msg>,
        Args { plane, dir, sinks, plate }: Args,
    ) -> Result<Store, ActorProcessingErr> {
        let (shown, place) = (sinks.clone(), dir.clone());
        plate.describe(move || Some(format!("{} logs in {}", shown.load().len(), place.display())));
        Ok(Store { plane, dir, sinks })
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        msg: Msg,
        store: &mut Store,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Sinks(project, services, reply) => {
                let folder = store.dir.join(project.as_str());
                let mut sinks = BTreeMap::clone(&store.sinks.load());
                let wanted = services
                    .into_iter()
                    .map(|service| {
                        let path = folder.join(format!("{service}.log"));
                        let make = || store.plane.sink(path.clone());
                        sinks.entry(path.clone()).or_insert_with(make).clone()
                    })
                    .collect();
                store.sinks.store(Arc::new(sinks));
                // An asker that is gone has no use for the answer.
                let _gone = reply.send(wanted);
            }
            Msg::Forget(project) => {
                let folder = store.dir.join(project.as_str());
                let mut sinks = BTreeMap::clone(&store.sinks.load());
                sinks.retain(|path, _| !path.starts_with(&folder));
                store.sinks.store(Arc::new(sinks));
            }
        }
        Ok(())
    }
}

impl Address<Msg> {
    /// The sinks of these services, in this order.
    pub async fn sinks(
        &self,
        project: ProjectName,
        services: Vec<ServiceName>,
    ) -> Result<Vec<Sink>, CallError> {
        self.call(|reply| Msg::Sinks(project, services, reply), PATIENCE).await
    }

    /// Lets go of the sinks of a project.
    pub fn forget(&self, project: ProjectName) {
        self.cast(Msg::Forget(project));
    }
}
