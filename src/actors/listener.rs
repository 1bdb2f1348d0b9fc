//! Has the data path accept on sockets that outlive the actor.

use std::{
    any::Any,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::supervision::plate::ChildPlate;

/// The actor: one for HTTP, one for HTTPS.
#[derive(Clone, Copy)]
pub struct Listener;

/// What it is told: nothing.
#[derive(Debug)]
pub enum Msg {}

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
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

impl Actor for Listener {
    type Msg = Msg;
    /// Accepting ends with it.
    type State = Vec<Accepting>;
    type Arguments = Args;

    async fn pre_start(
        &self,
        _: ActorRef<Msg>,
        Args { accept, sockets, plate }: Args,
    ) -> Result<Vec<Accepting>, ActorProcessingErr> {
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
        Ok(sockets.iter().map(|socket| accept(socket)).collect::<Result<_, _>>()?)
    }
}
