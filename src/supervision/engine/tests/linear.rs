//! A step costs what it touches: counted, not timed.

use super::{Engine, id, script::policy};
use crate::supervision::{
    engine::{Effect, Exit, Input, Restart},
    graph::{Bond, Edge, Graph, Id, Needs},
};

const LAYERS: usize = 10;
const WIDTH: usize = 100;
const EDGES: u64 = ((LAYERS - 1) * WIDTH * WIDTH) as u64;
const NOW: std::time::Duration = std::time::Duration::ZERO;

/// Each child of a layer needs all of the layer below.
fn layers() -> Graph {
    let name = |layer: usize, n: usize| id(format!("{layer}-{n}"));
    let nodes = (0..LAYERS).flat_map(|layer| (0..WIDTH).map(move |n| name(layer, n)));
    let edge = Edge { needs: Needs::Ready, bond: Bond::Crash };
    let edges = (1..LAYERS).flat_map(|layer| {
        let pairs = (0..WIDTH).flat_map(|from| (0..WIDTH).map(move |to| (from, to)));
        pairs.map(move |(from, to)| (name(layer, from), name(layer - 1, to), edge))
    });
    Graph::new(nodes, edges).expect("layers have no cycle")
}

/// Does all that the engine asks for, and returns what that has cost it.
fn obey(engine: &mut Engine, input: Input) -> u64 {
    let before = engine.worked;
    let mut inputs = std::collections::VecDeque::from([input]);
    while let Some(input) = inputs.pop_front() {
        for effect in engine.step(NOW, input) {
            inputs.push_back(match effect {
                Effect::Start(id, life) => Input::Ready(id, life),
                Effect::Stop(id, life) => Input::Exited(id, life, Exit::Success),
                Effect::Wake(id, life, _) => Input::Elapsed(id, life),
                Effect::GaveUp(id) => panic!("{id} gave up"),
            });
        }
    }
    engine.worked - before
}

#[test]
fn a_thousand_children_start_restart_and_stop_in_linear_work() {
    let mut engine = Engine::new(layers(), |_| policy(Restart::Permanent));
    let all: Vec<Id> = engine.graph().ids().to_vec();
    for (input, bound) in [
        (Input::Start(all.clone()), 5 * EDGES),
        (Input::Restart(all.clone()), 10 * EDGES),
        (Input::Stop(all.clone()), 5 * EDGES),
    ] {
        let cost = obey(&mut engine, input.clone());
        assert!(cost > EDGES, "the counter counts: {cost}");
        assert!(cost <= bound, "{cost} for {EDGES} edges");
        engine.check_counters();
    }
    assert!(all.iter().all(|id| engine.phase(id) == super::Phase::Stopped));
}

#[test]
fn a_crash_on_top_concerns_nobody_below() {
    let mut engine = Engine::new(layers(), |_| policy(Restart::Permanent));
    let all: Vec<Id> = engine.graph().ids().to_vec();
    obey(&mut engine, Input::Start(all));
    let top = id("9-7");
    let life = engine.life(&top);
    let cost = obey(&mut engine, Input::Exited(top.clone(), life, Exit::Failure));
    assert!(cost <= 10, "{cost} inner operations for a child without dependents");
    assert_eq!(engine.phase(&top), super::Phase::Up { ready: true });
    let bottom = id("0-7");
    let life = engine.life(&bottom);
    let cost = obey(&mut engine, Input::Exited(bottom, life, Exit::Failure));
    assert!(cost <= 8 * EDGES, "{cost} for the fall of all");
    engine.check_counters();
}
