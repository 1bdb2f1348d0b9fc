//! Births that fail, bugs, and giving up.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::stub::{Do, GRACE, LIMIT, LogBook, Nature, Team, ids, log, stub};
use crate::{
    core::time::MAX_DURATION,
    supervision::{
        address::Address,
        engine::{Input, Phase, Policy, Restart},
        graph::{Graph, Id},
        nursery::{ChildSpec, StartFn, beginning, spawn},
        plate::{ChildPlate, Standing, SupervisorPlate},
        supervisor::{self, Supervisor, spawn_root},
    },
};

#[tokio::test(start_paused = true)]
async fn a_failed_birth_counts_and_is_tried_again() {
    let twice = |_: &str| Nature { stillborn: 2, ..Nature::default() };
    let mut team = Team::new(Graph::loose(ids("a")), twice).await;
    assert_eq!(team.start("a").await, "*a *a +a");
    assert_eq!(team.news(), "failed a, waits a 200, failed a, waits a 400, born a");
    assert_eq!(team.standing("a", Standing::failures), 2);
    assert_eq!(team.phase("a"), Phase::Up { ready: true });
}

#[tokio::test(start_paused = true)]
async fn births_that_always_fail_give_up_until_somebody_asks_again() {
    let four = |name: &str| {
        let stillborn = if name == "a" { 4 } else { 0 };
        Nature { stillborn, ..Nature::default() }
    };
    let mut team = Team::new(Graph::loose(ids("a b")), four).await;
    assert_eq!(team.start("a b").await, "*a +b *a *a *a");
    assert_eq!(team.phase("a"), Phase::GaveUp);
    assert_eq!(team.standing("a", Standing::word), "failed");
    assert_eq!(team.standing("a", Standing::failures), 4);
    assert_eq!(team.step(Input::Restart(ids("a"))).await, "+a");
    assert_eq!(team.standing("a", Standing::failures), 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_at_birth_is_a_failed_birth() {
    let once = |_: &str| Nature { stillborn: 1, panics: true, ..Nature::default() };
    let mut team = Team::new(Graph::loose(ids("a")), once).await;
    assert_eq!(team.start("a").await, "*a +a");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_born_on_a_failed_birth() {
    let once = |name: &str| Nature { stillborn: u32::from(name == "b"), ..Nature::default() };
    let mut team = Team::new(Graph::chain(ids("a b c d")), once).await;
    assert_eq!(team.start("a b c d").await, "+a *b +b +c +d");
    assert_eq!(team.news(), "born a, failed b, waits b 200, born b, born c, born d");
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure() {
    let mut team = Team::new(Graph::loose(ids("a b")), |_| Nature::default()).await;
    team.start("a b").await;
    team.news();
    assert_eq!(team.tell("a", Do::Panic).await, "!a +a");
    assert_eq!(team.news(), "failed a, waits a 200, born a");
    assert_eq!(team.phase("b"), Phase::Up { ready: true });
}

#[tokio::test(start_paused = true)]
async fn a_permanent_child_that_ends_well_is_restarted_and_counted() {
    let mut team = Team::new(Graph::loose(ids("a")), |_| Nature::default()).await;
    team.start("a").await;
    assert_eq!(team.tell("a", Do::Finish).await, ".a -a +a");
    assert_eq!(team.standing("a", Standing::failures), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_during_backoff_is_immediate() {
    let mut team = Team::new(Graph::loose(ids("a")), |_| Nature::default()).await;
    team.start("a").await;
    for _ in 0..2 {
        team.tell("a", Do::Fail).await;
    }
    assert!(team.cast("a", Do::Fail));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!((team.book.take().as_str(), team.phase("a")), ("!a", Phase::Backoff));
    assert_eq!(team.standing("a", Standing::word), "restarting");
    team.boss.cast(super::stub::Order::Step(Input::Stop(ids("a")))).unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(team.phase("a"), Phase::Stopped);
    assert_eq!(team.book.after(LIMIT.max * 2).await, "");
}

/// root → infra (gives up at its fourth failure) → `names`.
async fn two_levels(
    names: &'static str,
) -> (ractor::ActorCell, LogBook, HashMap<Id, Address<Do>>, Arc<ChildPlate>) {
    let (log, book) = log();
    let mut specs = HashMap::new();
    let mut addresses = HashMap::new();
    for id in ids(names) {
        let (spec, address) = stub(&id, Restart::Permanent, Nature::default(), &log);
        specs.insert(id.clone(), spec);
        addresses.insert(id, address);
    }
    let start: StartFn = Arc::new(move |birth| {
        let plate = SupervisorPlate::new("rest_for_one");
        birth.plate.supervises(plate.clone());
        let args =
            supervisor::Args { graph: Graph::chain(ids(names)), specs: specs.clone(), plate };
        Box::pin(async move { Ok(spawn(birth.supervisor, Supervisor, args).await?.get_cell()) })
    });
    let policy = Policy { restart: Restart::Permanent, oneshot: false, limit: LIMIT };
    let plate = ChildPlate::new("infra");
    let infra = ChildSpec { start, policy, grace: GRACE * 10, plate: plate.clone() };
    let args = supervisor::Args {
        graph: Graph::loose(ids("infra")),
        specs: HashMap::from([("infra".into(), infra)]),
        plate: SupervisorPlate::new("one_for_one"),
    };
    let (root, _) = spawn_root(args).await.unwrap();
    (root, book, addresses, plate)
}

#[tokio::test(start_paused = true)]
async fn giving_up_escalates_and_stops_the_siblings_well() {
    let (root, mut book, addresses, infra) = two_levels("a b c").await;
    assert_eq!(book.soon().await, "+a +b +c");
    for _ in 0..3 {
        assert!(addresses["b"].cast(Do::Fail));
        assert_eq!(book.soon().await, "!b .c -c +b +c");
    }
    assert!(addresses["b"].cast(Do::Fail));
    assert_eq!(book.soon().await, "!b .c -c .a -a +a +b +c", "post_stop ran for all");
    let standing = infra.standing().unwrap();
    assert_eq!((standing.phase, standing.failures()), (Phase::Up { ready: false }, 1));
    root.stop(None);
    root.wait(Some(GRACE * 20)).await.unwrap();
    assert_eq!(book.take(), ".c -c .b -b .a -a");
}

#[tokio::test(start_paused = true)]
async fn the_product_of_the_intensities_ends_the_root() {
    let (root, mut book, addresses, _) = two_levels("a").await;
    book.soon().await;
    let mut failures = 0;
    while ractor::ACTIVE_STATES.contains(&root.get_status()) {
        assert!(failures < 100, "it never gives up");
        if addresses["a"].cast(Do::Fail) {
            failures += 1;
        }
        book.soon().await;
    }
    assert_eq!(failures, 16, "four of a for each of four of infra");
}

#[tokio::test(start_paused = true)]
async fn what_failed_long_ago_is_as_old_as_it_is() {
    assert_eq!(beginning().elapsed(), MAX_DURATION, "as long as a window may be");
}
