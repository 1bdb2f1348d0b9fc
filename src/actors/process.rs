//! The OS process of a service: the actor's life is the process's life.

mod attend;
mod launch;
mod provide;
mod remembrance;

use std::sync::{Arc, Weak};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};

use self::launch::Launched;
pub(in crate::actors) use self::launch::{EnvTexts, build, on_event, resolve, resolve_with};
use super::{
    context::{Running, ServiceContext},
    service::End,
};
use crate::{os::child::Ending, supervision::nursery::Herald};

/// The actor.
pub struct Process;

/// What it is told. Rate: one of each per life.
#[derive(Debug)]
pub enum Msg {
    /// The launch has ended; its outcome is in the task.
    Launched,
    /// The process died at that moment, and all that came of it is gone now.
    Ended(Ending, Instant),
}

/// What it is given.
pub struct Args {
    /// The service.
    pub context: Arc<ServiceContext>,
    /// How to tell that the process runs.
    pub herald: Herald,
}

/// Its state.
pub struct Body {
    context: Arc<ServiceContext>,
    herald: Herald,
    stage: Stage,
}

enum Stage {
    Launching {
        task: JoinHandle<Result<Launched, String>>,
        /// Its end says stop.
        stop: Option<oneshot::Sender<()>>,
    },
    Running {
        /// Its end says stop.
        stop: oneshot::Sender<()>,
        attendant: JoinHandle<()>,
        running: Weak<Running>,
    },
    Over,
}

impl Actor for Process {
    type Msg = Msg;
    type State = Body;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        Args { context, herald }: Args,
    ) -> Result<Body, ActorProcessingErr> {
        let of_task = context.clone();
        let (stop, told) = oneshot::channel();
        let task = tokio::spawn(async move {
            let outcome = launch::launch(&of_task, told).await;
            // The actor is gone only if it was told to stop; then it waits for this task.
            let _gone = myself.cast(Msg::Launched);
            outcome
        });
        Ok(Body { context, herald, stage: Stage::Launching { task, stop: Some(stop) } })
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        msg: Msg,
        body: &mut Body,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Launched => {
                let Stage::Launching { task, .. } = &mut body.stage else { return Ok(()) };
                let launched = task.await?.map_err(End::Unlaunched)?;
                body.attend(&myself, launched);
                Ok(())
            }
            Msg::Ended(ending, at) => {
                body.stage = Stage::Over;
                Err(End::Exited(ending, at).into())
            }
        }
    }

    /// Stops the process, its session and its descendants; ends when all are gone.
    async fn post_stop(
        &self,
        myself: ActorRef<Msg>,
        body: &mut Body,
    ) -> Result<(), ActorProcessingErr> {
        if let Stage::Launching { task, stop } = &mut body.stage {
            drop(stop.take());
            match task.await {
                Ok(Ok(launched)) => body.attend(&myself, launched),
                Ok(Err(_)) | Err(_) => body.stage = Stage::Over,
            }
        }
        let stage = std::mem::replace(&mut body.stage, Stage::Over);
        if let Stage::Running { stop, attendant, .. } = stage {
            drop(stop);
            attendant.await?;
        }
        Ok(())
    }
}

impl Body {
    fn attend(&mut self, myself: &ActorRef<Msg>, launched: Launched) {
        let (stop, told) = oneshot::channel();
        let (context, myself) = (self.context.clone(), myself.clone());
        // Before anybody hears of it: the probe looks for it as soon as it may start.
        attend::announce(&context, &launched);
        let running = Arc::downgrade(&launched.running);
        let attendant = tokio::spawn(async move {
            let (ending, at) = attend::attend(&context, launched, told).await;
            // The actor is gone only if it was told to stop; then it waits for this task.
            let _gone = myself.cast(Msg::Ended(ending, at));
        });
        self.stage = Stage::Running { stop, attendant, running };
        self.herald.ready();
    }
}

/// An actor that was killed has no `post_stop`: whatever runs loses its last holder, which kills it.
impl Drop for Body {
    fn drop(&mut self) {
        match &self.stage {
            Stage::Launching { task, .. } => task.abort(),
            Stage::Running { attendant, running, .. } => {
                attendant.abort();
                self.context.lose(running);
            }
            Stage::Over => {}
        }
    }
}
