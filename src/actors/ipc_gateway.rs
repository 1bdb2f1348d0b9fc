//! Speaks to clients: HTTP with JSON over the Unix socket (SPEC §5).
//!
//! The actor owns the task that accepts; the socket itself is lent, so that nobody who connects while
//! the actor is restarted is refused. Readers are answered from boards, without asking any actor.

mod clash;
mod connection;
mod control;
mod fault;
mod follow;
mod logs;
mod outcome;
mod plan;
mod read;
mod reply;
mod requests;
mod routes;
mod tree;
mod why;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{
    net::UnixListener,
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::infra::Infra;
use crate::supervision::plate::{ChildPlate, SupervisorPlate};

/// How long the last answers may take when the daemon ends.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// The actor.
#[derive(Clone, Copy)]
pub struct IpcGateway;

/// What it is told.
#[derive(Debug)]
pub enum Msg {
    /// The task that accepts has ended, for this reason.
    Ended(String),
}

/// What it is given.
pub struct Args {
    /// The socket; outlives the actor.
    pub listener: Arc<UnixListener>,
    /// What requests are answered from.
    pub desk: Arc<Desk>,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// What requests are answered from.
pub struct Desk {
    /// The infrastructure.
    pub infra: Infra,
    /// The root of the tree.
    pub root: Arc<SupervisorPlate>,
    /// When the daemon began to serve.
    pub since: Instant,
    /// What is to be said once, to the first who starts something.
    pub notes: ArcSwap<Vec<String>>,
    /// Whether the daemon is to end; whoever is told to end it says so here.
    pub closing: watch::Sender<bool>,
    /// Connections that are open.
    pub connections: watch::Sender<usize>,
    /// Whether clients may make actors panic.
    pub faults: bool,
}

/// Its state.
pub struct Door {
    desk: Arc<Desk>,
    accepting: JoinHandle<()>,
}

impl Actor for IpcGateway {
    type Msg = Msg;
    type State = Door;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        Args { listener, desk, plate }: Args,
    ) -> Result<Door, ActorProcessingErr> {
        let shown = desk.clone();
        plate.describe(move || {
            let open = *shown.connections.borrow();
            Some(format!("{} ({open} open)", shown.infra.places.socket.display()))
        });
        let of_task = desk.clone();
        let accepting = tokio::spawn(async move {
            let why = connection::accept(&listener, of_task).await;
            // The actor is gone only when it has aborted this task.
            let _gone = myself.cast(Msg::Ended(why));
        });
        Ok(Door { desk, accepting })
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        Msg::Ended(why): Msg,
        _: &mut Door,
    ) -> Result<(), ActorProcessingErr> {
        Err(why.into())
    }

    /// Lets the last answers go out when the daemon ends: whoever asked for the end wants to hear of
    /// it. One that is only restarted leaves the connections alone: they need no gateway.
    async fn post_stop(&self, _: ActorRef<Msg>, door: &mut Door) -> Result<(), ActorProcessingErr> {
        if !*door.desk.closing.borrow() {
            return Ok(());
        }
        let mut open = door.desk.connections.subscribe();
        let quiet = open.wait_for(|open| *open == 0);
        // Whoever is slower than that is not waited for.
        let _late = timeout(LAST_ANSWERS, quiet).await;
        Ok(())
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
