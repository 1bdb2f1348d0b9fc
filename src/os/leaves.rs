//! The certificates that handshakes use: looked up without a lock, minted by whoever signs.

#![expect(clippy::disallowed_types, reason = "the bucket is held for nanoseconds")]

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Instant, SystemTime},
};

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{clock, own_leaf::OwnLeaf};
use crate::core::certs::{Bucket, LeafName, Realm, Validity};

/// All leaves. The proxy looks them up; the signer is the one writer.
pub struct Leaves {
    realm: Realm,
    minter: Box<dyn Minter>,
    snapshot: ArcSwap<Snapshot>,
    own: ArcSwap<HashMap<String, Arc<OwnLeaf>>>,
    /// Counts uses: which leaf was used last is what matters, not when.
    uses: AtomicU64,
    strangers: Mutex<Bucket>,
    epoch: Instant,
}

/// The leaves at one moment.
pub type Snapshot = HashMap<LeafName, Arc<Leaf>>;

/// A leaf with its key.
pub struct Leaf {
    key: Arc<CertifiedKey>,
    validity: Validity,
    /// Its last use.
    used: AtomicU64,
    /// Whether its successor has been asked for.
    renewing: AtomicBool,
}

/// Who makes leaves.
pub trait Minter: Send + Sync {
    /// A leaf for `name`, once it is in the snapshot.
    fn mint(&self, name: LeafName) -> BoxFuture<'static, Result<Arc<CertifiedKey>, Refused>>;
    /// A successor of the leaf for `name`, in its own time.
    fn renew(&self, name: LeafName);
}

/// Who asks for a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rank {
    /// It has a route: there are only so many, and they are never kept waiting by a scan.
    Routed,
    /// It is under our domains, and nothing more is known: only so many a second are minted.
    Stranger,
}

/// Why there is no certificate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// The alert is `unrecognized_name`.
    #[error("the name is not under our domains")]
    NotOurs,
    /// A scan; the handshake may be dropped.
    #[error("too many new names at once")]
    TooMany,
    /// There is no CA, or it cannot sign; in its words.
    #[error("{0}")]
    Failed(String),
    /// The signer is stuck.
    #[error("the signer has not answered in time")]
    Late,
}

impl Leaves {
    /// No leaves yet.
    pub fn new(realm: Realm, minter: impl Minter + 'static) -> Self {
        Self {
            realm,
            minter: Box::new(minter),
            snapshot: ArcSwap::default(),
            own: ArcSwap::default(),
            uses: AtomicU64::new(0),
            strangers: Mutex::new(Bucket::default()),
            epoch: clock::now(),
        }
    }

    /// Which names get a leaf.
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    /// The leaf for `host`, if it is there and valid now.
    pub fn get(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        if let Some(key) = self.own(Some(host)) {
            return Some(key);
        }
        let leaves = self.snapshot.load();
        match leaves.get(host) {
            Some(leaf) => self.fresh(host, leaf),
            // As good as all names come in lower case: only what is not found is looked at.
            None => self.look(&leaves, &self.realm.leaf_for(Some(host))?),
        }
    }

    /// The leaf for what a client asks for: its SNI, or without one the addresses of this machine.
    /// The first time it takes the minting of it; drop the future at the handshake's deadline.
    pub async fn for_client(
        &self,
        sni: Option<&str>,
        rank: Rank,
    ) -> Result<Arc<CertifiedKey>, Refused> {
        if let Some(key) = self.own(sni) {
            return Ok(key);
        }
        let name = self.realm.leaf_for(sni).ok_or(Refused::NotOurs)?;
        if let Some(key) = self.look(&self.snapshot.load(), &name) {
            return Ok(key);
        }
        if rank == Rank::Stranger && !self.admits_stranger() {
            return Err(Refused::TooMany);
        }
        self.minter.mint(name).await
    }

    /// What is there.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Replaces what is there. For the signer alone.
    pub fn publish(&self, leaves: Snapshot) {
        self.snapshot.store(Arc::new(leaves));
    }

    /// Replaces the certificates that services bring themselves, by host. For the router alone.
    pub fn publish_own(&self, own: HashMap<String, Arc<OwnLeaf>>) {
        self.own.store(Arc::new(own));
    }

    /// The certificates that services bring themselves, by host.
    pub fn own_leaves(&self) -> Arc<HashMap<String, Arc<OwnLeaf>>> {
        self.own.load_full()
    }

    /// What a service brings itself; its files may be just being written, then it is ours that serves.
    fn own(&self, sni: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let own = self.own.load();
        if own.is_empty() {
            return None;
        }
        own.get(&sni?.to_ascii_lowercase())?.current()
    }

    /// A leaf, used just now.
    pub fn leaf(&self, key: Arc<CertifiedKey>, validity: Validity) -> Arc<Leaf> {
        let used = AtomicU64::new(self.next_use());
        Arc::new(Leaf { key, validity, used, renewing: AtomicBool::new(false) })
    }

    fn look(&self, leaves: &Snapshot, name: &LeafName) -> Option<Arc<CertifiedKey>> {
        self.fresh(name.as_str(), leaves.get(name)?)
    }

    fn fresh(&self, name: &str, leaf: &Leaf) -> Option<Arc<CertifiedKey>> {
        let now = clock::wall();
        if !leaf.is_valid(now) {
            return None;
        }
        leaf.used.store(self.next_use(), Ordering::Relaxed);
        if leaf.validity.is_due(now)
            && !leaf.renewing.swap(true, Ordering::Relaxed)
            && let Some(name) = self.realm.leaf_for(Some(name))
        {
            self.minter.renew(name);
        }
        Some(leaf.key.clone())
    }

    fn next_use(&self) -> u64 {
        self.uses.fetch_add(1, Ordering::Relaxed)
    }

    fn admits_stranger(&self) -> bool {
        let mut bucket = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(clock::now().saturating_duration_since(self.epoch))
    }
}

impl ResolvesServerCert for Leaves {
    /// What is in the snapshot: the handshake has asked [`Leaves::for_client`] before.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if let Some(key) = self.own(hello.server_name()) {
            return Some(key);
        }
        let name = self.realm.leaf_for(hello.server_name())?;
        self.look(&self.snapshot.load(), &name)
    }
}

impl fmt::Debug for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaves").field("count", &self.snapshot.load().len()).finish_non_exhaustive()
    }
}

impl Leaf {
    /// Whether a client accepts it now.
    pub fn is_valid(&self, now: SystemTime) -> bool {
        self.validity.contains(now)
    }

    /// The number of its last use; higher is later.
    pub fn last_use(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}
