//! Notices edits of a project's configuration and has them applied. It stands beside the services:
//! it must outlive one that crashes again and again, since a saved file is what revives it.

mod eyes;
mod reading;
mod sources;

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::JoinHandle;

use self::eyes::Eyes;
pub use self::eyes::Sight;
use super::{board, context::ProjectContext, project};
use crate::supervision::{address::Address, plate::ChildPlate};

/// The actor.
pub struct ConfigWatcher;

/// What it is told.
#[derive(Debug)]
pub enum Msg {
    /// The task that watches has ended, for this reason.
    Ended(String),
}

/// What it is given.
pub struct Args {
    /// The project.
    pub context: Arc<ProjectContext>,
    /// The project's actor.
    pub address: Address<project::Msg>,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// Its state: the task that watches ends with it.
pub struct Watching(JoinHandle<()>);

impl Actor for ConfigWatcher {
    type Msg = Msg;
    type State = Watching;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        Args { context, address, plate }: Args,
    ) -> Result<Watching, ActorProcessingErr> {
        let shown = context.board.clone();
        plate.describe(move || board::watching(&shown));
        let watching = tokio::spawn(async move {
            let last_words = LastWords(myself);
            Eyes::new(context, address).watch().await;
            drop(last_words);
        });
        Ok(Watching(watching))
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        Msg::Ended(why): Msg,
        _: &mut Watching,
    ) -> Result<(), ActorProcessingErr> {
        Err(why.into())
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Tells the actor of the end of its task, also if that is a panic.
struct LastWords(ActorRef<Msg>);

impl Drop for LastWords {
    fn drop(&mut self) {
        // The actor is gone when it has aborted the task.
        let _gone = self.0.cast(Msg::Ended("the task that watches has ended".to_owned()));
    }
}
