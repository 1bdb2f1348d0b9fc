//! Tells a command of the project (`on_event`) what has happened to its services. It stands beside
//! them, like the watcher: a command that hangs or fails is nobody's fate but its own.

mod outbox;
mod rounds;

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::JoinHandle;

pub use self::outbox::Outbox;
use self::rounds::{Load, Rounds};
use super::context::ProjectContext;
use crate::supervision::plate::ChildPlate;

/// The actor.
pub struct Notifier;

/// What it is told.
#[derive(Debug)]
pub enum Msg {
    /// The task that runs the commands has ended, for this reason.
    Ended(String),
}

/// What it is given.
pub struct Args {
    /// The project.
    pub context: Arc<ProjectContext>,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// Its state: the task ends with it, and the commands with that.
pub struct Notifying {
    context: Arc<ProjectContext>,
    task: JoinHandle<()>,
}

impl Actor for Notifier {
    type Msg = Msg;
    type State = Notifying;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        Args { context, plate }: Args,
    ) -> Result<Notifying, ActorProcessingErr> {
        let load = Arc::new(Load::default());
        let shown = load.clone();
        plate.describe(move || Some(shown.words()));
        let rounds = Rounds::new(context.clone(), load);
        let task = tokio::spawn(async move {
            let last_words = LastWords(myself);
            rounds.go().await;
            drop(last_words);
        });
        Ok(Notifying { context, task })
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        Msg::Ended(why): Msg,
        _: &mut Notifying,
    ) -> Result<(), ActorProcessingErr> {
        Err(why.into())
    }

    /// Ends the commands, and forgets what waits: whoever stops it wants no more of that. Only a life
    /// that fails leaves something to the next one.
    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        notifying: &mut Notifying,
    ) -> Result<(), ActorProcessingErr> {
        notifying.task.abort();
        let _aborted = (&mut notifying.task).await;
        drop(notifying.context.outbox.take());
        Ok(())
    }
}

impl Drop for Notifying {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Tells the actor of the end of its task, also if that is a panic.
struct LastWords(ActorRef<Msg>);

impl Drop for LastWords {
    fn drop(&mut self) {
        // The actor is gone when it has aborted the task.
        let _gone = self.0.cast(Msg::Ended("the task that runs commands has ended".to_owned()));
    }
}
