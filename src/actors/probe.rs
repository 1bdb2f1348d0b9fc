//! Watches the health of a service's process: readiness, liveness, notifications, watchdog.

mod attempt;
mod watch;

use std::{future, sync::Arc};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::JoinHandle;

use super::{context::ServiceContext, service::End};
use crate::supervision::{nursery::Herald, plate::ChildPlate};

/// The actor.
pub struct Probe;

/// What it is told. Rate: one per change of health; the notifications of the service, whose rate is
/// its own, stay in the task that watches.
#[derive(Debug)]
pub enum Msg {
    /// The service is ready.
    Ready,
    /// Its liveness check has failed too often, for this reason.
    Unhealthy(String),
    /// It is well again.
    Healthy,
    /// It is as good as crashed, for this reason.
    Unfit(String),
}

/// What it is given.
pub struct Args {
    /// The service.
    pub context: Arc<ServiceContext>,
    /// How to tell the project that the service is ready.
    pub service: Herald,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// Its state.
pub struct Watcher {
    context: Arc<ServiceContext>,
    service: Herald,
    task: JoinHandle<()>,
}

impl Actor for Probe {
    type Msg = Msg;
    type State = Watcher;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        Args { context, service, plate }: Args,
    ) -> Result<Watcher, ActorProcessingErr> {
        let shown = context.clone();
        plate.describe(move || shown.board.read(watch::detail));
        // If it is gone already, its own end is what is told of it.
        let task = match context.running.load_full() {
            Some(running) => tokio::spawn(watch::watch(context.clone(), running, myself)),
            None => tokio::spawn(future::ready(())),
        };
        Ok(Watcher { context, service, task })
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        msg: Msg,
        watcher: &mut Watcher,
    ) -> Result<(), ActorProcessingErr> {
        let context = &watcher.context;
        match msg {
            Msg::Ready => {
                context.board.update(|view| view.hint = None);
                watcher.service.ready();
            }
            Msg::Unhealthy(why) => {
                context.event("unhealthy", Some(why.clone()));
                context.board.update(|view| view.unhealthy = Some(why));
                watcher.service.unready();
            }
            Msg::Healthy => {
                context.event("recovered", Some("its health check succeeds again".to_owned()));
                context.board.update(|view| view.unhealthy = None);
                watcher.service.ready();
            }
            Msg::Unfit(why) => {
                let hint = context.board.read(|view| view.hint.clone());
                let hint = hint.map_or_else(String::new, |hint| format!("; it {hint}"));
                let why = why + &hint;
                // Its process is stopped next, and tells why that was.
                context.board.update(|view| view.unfit = Some(why.clone()));
                return Err(End::Unfit(why).into());
            }
        }
        Ok(())
    }

    /// Ends the task at once: the state itself travels to the supervisor, which may be slow to drop
    /// it, and the process reads the notifications next.
    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        watcher: &mut Watcher,
    ) -> Result<(), ActorProcessingErr> {
        watcher.task.abort();
        let _aborted = (&mut watcher.task).await;
        Ok(())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}
