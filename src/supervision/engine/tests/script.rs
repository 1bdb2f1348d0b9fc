//! A small language for histories: names of children in, `+a -a ~a xa` out.

use std::{collections::BTreeSet, time::Duration};

use super::{LIMIT, id};
use crate::supervision::{
    budget::Limit,
    engine::{Effect, Engine, Exit, Input, Phase, Policy, Restart, Shape},
    graph::{Bond, Edge, Graph, Id, Needs},
};

/// An engine, and a clock that moves by 700 ms a step.
pub(super) struct Play {
    pub(super) engine: Engine,
    now: Duration,
}

pub(super) const fn policy(restart: Restart) -> Policy {
    Policy { restart, oneshot: false, limit: LIMIT }
}

/// Tries, and gives up at the first failure.
pub(super) const TASK: Policy = Policy { restart: Restart::Temporary, oneshot: true, limit: LIMIT };

pub(super) const ONCE: Limit = Limit { restarts: 0, ..LIMIT };

pub(super) fn edge(from: &str, to: &str, needs: Needs, bond: Bond) -> (Id, Id, Edge) {
    (id(from), id(to), Edge { needs, bond })
}

/// Names, and edges such as `web>api`: ready, crash.
pub(super) fn graph(text: &str) -> Graph {
    let words: Vec<&str> = text.split_whitespace().collect();
    let nodes = words.iter().filter(|word| !word.contains('>')).map(id);
    let edges = words.iter().filter_map(|word| word.split_once('>'));
    Graph::new(nodes, edges.map(|(from, to)| edge(from, to, Needs::Ready, Bond::Crash)))
        .expect("a sound graph")
}

impl Play {
    pub(super) fn new(graph: Graph, policy: impl Fn(&str) -> Policy) -> Self {
        Self { engine: Engine::new(graph, |id| policy(id)), now: Duration::ZERO }
    }

    /// All children are permanent.
    pub(super) fn permanent(graph: Graph) -> Self {
        Self::new(graph, |_| policy(Restart::Permanent))
    }

    /// Everybody is started, and ready.
    pub(super) fn up(mut self) -> Self {
        let all: Vec<String> = self.engine.graph().ids().iter().map(ToString::to_string).collect();
        self.start(&all.join(" "));
        for name in &all {
            self.ready(name);
        }
        self
    }

    pub(super) fn step(&mut self, input: Input) -> String {
        self.now += Duration::from_millis(700);
        let effects = self.engine.step(self.now, input);
        self.engine.check_counters();
        let words: Vec<String> = effects.iter().map(word).collect();
        words.join(" ")
    }

    pub(super) fn start(&mut self, names: &str) -> String {
        self.step(Input::Start(ids(names)))
    }

    pub(super) fn stop(&mut self, names: &str) -> String {
        self.step(Input::Stop(ids(names)))
    }

    pub(super) fn restart(&mut self, names: &str) -> String {
        self.step(Input::Restart(ids(names)))
    }

    pub(super) fn ready(&mut self, name: &str) -> String {
        let life = self.life(name);
        self.step(Input::Ready(id(name), life))
    }

    pub(super) fn unready(&mut self, name: &str) -> String {
        let life = self.life(name);
        self.step(Input::Unready(id(name), life))
    }

    pub(super) fn exit(&mut self, name: &str, exit: Exit) -> String {
        let life = self.life(name);
        self.step(Input::Exited(id(name), life, exit))
    }

    pub(super) fn crash(&mut self, name: &str) -> String {
        self.exit(name, Exit::Failure)
    }

    /// Ends as told.
    pub(super) fn gone(&mut self, name: &str) -> String {
        self.exit(name, Exit::Success)
    }

    pub(super) fn wake(&mut self, name: &str) -> String {
        let life = self.life(name);
        self.step(Input::Elapsed(id(name), life))
    }

    pub(super) fn reshape(&mut self, graph: Graph, changed: &str) -> String {
        let changed: BTreeSet<Id> = ids(changed).into_iter().collect();
        self.step(Input::Reshape(Shape::new(graph, |_| policy(Restart::Permanent), changed)))
    }

    pub(super) fn now(&self) -> Duration {
        self.now
    }

    pub(super) fn life(&self, name: &str) -> u64 {
        self.engine.life(&id(name))
    }

    pub(super) fn phase(&self, name: &str) -> Phase {
        self.engine.phase(&id(name))
    }

    /// One letter each: Pending, Up, up and Ready, Stopping, Backoff, Idle, Completed, Failed.
    pub(super) fn phases(&self, names: &str) -> String {
        let letter = |name| match self.phase(name) {
            Phase::Pending => 'P',
            Phase::Up { ready: false } => 'U',
            Phase::Up { ready: true } => 'R',
            Phase::Stopping { .. } => 'S',
            Phase::Backoff => 'B',
            Phase::Stopped => 'I',
            Phase::Completed => 'C',
            Phase::GaveUp => 'F',
        };
        names.split_whitespace().map(letter).collect()
    }
}

fn ids(names: &str) -> Vec<Id> {
    names.split_whitespace().map(id).collect()
}

fn word(effect: &Effect) -> String {
    match effect {
        Effect::Start(id, _) => format!("+{id}"),
        Effect::Stop(id, _) => format!("-{id}"),
        Effect::Wake(id, _, delay) => format!("~{id}:{}", delay.as_millis()),
        Effect::GaveUp(id) => format!("x{id}"),
    }
}
