//! Has the data path accept on sockets that outlive the actor.

use std::{
    any::Any,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{sync::watch, task::JoinHandle};

use crate::supervision::plate::ChildPlate;

/// The actor: one for HTTP, one for HTTPS.
#[derive(Clone, Copy)]
pub struct Listener;

/// What it is told.
#[derive(Debug)]
pub enum Msg {
    /// All that was there before is taken up. One per life.
    Open,
}

/// Has the data path accept on a socket, until what it answers is dropped.
pub type Accept = Arc<dyn Fn(&TcpListener) -> io::Result<Accepting> + Send + Sync>;

/// The end of it ends the accepting.
pub type Accepting = Box<dyn Any + Send + Sync>;

/// What it is given.
pub struct Args {
    /// The data path's way to accept.
    pub accept: Accept,
    /// The sockets, one per address family; they outlive the actor.
    pub sockets: Arc<[TcpListener]>,
    /// Whether there is anybody to be led to. Until then connections wait in the kernel.
    pub open: watch::Receiver<bool>,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// Its state.
pub struct Door {
    accept: Accept,
    sockets: Arc<[TcpListener]>,
    opener: JoinHandle<()>,
    /// Accepting ends with it.
    accepting: Vec<Accepting>,
}

impl Actor for Listener {
    type Msg = Msg;
    type State = Door;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        Args { accept, sockets, mut open, plate }: Args,
    ) -> Result<Door, ActorProcessingErr> {
        let addresses: Vec<String> = sockets
            .iter()
            .filter_map(|socket| socket.local_addr().ok())
            .map(|address: SocketAddr| address.to_string())
            .collect();
        let shown = match addresses.as_slice() {
            [] => "no port to listen on".to_owned(),
            addresses => addresses.join(", "),
        };
        plate.describe(move || Some(shown.clone()));
        let opener = tokio::spawn(async move {
            // The sender lives as long as the daemon, and the actor is gone only after this task.
            let _open = open.wait_for(|open| *open).await.map(drop);
            let _gone = myself.cast(Msg::Open);
        });
        Ok(Door { accept, sockets, opener, accepting: Vec::new() })
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        Msg::Open: Msg,
        door: &mut Door,
    ) -> Result<(), ActorProcessingErr> {
        let Door { accept, sockets, .. } = door;
        door.accepting = sockets.iter().map(|socket| accept(socket)).collect::<Result<_, _>>()?;
        Ok(())
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.opener.abort();
    }
}
