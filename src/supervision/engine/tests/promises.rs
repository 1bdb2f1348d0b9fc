//! The engine against a random world: random graphs, random news, in random order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    LIMIT,
    world::{World, edges_of, name},
};
use crate::supervision::{
    engine::{Exit, Input, Phase, Policy, Restart},
    graph::{Bond, Edge, Graph, Id, Needs},
};

/// Edges as (from, to, needs × bond); only those to a smaller number count.
type Raw = Vec<(usize, usize, u8)>;

#[derive(Clone, Debug)]
struct Plan {
    nodes: BTreeSet<usize>,
    edges: Raw,
    kinds: Vec<u8>,
    one_for_all: bool,
}

#[derive(Clone, Debug)]
enum Move {
    Exit(usize, Exit),
    Ready(usize),
    Unready(usize),
    Obey(usize, Exit),
    Wake(usize),
    Start(Vec<usize>),
    Stop(Vec<usize>),
    Restart(Vec<usize>),
    Stale(usize, Exit),
    Reshape(Plan, BTreeSet<usize>),
}

impl Plan {
    fn graph(&self) -> Graph {
        let known = |(a, b, _): &&(usize, usize, u8)| {
            b < a && self.nodes.contains(a) && self.nodes.contains(b)
        };
        let edge = |&(a, b, kind): &(usize, usize, u8)| {
            let needs = [Needs::Started, Needs::Ready, Needs::Completed][usize::from(kind % 3)];
            let bond = [Bond::Loose, Bond::Crash, Bond::Always][usize::from(kind / 3 % 3)];
            (name(a), name(b), Edge { needs, bond })
        };
        let nodes = self.nodes.iter().map(|&n| name(n));
        let mut pairs = BTreeSet::new();
        let first = |(a, b, _): &&(usize, usize, u8)| pairs.insert((*a, *b));
        let edges = self.edges.iter().filter(known).filter(first).map(edge);
        Graph::new(nodes, edges).expect("no cycle").one_for_all(self.one_for_all)
    }

    fn policies(&self) -> BTreeMap<Id, Policy> {
        let restarts = [Restart::Permanent, Restart::Transient, Restart::Temporary];
        let policy = |&n: &usize| {
            let kind = self.kinds[n % self.kinds.len()];
            let restart = restarts[usize::from(kind % 3)];
            let oneshot = kind >= 6 && restart != Restart::Permanent;
            (name(n), Policy { restart, oneshot, limit: LIMIT })
        };
        self.nodes.iter().map(policy).collect()
    }
}

fn plan(n: usize) -> impl Strategy<Value = Plan> {
    (
        prop::collection::btree_set(0..n, n / 2..=n),
        prop::collection::vec((0..n, 0..n, 0u8..9), 0..14),
        prop::collection::vec(0u8..9, n),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(nodes, edges, kinds, one_for_all)| Plan {
            nodes,
            edges,
            kinds,
            one_for_all,
        })
}

fn moves(n: usize) -> impl Strategy<Value = Move> {
    let i = 0..n;
    let some = prop::collection::vec(0..n, 1..4);
    let exit = prop_oneof![Just(Exit::Failure), Just(Exit::Success)];
    prop_oneof![
        3 => (i.clone(), exit.clone()).prop_map(|(i, exit)| Move::Exit(i, exit)),
        4 => i.clone().prop_map(Move::Ready),
        1 => i.clone().prop_map(Move::Unready),
        4 => (i.clone(), exit.clone()).prop_map(|(i, exit)| Move::Obey(i, exit)),
        4 => i.clone().prop_map(Move::Wake),
        2 => some.clone().prop_map(Move::Start),
        1 => some.clone().prop_map(Move::Stop),
        2 => some.prop_map(Move::Restart),
        1 => (i, exit).prop_map(|(i, exit)| Move::Stale(i, exit)),
        1 => (plan(n), prop::collection::btree_set(0..n, 0..3))
            .prop_map(|(plan, changed)| Move::Reshape(plan, changed)),
    ]
}

fn history() -> impl Strategy<Value = (Plan, Vec<Move>)> {
    (3usize..9).prop_flat_map(|n| (plan(n), prop::collection::vec(moves(n), 1..60)))
}

impl World {
    fn of(plan: &Plan) -> Self {
        Self::new(plan.graph(), plan.policies())
    }

    fn play(&mut self, a_move: Move) {
        let names = |all: Vec<usize>| all.into_iter().map(name).collect();
        match a_move {
            Move::Exit(i, exit) => {
                if let Some((life, _)) = self.live.remove(&name(i)) {
                    self.step(Input::Exited(name(i), life, exit));
                }
            }
            Move::Obey(i, exit) => {
                if let Some(&(life, true)) = self.live.get(&name(i)) {
                    self.live.remove(&name(i));
                    self.step(Input::Exited(name(i), life, exit));
                }
            }
            Move::Ready(i) => {
                if let Some(&(life, _)) = self.live.get(&name(i)) {
                    self.step(Input::Ready(name(i), life));
                }
            }
            Move::Unready(i) => {
                if let Some(&(life, _)) = self.live.get(&name(i)) {
                    self.step(Input::Unready(name(i), life));
                }
            }
            Move::Wake(i) if !self.timers.is_empty() => {
                let (id, life) = self.timers.remove(i % self.timers.len());
                self.step(Input::Elapsed(id, life));
            }
            Move::Wake(_) => {}
            Move::Start(all) => self.step(Input::Start(names(all))),
            Move::Stop(all) => self.step(Input::Stop(names(all))),
            Move::Restart(all) => self.step(Input::Restart(names(all))),
            Move::Stale(i, exit) => self.stale(&name(i), exit),
            Move::Reshape(plan, changed) => {
                let changed = changed.into_iter().map(name).collect();
                self.reshape(plan.graph(), plan.policies(), changed);
            }
        }
    }

    /// News of a life that is over, or never was, changes nothing.
    fn stale(&mut self, id: &Id, exit: Exit) {
        let before = self.phases();
        let current = self.engine.life(id);
        for life in [current.wrapping_sub(1), 999_999] {
            self.step(Input::Exited(id.clone(), life, exit));
            self.step(Input::Elapsed(id.clone(), life));
            self.step(Input::Ready(id.clone(), life));
            self.step(Input::Unready(id.clone(), life));
        }
        assert_eq!(before, self.phases(), "old news of {id} changed something");
    }

    /// Whoever is told to stop does, everybody else gets ready, and time passes.
    fn be_kind(&mut self) {
        for _ in 0..20 * self.members().len() {
            let mut at_rest = true;
            for (who, (life, told)) in self.live.clone() {
                if told {
                    self.live.remove(&who);
                    self.step(Input::Exited(who, life, Exit::Failure));
                } else if self.engine.phase(&who) == (Phase::Up { ready: false }) {
                    self.step(Input::Ready(who, life));
                } else {
                    continue;
                }
                at_rest = false;
            }
            for (who, life) in std::mem::take(&mut self.timers) {
                self.step(Input::Elapsed(who, life));
                at_rest = false;
            }
            if at_rest {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// In a kind world everything wanted is ready or over, or waits for something that is not there.
    fn check_rest(&self) {
        assert!(!self.engine.is_reshaping(), "a plan is stuck");
        for (id, phase) in self.phases() {
            let met = self.engine.unmet(&id).next().is_none();
            let over = matches!(phase, Phase::GaveUp | Phase::Completed);
            let waits = phase == Phase::Pending && !met;
            if self.engine.wanted(&id) {
                assert!(phase == Phase::Up { ready: true } || over || waits, "{id} is {phase:?}");
            } else {
                assert!(phase == Phase::Stopped || over, "unwanted {id} is {phase:?}");
            }
        }
    }

    /// Without new plans, whoever waits does so for something that failed, is over, waits itself,
    /// has still to complete, or was put to rest after it was last needed.
    fn check_blocked(&self, put_to_rest: &BTreeSet<Id>) {
        for (id, _) in self.phases().iter().filter(|(_, phase)| **phase == Phase::Pending) {
            for (to, needs) in self.engine.unmet(id) {
                let phase = self.engine.phase(to);
                let excused = match phase {
                    Phase::Stopped => put_to_rest.contains(to),
                    Phase::Up { .. } => needs == Needs::Completed,
                    phase => matches!(phase, Phase::GaveUp | Phase::Completed | Phase::Pending),
                };
                assert!(excused, "{id} waits for {to}, which is {phase:?}");
            }
        }
    }

    fn check_full_stop_and_start(&mut self) {
        let all = self.members();
        self.step(Input::Stop(all.clone()));
        self.be_kind();
        assert!(self.live.is_empty(), "still alive: {:?}", self.live);
        assert!(self.phases().values().all(|&phase| phase == Phase::Stopped));
        self.step(Input::Start(all));
        self.be_kind();
        if edges_of(self.engine.graph()).iter().all(|edge| edge.2.needs != Needs::Completed) {
            for (id, phase) in self.phases() {
                assert_eq!(phase, Phase::Up { ready: true }, "{id}");
            }
        }
    }
}

/// Enough to be trusted, few enough for a slow machine.
fn config(cases: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() {
        return config;
    }
    ProptestConfig { cases: if cfg!(debug_assertions) { cases } else { 10 * cases }, ..config }
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn the_engine_keeps_its_promises((plan, script) in history()) {
        let mut world = World::of(&plan);
        let replanned = script.iter().any(|m| matches!(m, Move::Reshape(..)));
        let mut put_to_rest = BTreeSet::new();
        for a_move in script {
            match &a_move {
                Move::Stop(all) => put_to_rest.extend(all.iter().map(|&n| name(n))),
                Move::Exit(..) => put_to_rest.extend(temporary(&plan)),
                _ => {}
            }
            world.play(a_move);
        }
        world.be_kind();
        world.check_rest();
        if !replanned {
            world.check_blocked(&put_to_rest);
        }
        world.check_full_stop_and_start();
    }

}

proptest! {
    #![proptest_config(config(500))]

    /// Stop wins in every phase: from wherever it is, what is stopped last stays down.
    #[test]
    fn what_was_stopped_last_stays_down((plan, script) in history(), victims in prop::collection::vec(0usize..9, 1..4)) {
        let mut world = World::of(&plan);
        for a_move in script {
            world.play(a_move);
        }
        let victims: Vec<Id> = victims.into_iter().map(name).collect();
        world.step(Input::Stop(victims.clone()));
        let births = world.engine.life(&victims[0]);
        world.be_kind();
        for id in &victims {
            prop_assert_eq!(world.engine.phase(id), Phase::Stopped);
        }
        let born = world.engine.life(&victims[0]);
        prop_assert!(born == births || born == 0, "a life after the stop");
    }
}

/// Those that a death may put to rest.
fn temporary(plan: &Plan) -> Vec<Id> {
    let all = plan.policies().into_iter();
    all.filter(|(_, policy)| policy.restart == Restart::Temporary && !policy.oneshot)
        .map(|(id, _)| id)
        .collect()
}
