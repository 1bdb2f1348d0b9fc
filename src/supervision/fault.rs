//! Panics on request: how tests show that the tree heals. Nothing asks for one unless the daemon was
//! started for it.

use std::{collections::HashSet, sync::LazyLock};

use arc_swap::ArcSwap;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};

/// Actors that are to panic, or did: no number is used twice.
static STRUCK: LazyLock<ArcSwap<HashSet<ActorId>>> = LazyLock::new(ArcSwap::default);

/// Makes the actor panic as soon as it is done with the message it is at. To its supervisor that is
/// no different from a bug in a message handler: what waits in the mailbox is lost, and its own
/// `post_stop` does not run.
pub fn strike(cell: &ActorCell) {
    STRUCK.rcu(|struck| struck.iter().copied().chain([cell.get_id()]).collect::<HashSet<_>>());
    cell.stop(None);
}

/// An actor that can be struck.
pub(super) struct Mortal<A>(pub(super) A);

impl<A: Actor> Actor for Mortal<A> {
    type Msg = A::Msg;
    type State = A::State;
    type Arguments = A::Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<A::Msg>,
        args: A::Arguments,
    ) -> Result<A::State, ActorProcessingErr> {
        self.0.pre_start(myself, args).await
    }

    async fn post_start(
        &self,
        myself: ActorRef<A::Msg>,
        state: &mut A::State,
    ) -> Result<(), ActorProcessingErr> {
        self.0.post_start(myself, state).await
    }

    async fn handle(
        &self,
        myself: ActorRef<A::Msg>,
        message: A::Msg,
        state: &mut A::State,
    ) -> Result<(), ActorProcessingErr> {
        self.0.handle(myself, message, state).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<A::Msg>,
        event: SupervisionEvent,
        state: &mut A::State,
    ) -> Result<(), ActorProcessingErr> {
        self.0.handle_supervisor_evt(myself, event, state).await
    }

    async fn post_stop(
        &self,
        myself: ActorRef<A::Msg>,
        state: &mut A::State,
    ) -> Result<(), ActorProcessingErr> {
        assert!(!STRUCK.load().contains(&myself.get_id()), "a fault was injected");
        self.0.post_stop(myself, state).await
    }
}
