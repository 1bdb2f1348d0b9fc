//! What a certificate costs: signing one, and finding one.

use std::{hint::black_box, sync::Arc};

use divan::Bencher;
use futures_util::{FutureExt as _, future::BoxFuture};
use locald::{
    core::certs::{CAPACITY, LeafName, Realm, evictions},
    os::{
        ca::Vault,
        leaves::{Leaves, Minter, Refused, Snapshot},
    },
};
use rustls::sign::CertifiedKey;

fn main() {
    divan::main();
}

/// Mints nothing.
struct Nobody;

impl Minter for Nobody {
    fn mint(&self, _: LeafName) -> BoxFuture<'static, Result<Arc<CertifiedKey>, Refused>> {
        std::future::ready(Err(Refused::Late)).boxed()
    }

    fn renew(&self, _: LeafName) {}
}

fn vault() -> (tempfile::TempDir, Vault, Realm) {
    let dir = tempfile::tempdir().expect("there is room");
    let realm = Realm::new(["localhost"]);
    let vault = Vault::new(dir.path().join("ca"), realm.clone());
    vault.authority().expect("a root can be made");
    (dir, vault, realm)
}

fn name(realm: &Realm, number: usize) -> LeafName {
    realm.leaf_for(Some(&format!("n{number}.localhost"))).expect("it is ours")
}

/// As many as are kept.
fn full() -> (Leaves, Realm) {
    let (_dir, vault, realm) = vault();
    let leaves = Leaves::new(realm.clone(), Nobody);
    let issued = vault.issue(&name(&realm, 0)).expect("it can sign");
    let snapshot: Snapshot = (0..CAPACITY)
        .map(|number| (name(&realm, number), leaves.leaf(issued.key.clone(), issued.validity)))
        .collect();
    leaves.publish(snapshot);
    (leaves, realm)
}

#[divan::bench]
fn sign_a_leaf(bencher: Bencher<'_, '_>) {
    let (_dir, vault, realm) = vault();
    let name = name(&realm, 0);
    bencher.bench_local(|| vault.issue(&name));
}

#[divan::bench(threads = [1, 2])]
fn find_a_leaf(bencher: Bencher<'_, '_>) {
    let (leaves, _) = full();
    bencher.bench(|| black_box(leaves.get("n77.localhost")));
}

/// What the signer does for each new leaf when as many as are kept are there.
#[divan::bench]
fn publish_one_more(bencher: Bencher<'_, '_>) {
    let (leaves, realm) = full();
    let (_dir, vault, _) = vault();
    let issued = vault.issue(&name(&realm, 0)).expect("it can sign");
    let mut number = CAPACITY;
    bencher.bench_local(|| {
        let mut snapshot = Snapshot::clone(&leaves.snapshot());
        number += 1;
        let leaf = leaves.leaf(issued.key.clone(), issued.validity);
        snapshot.insert(name(&realm, number), leaf);
        let uses = snapshot.iter().map(|(name, leaf)| (name.clone(), leaf.last_use()));
        for gone in evictions(uses, CAPACITY) {
            snapshot.remove(&gone);
        }
        leaves.publish(snapshot);
    });
}
