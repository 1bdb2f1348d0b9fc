//! A supervisor with a fixed set of children, all wanted for as long as it lives.

use std::{collections::HashMap, sync::Arc};

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::{
    graph::{Graph, Id},
    nursery::{ChildSpec, News, Nursery, Signal, failure},
    plate::SupervisorPlate,
};

/// The actor.
pub struct Supervisor;

/// What it is told: only what its nursery wants to know. Rate: a few per birth of a child.
#[derive(Debug)]
pub enum Msg {
    /// See [`Signal`].
    Signal(Signal),
}

/// What it is made of.
pub struct Args {
    /// The strategy, as a shape.
    pub graph: Graph,
    /// Its children.
    pub specs: HashMap<Id, ChildSpec>,
    /// Its board.
    pub plate: Arc<SupervisorPlate>,
}

/// Why a supervisor failed: OTP's `shutdown` after reached maximum intensity.
#[derive(Debug, thiserror::Error)]
#[error("gave up on {child}")]
pub struct GaveUp {
    /// The child that failed too often.
    pub child: Id,
}

impl Actor for Supervisor {
    type Msg = Msg;
    type State = Nursery<Msg>;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        Args { graph, specs, plate }: Args,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(Nursery::new(&myself, graph, specs, failure, plate))
    }

    async fn post_start(
        &self,
        _: ActorRef<Msg>,
        nursery: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let news = nursery.start_all().await;
        escalate(news, nursery).await
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        Msg::Signal(signal): Msg,
        nursery: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let news = nursery.signal(signal).await;
        escalate(news, nursery).await
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Msg>,
        event: SupervisionEvent,
        nursery: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let news = nursery.event(event).await;
        escalate(news, nursery).await
    }

    /// Stops the children, dependents first.
    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        nursery: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        nursery.stop_all().await;
        Ok(())
    }
}

impl From<Signal> for Msg {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal)
    }
}

/// Starts the outermost supervisor, which nobody supervises but the process.
pub async fn spawn_root(
    args: Args,
) -> Result<(ActorCell, tokio::task::JoinHandle<()>), ractor::SpawnErr> {
    #[expect(clippy::disallowed_methods, reason = "the root has no supervisor to link to")]
    let (root, handle) = Actor::spawn(None, Supervisor, args).await?;
    Ok((root.get_cell(), handle))
}

async fn escalate(news: Vec<News>, nursery: &mut Nursery<Msg>) -> Result<(), ActorProcessingErr> {
    for item in news {
        match item {
            News::Gone(child, _, Some(error)) => {
                tracing::warn!(%child, %error, "a child failed");
            }
            News::GaveUp(child) => {
                nursery.stop_all().await;
                return Err(GaveUp { child }.into());
            }
            _ => {}
        }
    }
    Ok(())
}
