use std::{path::PathBuf, sync::atomic::AtomicUsize, time::Duration};

use futures_util::FutureExt as _;

use super::*;
use crate::os::ca::Vault;

/// Mints at once, and counts.
struct Mint {
    vault: Vault,
    minted: Arc<AtomicUsize>,
    renewed: Arc<AtomicUsize>,
}

impl Minter for Mint {
    fn mint(&self, name: LeafName) -> BoxFuture<'static, Result<Arc<CertifiedKey>, Refused>> {
        self.minted.fetch_add(1, Ordering::Relaxed);
        let issued = self.vault.issue(&name).map(|issued| issued.key);
        std::future::ready(issued.map_err(|error| Refused::Failed(error.to_string()))).boxed()
    }

    fn renew(&self, _: LeafName) {
        self.renewed.fetch_add(1, Ordering::Relaxed);
    }
}

struct World {
    leaves: Leaves,
    vault: Vault,
    realm: Realm,
    minted: Arc<AtomicUsize>,
    renewed: Arc<AtomicUsize>,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let realm = Realm::new(["localhost"]);
        let place: PathBuf = dir.path().join("data/ca");
        let (minted, renewed) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let vault = Vault::new(place.clone(), realm.clone());
        let (minted_too, renewed_too) = (minted.clone(), renewed.clone());
        let mint = Mint { vault, minted: minted_too, renewed: renewed_too };
        let leaves = Leaves::new(realm.clone(), mint);
        let vault = Vault::new(place, realm.clone());
        Self { leaves, vault, realm, minted, renewed, _dir: dir }
    }

    /// Publishes one leaf with this validity, counted from now.
    fn publish(&self, name: &str, from: i64, until: i64) {
        let name = self.realm.leaf_for(Some(name)).unwrap();
        let key = self.vault.issue(&name).unwrap().key;
        let at = |seconds: i64| {
            let distance = Duration::from_secs(seconds.unsigned_abs());
            if seconds < 0 { clock::wall() - distance } else { clock::wall() + distance }
        };
        let leaf = self.leaves.leaf(key, Validity { from: at(from), until: at(until) });
        let mut snapshot = Snapshot::clone(&self.leaves.snapshot());
        snapshot.insert(name, leaf);
        self.leaves.publish(snapshot);
    }

    fn renewed(&self) -> usize {
        self.renewed.load(Ordering::Relaxed)
    }
}

#[test]
fn a_name_is_found_however_it_is_written() {
    let world = World::new();
    world.publish("shop.localhost", -60, 600);
    for name in ["shop.localhost", "SHOP.localhost", "shop.localhost."] {
        assert!(world.leaves.get(name).is_some(), "{name}");
    }
    for name in ["other.localhost", "evil.com", ""] {
        assert!(world.leaves.get(name).is_none(), "{name}");
    }
}

#[test]
fn what_no_client_accepts_is_not_offered() {
    let world = World::new();
    world.publish("old.localhost", -600, -1);
    world.publish("new.localhost", 60, 600);
    assert!(world.leaves.get("old.localhost").is_none());
    assert!(world.leaves.get("new.localhost").is_none());
    assert_eq!(world.renewed(), 0, "they are minted by whoever needs them");
}

#[test]
fn an_old_leaf_is_used_and_its_successor_asked_for_once() {
    let world = World::new();
    world.publish("shop.localhost", -601, 300);
    world.publish("young.localhost", -100, 300);
    for _ in 0..10 {
        assert!(world.leaves.get("shop.localhost").is_some());
        assert!(world.leaves.get("young.localhost").is_some());
    }
    assert_eq!(world.renewed(), 1);
}

#[test]
fn the_last_use_counts() {
    let world = World::new();
    world.publish("a.localhost", -60, 600);
    world.publish("b.localhost", -60, 600);
    let last = |name: &str| world.leaves.snapshot()[name].last_use();
    assert!(last("a.localhost") < last("b.localhost"));
    world.leaves.get("a.localhost").unwrap();
    assert!(last("a.localhost") > last("b.localhost"));
}

#[tokio::test]
async fn a_scan_is_refused_and_projects_are_not() {
    let world = World::new();
    let mut refused = 0;
    for number in 0..10_000 {
        let name = format!("scan-{number}.localhost");
        match world.leaves.for_client(Some(&name), Rank::Stranger).await {
            Ok(_) => {}
            Err(why) => {
                assert_eq!(why, Refused::TooMany);
                refused += 1;
            }
        }
    }
    let minted = world.minted.load(Ordering::Relaxed);
    assert_eq!(refused + minted, 10_000);
    assert!((128..1000).contains(&minted), "{minted}");
    world.leaves.for_client(Some("shop.localhost"), Rank::Routed).await.unwrap();
}

#[tokio::test]
async fn what_is_not_ours_costs_nothing() {
    let world = World::new();
    for name in ["evil.com", "*.localhost", "10.0.0.1"] {
        let refused = world.leaves.for_client(Some(name), Rank::Routed).await.unwrap_err();
        assert_eq!(refused, Refused::NotOurs);
    }
    assert_eq!(world.minted.load(Ordering::Relaxed), 0);
    world.leaves.for_client(None, Rank::Stranger).await.unwrap();
}
