//! How a child comes into the world, and how it speaks to its supervisor.

use std::{pin::Pin, sync::Arc, time::Duration};

use ractor::{Actor, ActorCell, ActorRef, SpawnErr};

use super::Signal;
use crate::supervision::{
    engine::{Life, Policy},
    fault::Mortal,
    graph::Id,
    plate::ChildPlate,
};

/// OTP's child specification.
#[derive(Clone)]
pub struct ChildSpec {
    /// How to start it.
    pub start: StartFn,
    /// When to restart it.
    pub policy: Policy,
    /// How long its stop may take before it is killed.
    pub grace: Duration,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// Spawns the child, linked to [`Birth::supervisor`]. Must be quick: slow work belongs after birth.
pub type StartFn = Arc<dyn Fn(Birth) -> Spawning + Send + Sync>;

/// What a [`StartFn`] returns.
pub type Spawning = Pin<Box<dyn Future<Output = Result<ActorCell, SpawnErr>> + Send>>;

/// What a child is given at its start.
pub struct Birth {
    /// Which life this is.
    pub life: Life,
    /// Whom to link to.
    pub supervisor: ActorCell,
    /// How to tell the supervisor.
    pub herald: Herald,
    /// The child's line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// How a child tells that its dependents may start. Good for one life only.
#[derive(Clone)]
pub struct Herald {
    id: Id,
    life: Life,
    tell: Arc<dyn Fn(Signal) + Send + Sync>,
}

impl Herald {
    pub(super) fn new(id: Id, life: Life, tell: impl Fn(Signal) + Send + Sync + 'static) -> Self {
        Self { id, life, tell: Arc::new(tell) }
    }

    /// Its dependents may start.
    pub fn ready(&self) {
        (self.tell)(Signal::Ready(self.id.clone(), self.life));
    }

    /// No more of its dependents may start.
    pub fn unready(&self) {
        (self.tell)(Signal::Unready(self.id.clone(), self.life));
    }
}

/// The one place that spawns: linked, and without a name, since ractor's names are a global map in
/// which a restarted child clashes with its dying predecessor.
pub async fn spawn<A: Actor>(
    supervisor: ActorCell,
    actor: A,
    args: A::Arguments,
) -> Result<ActorRef<A::Msg>, SpawnErr> {
    #[expect(clippy::disallowed_methods, reason = "every ChildSpec ends up here")]
    let spawned = Actor::spawn_linked(None, Mortal(actor), args, supervisor).await;
    spawned.map(|(actor, _)| actor)
}
