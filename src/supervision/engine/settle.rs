//! Bookkeeping of a change, and what follows from it.

use super::{At, Effect, Engine, Phase};
use crate::supervision::graph::{Edge, Needs};

impl Engine {
    /// Puts a node into a phase. Every change goes through here, so that the counters are true.
    pub(super) fn set(&mut self, at: At, phase: Phase) {
        let was_open = self.nodes[at].is_open();
        let was = std::mem::replace(&mut self.nodes[at].phase, phase);
        self.changes.push(at);
        self.tell_dependents(at, was, phase);
        self.tell_dependencies(at, was, phase);
        match (was_open, self.nodes[at].is_open()) {
            (true, false) => self.wave -= 1,
            (false, true) => self.wave += 1,
            _ => {}
        }
        self.consider(at);
    }

    /// Makes a node a member of the wave: it starts when all members are down.
    pub(super) fn hold(&mut self, at: At) {
        let node = &mut self.nodes[at];
        if std::mem::replace(&mut node.held, true) {
            return;
        }
        if node.is_open() {
            self.wave += 1;
        }
        self.held.push(at);
    }

    /// Stops what must stop, swaps plans, starts what can start.
    pub(super) fn settle(&mut self, effects: &mut Vec<Effect>) {
        loop {
            self.stop_what_must(effects);
            if self.finish_reshape() {
                continue;
            }
            if self.wave == 0 {
                self.release();
            }
            self.start_what_can(effects);
            if self.to_stop.is_empty() && self.to_start.is_empty() {
                return;
            }
        }
    }

    /// Counts everything afresh, for a new graph.
    pub(super) fn recount(&mut self) {
        self.to_stop.clear();
        self.to_start.clear();
        self.changes = (0..self.nodes.len()).collect();
        for at in 0..self.nodes.len() {
            let unmet = |&&(to, edge): &&(At, Edge)| !self.nodes[to].phase.satisfies(edge.needs);
            let needs = self.graph.needs_of(at).iter().filter(unmet).count();
            let stopping = |&&(from, _): &&(At, Edge)| self.nodes[from].phase.is_stopping();
            let followers = self.graph.followers_of(at).iter().filter(stopping).count();
            self.nodes[at].unmet = needs;
            self.nodes[at].stopping_followers = followers;
        }
        self.held = (0..self.nodes.len()).filter(|&at| self.nodes[at].held).collect();
        self.wave = self.held.iter().filter(|&&at| self.nodes[at].is_open()).count();
        for at in 0..self.nodes.len() {
            self.consider(at);
        }
    }

    fn stop_what_must(&mut self, effects: &mut Vec<Effect>) {
        while let Some(at) = self.to_stop.pop_last() {
            let node = &self.nodes[at];
            if node.phase == (Phase::Stopping { told: false }) && node.stopping_followers == 0 {
                effects.push(Effect::Stop(self.graph.ids()[at].clone(), node.life));
                self.set(at, Phase::Stopping { told: true });
            }
        }
    }

    fn start_what_can(&mut self, effects: &mut Vec<Effect>) {
        while let Some(at) = self.to_start.pop_first() {
            let node = &mut self.nodes[at];
            if node.phase == Phase::Pending && node.unmet == 0 && !node.held && !node.touched {
                self.births += 1;
                node.life = self.births;
                effects.push(Effect::Start(self.graph.ids()[at].clone(), node.life));
                self.set(at, Phase::Up { ready: false });
            }
        }
    }

    /// Queues a node that may have to stop or be able to start.
    fn consider(&mut self, at: At) {
        let node = &self.nodes[at];
        match node.phase {
            Phase::Stopping { told: false } if node.stopping_followers == 0 => {
                self.to_stop.insert(at);
            }
            Phase::Pending if node.unmet == 0 => {
                self.to_start.insert(at);
            }
            _ => {}
        }
    }

    /// The wave is down: its members may start.
    fn release(&mut self) {
        for at in std::mem::take(&mut self.held) {
            self.nodes[at].held = false;
            self.consider(at);
        }
    }

    fn tell_dependents(&mut self, at: At, was: Phase, is: Phase) {
        let changed = |needs| was.satisfies(needs) != is.satisfies(needs);
        if ![Needs::Started, Needs::Ready, Needs::Completed].into_iter().any(changed) {
            return;
        }
        for k in 0..self.graph.followers_of(at).len() {
            let (from, edge) = self.graph.followers_of(at)[k];
            match (was.satisfies(edge.needs), is.satisfies(edge.needs)) {
                (true, false) => self.nodes[from].unmet += 1,
                (false, true) => {
                    self.nodes[from].unmet -= 1;
                    self.consider(from);
                }
                _ => {}
            }
        }
    }

    fn tell_dependencies(&mut self, at: At, was: Phase, is: Phase) {
        if was.is_stopping() == is.is_stopping() {
            return;
        }
        for k in 0..self.graph.needs_of(at).len() {
            let (to, _) = self.graph.needs_of(at)[k];
            if is.is_stopping() {
                self.nodes[to].stopping_followers += 1;
            } else {
                self.nodes[to].stopping_followers -= 1;
                self.consider(to);
            }
        }
    }
}
