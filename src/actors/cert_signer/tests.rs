use std::{collections::HashSet, fs, os::unix::fs::PermissionsExt, path::PathBuf};

use futures_util::future::join_all;
use ractor::ActorCell;
use tokio::time::timeout;

use super::*;
use crate::{
    core::certs::Realm,
    os::leaves::Rank,
    supervision::address::{Mailroom, address},
};

/// Longer than anything takes on a busy machine.
const SOON: Duration = Duration::from_secs(30);

struct World {
    leaves: Arc<Leaves>,
    vault: Arc<Vault>,
    room: Mailroom<Msg>,
    plate: Arc<ChildPlate>,
    ca: PathBuf,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ca = dir.path().join("data/ca");
        let realm = Realm::new(["localhost"]);
        let (room, signer) = address();
        let leaves = Arc::new(Leaves::new(realm.clone(), Post(signer)));
        let vault = Arc::new(Vault::new(ca.clone(), realm));
        Self { leaves, vault, room, plate: ChildPlate::new("cert-signer"), ca, _dir: dir }
    }

    async fn life(&self) -> ActorCell {
        let args = Args {
            vault: self.vault.clone(),
            leaves: self.leaves.clone(),
            trust: Arc::new(Watch::new(self.ca.join("root.pem"))),
            plate: self.plate.clone(),
        };
        #[expect(clippy::disallowed_methods, reason = "a test has no supervisor")]
        let (actor, _) = Actor::spawn(None, CertSigner, args).await.unwrap();
        self.room.publish(actor.clone());
        actor.get_cell()
    }

    async fn ask(&self, name: &str) -> Minted {
        timeout(SOON, self.leaves.for_client(Some(name), Rank::Routed)).await.unwrap()
    }
}

fn der(key: &CertifiedKey) -> Vec<u8> {
    key.cert[0].to_vec()
}

#[tokio::test]
async fn all_who_ask_at_once_get_one_certificate() {
    let world = World::new();
    world.life().await;
    let asked = join_all((0..200).map(|_| world.ask("shop.localhost"))).await;
    let found: HashSet<_> = asked.iter().map(|minted| der(minted.as_ref().unwrap())).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(der(&world.leaves.get("shop.localhost").unwrap()), *found.iter().next().unwrap());
    let detail = world.plate.detail().unwrap();
    let ca = world.vault.root().unwrap().fingerprint().short();
    assert_eq!(detail, format!("1 certificates cached, CA {ca}, not yet trusted"));
}

#[tokio::test]
async fn so_many_are_kept_and_those_in_use_stay() {
    let world = World::new();
    world.life().await;
    for number in 0..CAPACITY + 100 {
        world.ask(&format!("n{number}.localhost")).await.unwrap();
        world.ask("shop.localhost").await.unwrap();
    }
    let kept = world.leaves.snapshot();
    assert!(kept.len() <= CAPACITY && kept.len() > CAPACITY * 9 / 10, "{}", kept.len());
    assert!(kept.contains_key("shop.localhost") && !kept.contains_key("n0.localhost"));
}

#[tokio::test]
async fn a_new_life_answers_what_the_old_one_could_not() {
    let world = World::new();
    // Nobody is there yet: the question waits.
    let asking = async { world.ask("early.localhost").await.unwrap() };
    let (early, first) = tokio::join!(asking, world.life());
    let gone = world.vault.root().unwrap().fingerprint();
    first.kill();
    let asking = async { world.ask("late.localhost").await.unwrap() };
    let (_, second) = tokio::join!(asking, world.life());
    assert_eq!(der(&world.leaves.get("early.localhost").unwrap()), der(&early));
    assert_eq!(world.vault.root().unwrap().fingerprint(), gone);
    second.stop(None);
}

#[tokio::test]
async fn a_ca_that_is_repaired_is_used_at_once() {
    let world = World::new();
    let key = world.ca.join("root-key.pem");
    world.vault.authority().unwrap();
    let mode = |mode| fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    let world =
        World { vault: Arc::new(Vault::new(world.ca.clone(), Realm::new(["localhost"]))), ..world };
    world.life().await;
    let Err(Refused::Failed(why)) = world.ask("shop.localhost").await else { panic!("refused") };
    assert!(why.contains("others have access"), "{why}");
    mode(0o600);
    world.ask("shop.localhost").await.unwrap();
}

#[tokio::test]
async fn an_old_leaf_gets_a_successor_while_it_is_used() {
    let world = World::new();
    world.life().await;
    let old = world.ask("shop.localhost").await.unwrap();
    let name = world.leaves.realm().leaf_for(Some("shop.localhost")).unwrap();
    let now = clock::wall();
    let hour = Duration::from_hours(1);
    let validity = crate::core::certs::Validity { from: now - 100 * hour, until: now + hour };
    let mut leaves = (*world.leaves.snapshot()).clone();
    leaves.insert(name, world.leaves.leaf(old.clone(), validity));
    world.leaves.publish(leaves);
    assert_eq!(der(&world.ask("shop.localhost").await.unwrap()), der(&old), "it is still good");
    timeout(SOON, async {
        while der(&world.leaves.get("shop.localhost").unwrap()) == der(&old) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}
