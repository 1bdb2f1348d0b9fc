//! A stable address for an actor that may be restarted: typed, handed out, no global registry.

use std::time::Duration;

use ractor::{ActorRef, Message, RpcReplyPort, rpc::CallResult};
use tokio::{sync::watch, time::timeout};

/// Where to reach whichever life of an actor is the current one.
pub struct Address<M>(watch::Receiver<Option<ActorRef<M>>>);

/// The other end: publishes each new life of the actor. Belongs in its child specification.
pub struct Mailroom<M>(watch::Sender<Option<ActorRef<M>>>);

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CallError {
    /// Nobody to ask, or an actor that is stuck.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The actor failed over the question.
    #[error("the actor stopped before it answered")]
    Gone,
}

/// An address of nobody yet.
pub fn address<M>() -> (Mailroom<M>, Address<M>) {
    let (sender, receiver) = watch::channel(None);
    (Mailroom(sender), Address(receiver))
}

impl<M> Mailroom<M> {
    /// The actor has a new life.
    pub fn publish(&self, actor: ActorRef<M>) {
        self.0.send_replace(Some(actor));
    }
}

impl<M: Message> Address<M> {
    /// Tells the current life; false if there is none.
    pub fn cast(&self, msg: M) -> bool {
        self.0.borrow().as_ref().is_some_and(|actor| actor.cast(msg).is_ok())
    }

    /// Asks, waiting for a life to ask if need be. There is no call without a deadline.
    pub async fn call<R: Send + 'static>(
        &self,
        build: impl FnOnce(RpcReplyPort<R>) -> M + Send,
        within: Duration,
    ) -> Result<R, CallError> {
        let ask = async {
            let mut lives = self.0.clone();
            let alive = |life: &Option<ActorRef<M>>| {
                life.as_ref().is_some_and(|a| ractor::ACTIVE_STATES.contains(&a.get_status()))
            };
            let actor = lives.wait_for(alive).await.map_err(|_| CallError::Gone)?.clone();
            let Some(actor) = actor else { return Err(CallError::Gone) };
            #[expect(clippy::disallowed_methods, reason = "the deadline is around it")]
            match actor.call(build, None).await {
                Ok(CallResult::Success(answer)) => Ok(answer),
                _ => Err(CallError::Gone),
            }
        };
        timeout(within, ask).await.unwrap_or(Err(CallError::Timeout(within)))
    }
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
