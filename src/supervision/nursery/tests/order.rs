//! In which order children are born and end.

use super::stub::{Do, GRACE, Nature, Team, ids};
use crate::supervision::{
    engine::{Input, Phase},
    graph::{Bond, Edge, Graph, Needs},
    plate::Standing,
};

fn shop() -> Graph {
    let edge = Edge { needs: Needs::Ready, bond: Bond::Crash };
    let edges = [("web", "api"), ("api", "db")].map(|(f, t)| (f.into(), t.into(), edge));
    Graph::new(ids("web api db mail"), edges).unwrap()
}

async fn open() -> Team {
    let mut team = Team::new(shop(), |_| Nature::default()).await;
    assert_eq!(team.start("web mail").await, "+db +mail +api +web");
    team
}

#[tokio::test(start_paused = true)]
async fn births_go_up_the_order_and_ends_down() {
    let mut team = open().await;
    assert_eq!(team.phase("web"), Phase::Up { ready: true });
    assert_eq!(team.step(Input::Stop(ids("db"))).await, ".web -web .api -api .db -db");
    assert_eq!((team.phase("db"), team.phase("web")), (Phase::Stopped, Phase::Pending));
    assert_eq!(team.end().await, ".mail -mail");
}

#[tokio::test(start_paused = true)]
async fn a_boss_that_stops_stops_its_children_in_layers() {
    let team = open().await;
    let ends = team.end().await;
    assert_eq!(ends, ".web .mail -web -mail .api -api .db -db", "web and mail share a layer");
}

#[tokio::test(start_paused = true)]
async fn a_crash_takes_dependents_down_in_order_and_brings_them_back_in_order() {
    let mut team = open().await;
    team.news();
    assert_eq!(team.tell("db", Do::Fail).await, "!db .web -web .api -api +db +api +web");
    assert_eq!(
        team.news(),
        "failed db, waits db 200, told web, gone web, told api, gone api, born db, born api, born web"
    );
    assert_eq!(team.standing("db", Standing::failures), 1);
    assert_eq!(team.standing("web", Standing::failures), 0);
}

#[tokio::test(start_paused = true)]
async fn a_planned_restart_leaves_dependents_alone_and_gives_a_new_actor() {
    let mut team = open().await;
    let (api, web) = (team.cell("api").unwrap(), team.cell("web").unwrap());
    assert_eq!(team.step(Input::Restart(ids("api"))).await, ".api -api +api");
    assert_ne!(team.cell("api").unwrap().get_id(), api.get_id());
    assert_eq!(team.cell("web").unwrap().get_id(), web.get_id());
}

#[tokio::test(start_paused = true)]
async fn two_restarts_at_once_yield_one_birth() {
    let mut team = open().await;
    team.boss.cast(super::stub::Order::Step(Input::Restart(ids("api")))).unwrap();
    assert_eq!(team.step(Input::Restart(ids("api"))).await, ".api -api +api");
}

#[tokio::test(start_paused = true)]
async fn one_whose_end_hangs_is_killed_after_its_grace() {
    let hangs = |name: &str| Nature { hangs: name == "api", ..Nature::default() };
    let mut team = Team::new(shop(), hangs).await;
    team.start("web").await;
    assert_eq!(team.step(Input::Stop(ids("db"))).await, ".web -web .api");
    assert!(matches!(team.phase("api"), Phase::Stopping { told: true }));
    assert_eq!(team.book.after(GRACE).await, ".db -db", "no -api: its end was cut short");
    assert_eq!((team.phase("api"), team.phase("db")), (Phase::Pending, Phase::Stopped));
    assert!(team.cell("api").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_kill_meant_for_one_life_spares_the_next() {
    let mut team = open().await;
    assert_eq!(team.step(Input::Restart(ids("mail"))).await, ".mail -mail +mail");
    assert_eq!(team.book.after(GRACE * 2).await, "", "its grace has passed");
    assert_eq!(team.phase("mail"), Phase::Up { ready: true });
}

#[tokio::test(start_paused = true)]
async fn a_boss_kills_what_hangs_when_it_stops() {
    let hangs = |name: &str| Nature { hangs: name == "api", ..Nature::default() };
    let mut team = Team::new(shop(), hangs).await;
    team.start("web").await;
    let (api, db) = (team.cell("api").unwrap(), team.cell("db").unwrap());
    assert_eq!(team.end().await, ".web -web .api .db -db");
    assert_eq!(api.get_status(), ractor::ActorStatus::Stopped);
    assert_eq!(db.get_status(), ractor::ActorStatus::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_boss_that_stops_waits_for_one_that_was_already_told() {
    let mut team = open().await;
    team.boss.cast(super::stub::Order::Step(Input::Stop(ids("mail")))).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    assert_eq!(team.book.take(), ".mail");
    assert_eq!(team.end().await, ".web -mail -web .api -api .db -db");
}
