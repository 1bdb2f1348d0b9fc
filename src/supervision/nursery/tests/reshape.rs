//! A new plan: whom it adds, removes, changes and leaves alone.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Weak},
};

use super::stub::{Nature, Team, ids, stub};
use crate::supervision::{
    engine::{Input, Phase, Restart},
    graph::{Bond, Edge, Graph, Id, Needs},
    nursery::{Birth, ChildSpec, Spawning},
};

fn graph(nodes: &str, edges: &[(&str, &str)]) -> Graph {
    let edge = Edge { needs: Needs::Ready, bond: Bond::Crash };
    let edges = edges.iter().map(|&(f, t)| (f.into(), t.into(), edge));
    Graph::new(ids(nodes), edges).unwrap()
}

fn specs(team: &Team, names: &str) -> HashMap<Id, ChildSpec> {
    let spec = |id: Id| (id.clone(), stub(&id, Restart::Permanent, Nature::default(), &team.log).0);
    ids(names).into_iter().map(spec).collect()
}

async fn team(nodes: &str, edges: &[(&str, &str)]) -> Team {
    let mut team = Team::new(graph(nodes, edges), |_| Nature::default()).await;
    team.start(nodes).await;
    team
}

fn names(team: &Team) -> Vec<String> {
    team.plate.children().iter().map(|plate| plate.name().to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn exactly_what_is_new_gone_or_changed_changes() {
    let mut team = team("a b c d", &[("c", "b")]).await;
    let (a, c) = (team.cell("a").unwrap(), team.cell("c").unwrap());
    let new = specs(&team, "a b c e");
    assert_eq!(team.reshape(graph("a b c e", &[("c", "b")]), new, "b").await, ".d .b -d -b +b");
    assert_eq!(names(&team), ["a", "b", "c", "e"]);
    assert_eq!(team.cell("a").unwrap().get_id(), a.get_id());
    assert_eq!(team.cell("c").unwrap().get_id(), c.get_id());
    assert_eq!(team.phase("e"), Phase::Stopped);
    assert_eq!(team.start("e").await, "+e");
    assert_eq!(team.end().await.matches('-').count(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_new_specification_is_that_of_the_next_life() {
    let mut team = team("a", &[]).await;
    let (spec, address) = stub("a", Restart::Permanent, Nature::default(), &team.log);
    let new = HashMap::from([(Id::from("a"), spec)]);
    assert_eq!(team.reshape(graph("a", &[]), new, "a").await, ".a -a +a");
    assert!(address.cast(super::stub::Do::Fail), "the new specification was used");
    assert_eq!(team.book.soon().await, "!a +a");
}

#[tokio::test(start_paused = true)]
async fn who_depends_on_what_goes_is_restarted_under_the_new_plan() {
    let mut team = team("a b", &[("b", "a")]).await;
    let new = specs(&team, "b");
    assert_eq!(team.reshape(graph("b", &[]), new, "").await, ".b -b .a -a +b");
    assert_eq!(names(&team), ["b"]);
}

#[tokio::test(start_paused = true)]
async fn a_start_while_a_plan_is_under_way_reaches_its_new_children() {
    let mut team = team("a", &[]).await;
    let new = specs(&team, "a b");
    let order = super::stub::Order::Reshape(graph("a b", &[]), new, ids("a").into_iter().collect());
    team.boss.cast(order).unwrap();
    assert_eq!(team.start("b").await, ".a -a +a +b");
}

#[tokio::test(start_paused = true)]
async fn plans_queue() {
    let mut team = team("a", &[]).await;
    for nodes in ["b", "a b", "c"] {
        let new = specs(&team, nodes);
        let order = super::stub::Order::Reshape(graph(nodes, &[]), new, BTreeSet::new());
        team.boss.cast(order).unwrap();
    }
    assert_eq!(team.step(Input::Start(ids("c"))).await, ".a -a +c");
    assert_eq!(names(&team), ["c"]);
}

type Start = dyn Fn(Birth) -> Spawning + Send + Sync;

/// What a specification holds on to; who still has it keeps it alive.
fn held(specs: &HashMap<Id, ChildSpec>) -> HashMap<String, Weak<Start>> {
    specs.iter().map(|(id, spec)| (id.to_string(), Arc::downgrade(&spec.start))).collect()
}

#[tokio::test(start_paused = true)]
async fn specifications_of_old_plans_are_let_go() {
    let mut team = team("a b", &[("b", "a")]).await;
    let second = specs(&team, "a b c");
    let old = held(&second);
    team.reshape(graph("a b c", &[("b", "a")]), second, "").await;
    assert!(old.values().all(|start| start.strong_count() == 1), "the nursery alone has them");
    for round in 0..3 {
        let next = specs(&team, "a b");
        team.reshape(graph("a b", &[("b", "a")]), next, "a").await;
        assert!(old.values().all(|start| start.strong_count() == 0), "in round {round}");
    }
}
