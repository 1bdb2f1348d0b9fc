//! Addresses outlive the lives behind them.

use std::time::Duration;

use super::stub::{Do, Nature, Team, ids};
use crate::supervision::{
    address::{CallError, address},
    engine::Input,
    graph::Graph,
    plate::Standing,
};

const WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn a_call_reaches_whichever_life_is_the_current_one() {
    let mut team = Team::new(Graph::loose(ids("a")), |_| Nature::default()).await;
    let a = team.address("a");
    let early = {
        let a = a.clone();
        tokio::spawn(async move { a.call(Do::Hello, WITHIN).await })
    };
    team.start("a").await;
    assert_eq!(early.await.unwrap(), Ok(1), "waits for the first life");
    assert!(a.cast(Do::Fail));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(a.call(Do::Hello, WITHIN).await, Ok(2), "waits out the backoff");
    team.step(Input::Restart(ids("a"))).await;
    assert_eq!(a.call(Do::Hello, WITHIN).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn a_call_has_a_deadline() {
    let mut team = Team::new(Graph::loose(ids("a")), |_| Nature::default()).await;
    let a = team.address("a");
    assert_eq!(a.call(Do::Hello, WITHIN).await, Err(CallError::Timeout(WITHIN)), "nobody");
    assert!(!a.cast(Do::Ready), "nobody");
    team.start("a").await;
    assert_eq!(a.call(Do::Silence, WITHIN).await, Err(CallError::Timeout(WITHIN)), "no answer");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_kills_says_so() {
    let mut team = Team::new(Graph::loose(ids("a")), |_| Nature::default()).await;
    team.start("a").await;
    let a = team.address("a");
    let asked = {
        let a = a.clone();
        tokio::spawn(async move { a.call(Do::Silence, WITHIN).await })
    };
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(a.cast(Do::Fail));
    assert_eq!(asked.await.unwrap(), Err(CallError::Gone));
    let (mailroom, orphan) = address::<Do>();
    drop(mailroom);
    assert_eq!(orphan.call(Do::Hello, WITHIN).await, Err(CallError::Gone));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_quick_restarts_never_clash() {
    let mut team = Team::new(Graph::loose(ids("a b")), |_| Nature::default()).await;
    team.start("a b").await;
    let a = team.address("a");
    for life in 3..103 {
        team.boss.cast(super::stub::Order::Step(Input::Restart(ids("a")))).unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(a.call(Do::Hello, WITHIN).await, Ok(life));
    }
    assert_eq!(team.book.take().matches("+a").count(), 100);
    assert_eq!(team.standing("a", Standing::failures), 0);
}
