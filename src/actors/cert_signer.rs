//! Signs certificates: one leaf per name, made when a handshake asks for it, replaced in time.

mod flights;
mod post;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use rustls::sign::CertifiedKey;

use self::flights::Flights;
pub use self::post::Post;
use crate::{
    core::certs::{CAPACITY, LeafName, evictions},
    os::{
        ca::{CaError, Issued, Vault},
        clock,
        leaves::{Leaves, Refused},
        trust::Watch,
    },
    supervision::plate::ChildPlate,
};

/// After a leaf could not be replaced, it is tried again. It is good for two more days.
const RETRY: Duration = Duration::from_mins(1);

/// The actor.
#[derive(Clone, Copy)]
pub struct CertSigner;

/// A certificate, or why there is none.
pub type Minted = Result<Arc<CertifiedKey>, Refused>;

/// What it is told.
#[derive(Debug)]
pub enum Msg {
    /// A leaf for a name. One per handshake that finds none: at most so many as there may be
    /// handshakes at a time, and for names without a route as many as [`Leaves`] admits.
    Mint(LeafName, RpcReplyPort<Minted>),
    /// A successor for a leaf that is used and old. One per leaf.
    Renew(LeafName),
    /// The root is open, or cannot be. One per life.
    Opened(Result<(), CaError>),
    /// The minting of this number has ended. One per minting.
    Minted(u64, LeafName, Result<Issued, CaError>),
}

/// What it is given.
pub struct Args {
    /// The root.
    pub vault: Arc<Vault>,
    /// All leaves; they outlive the actor, which alone publishes them.
    pub leaves: Arc<Leaves>,
    /// Whether the root is trusted.
    pub trust: Arc<Watch>,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// Its state.
pub struct Signer {
    vault: Arc<Vault>,
    leaves: Arc<Leaves>,
    flights: Flights,
}

impl Actor for CertSigner {
    type Msg = Msg;
    type State = Signer;
    type Arguments = Args;

    async fn pre_start(
        &self,
        _: ActorRef<Msg>,
        Args { vault, leaves, trust, plate }: Args,
    ) -> Result<Signer, ActorProcessingErr> {
        let (shown, root) = (leaves.clone(), vault.clone());
        plate.describe(move || {
            let count = shown.snapshot().len();
            let ca = root.root().map_or_else(
                || "no CA yet".to_owned(),
                |root| {
                    let trusted = if trust.is_trusted() { "trusted" } else { "not yet trusted" };
                    format!("CA {}, {trusted}", root.fingerprint().short())
                },
            );
            Some(format!("{count} certificates cached, {ca}"))
        });
        Ok(Signer { vault, leaves, flights: Flights::default() })
    }

    /// The root is made now, not by the first handshake, which would have to wait for the disk.
    async fn post_start(
        &self,
        myself: ActorRef<Msg>,
        signer: &mut Signer,
    ) -> Result<(), ActorProcessingErr> {
        let vault = signer.vault.clone();
        tokio::spawn(async move {
            let open = move || vault.authority().map(drop);
            let opened = tokio::task::spawn_blocking(open).await;
            // An actor that has stopped meanwhile has no use for the news.
            let _gone = myself.cast(Msg::Opened(opened.unwrap_or_else(|error| panicked(&error))));
        });
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        msg: Msg,
        signer: &mut Signer,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Mint(name, reply) => signer.mint(&myself, name, Some(reply)),
            Msg::Renew(name) => signer.renew(&myself, name),
            Msg::Opened(Ok(())) => {}
            Msg::Opened(Err(error)) => tracing::error!("cannot serve HTTPS: {error}"),
            Msg::Minted(number, name, result) => signer.land(&myself, number, &name, result),
        }
        Ok(())
    }
}

impl Signer {
    /// Mints off the actor's thread, once for all who ask meanwhile.
    fn mint(
        &mut self,
        myself: &ActorRef<Msg>,
        name: LeafName,
        asker: Option<RpcReplyPort<Minted>>,
    ) {
        let Some(number) = self.flights.board(&name, asker) else { return };
        let (vault, myself) = (self.vault.clone(), myself.clone());
        tokio::spawn(async move {
            let wanted = name.clone();
            let minted = tokio::task::spawn_blocking(move || vault.issue(&wanted)).await;
            let minted = minted.unwrap_or_else(|error| panicked(&error));
            // An actor that has stopped meanwhile has no use for the news.
            let _gone = myself.cast(Msg::Minted(number, name, minted));
        });
    }

    /// Unless it is no longer kept or good: then whoever asks for it next has a new one minted.
    fn renew(&mut self, myself: &ActorRef<Msg>, name: LeafName) {
        if self.leaves.snapshot().get(&name).is_some_and(|leaf| leaf.is_valid(clock::wall())) {
            self.mint(myself, name, None);
        }
    }

    fn land(
        &mut self,
        myself: &ActorRef<Msg>,
        number: u64,
        name: &LeafName,
        result: Result<Issued, CaError>,
    ) {
        let Some(askers) = self.flights.land(name, number) else { return };
        let answer = match result {
            Ok(issued) => {
                self.publish(name.clone(), &issued);
                Ok(issued.key)
            }
            Err(error) => {
                tracing::warn!(%name, "cannot make a certificate: {error}");
                if askers.is_empty() {
                    let name = name.clone();
                    myself.send_after(RETRY, move || Msg::Renew(name));
                }
                Err(Refused::Failed(error.to_string()))
            }
        };
        for asker in askers {
            // A handshake that is gone has no use for the answer.
            let _gone = asker.send(answer.clone());
        }
    }

    fn publish(&self, name: LeafName, issued: &Issued) {
        let mut leaves = (*self.leaves.snapshot()).clone();
        leaves.insert(name, self.leaves.leaf(issued.key.clone(), issued.validity));
        if leaves.len() > CAPACITY {
            let uses = leaves.iter().map(|(name, leaf)| (name.clone(), leaf.last_use()));
            for name in evictions(uses, CAPACITY) {
                leaves.remove(&name);
            }
        }
        self.leaves.publish(leaves);
    }
}

fn panicked<T>(error: &tokio::task::JoinError) -> Result<T, CaError> {
    Err(CaError::Sign(error.to_string()))
}
