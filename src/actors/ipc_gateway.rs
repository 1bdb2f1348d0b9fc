//! Speaks to clients: HTTP with JSON over the Unix socket (SPEC §5).
//!
//! The actor owns the task that accepts; the socket itself is lent, so that nobody who connects while
//! the actor is restarted is refused. Readers are answered from boards, without asking any actor.

mod attach;
mod check;
mod clash;
mod connection;
mod control;
mod dashboard;
mod fault;
mod follow;
mod graph;
mod hold;
mod live;
mod logs;
mod outcome;
mod plan;
mod read;
mod reply;
mod requests;
mod routes;
mod tree;
mod upgrade;
mod why;

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{
    net::UnixListener,
    sync::{Semaphore, watch},
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{infra::Infra, usage::Usage};
use crate::{
    core::visitors::Visitors,
    supervision::plate::{ChildPlate, SupervisorPlate},
};

pub use self::routes::router;

/// So many terminals may be attached at once.
pub const MOST_ATTACHED: usize = 64;
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
    /// Whether all that was there before is taken up: nobody is answered before that.
    pub open: watch::Sender<bool>,
    /// Whether the daemon is to end; whoever is told to end it says so here.
    pub closing: watch::Sender<bool>,
    /// Whether the daemon makes way for another one.
    pub tenure: watch::Sender<Tenure>,
    /// Connections that are open.
    pub connections: watch::Sender<usize>,
    /// Places for terminals that are attached.
    pub attached: Arc<Semaphore>,
    /// What services use, while somebody watches.
    pub usage: Usage,
    /// Who may use the dashboard.
    pub visitors: watch::Sender<Visitors>,
    /// Whether clients may make actors panic.
    pub faults: bool,
}

/// How long the daemon will be there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Tenure {
    /// Until somebody says otherwise.
    Stays,
    /// Until requests that were begun have ended; then this program goes on.
    MakesWay(PathBuf),
    /// No longer than its last answers: who comes now is for the next one.
    Leaves,
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
            // The sender lives as long as the daemon.
            let _open = of_task.open.subscribe().wait_for(|open| *open).await.map(drop);
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
