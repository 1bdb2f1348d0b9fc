//! Bookkeeping of a change, and what follows from it.

use super::{At, Effect, Engine, Phase};
use crate::supervision::graph::{Bond, Edge, Needs};

impl Engine {
    /// Puts a node into a phase. Every change goes through here, so that the counters are true.
    pub(super) fn set(&mut self, at: At, phase: Phase) {
        let was_open = self.nodes[at].is_open();
        let was_busy = self.nodes[at].is_busy();
        let was = std::mem::replace(&mut self.nodes[at].phase, phase);
        self.changes.push(at);
        self.tell_dependents(at, was, phase);
        if was_busy != self.nodes[at].is_busy() {
            self.tell_dependencies(at);
        }
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
        for at in (0..self.nodes.len()).rev() {
            let unmet = |&&(to, edge): &&(At, Edge)| !self.nodes[to].phase.satisfies(edge.needs);
            let needs = self.graph.needs_of(at).iter().filter(unmet).count();
            let busy = |&&(from, _): &&(At, Edge)| self.nodes[from].is_busy();
            let followers = self.graph.followers_of(at).iter().filter(busy).count();
            self.nodes[at].unmet = needs;
            self.nodes[at].busy_followers = followers;
        }
        self.held = (0..self.nodes.len()).filter(|&at| self.nodes[at].held).collect();
        self.wave = self.held.iter().filter(|&&at| self.nodes[at].is_open()).count();
        for at in 0..self.nodes.len() {
            self.consider(at);
        }
    }

    fn stop_what_must(&mut self, effects: &mut Vec<Effect>) {
        while let Some(at) = self.to_stop.pop_last() {
            #[cfg(test)]
            self.work();
            let node = &self.nodes[at];
            if node.phase == (Phase::Stopping { told: false }) && node.busy_followers == 0 {
                effects.push(Effect::Stop(self.graph.ids()[at].clone(), node.life));
                self.set(at, Phase::Stopping { told: true });
            }
        }
    }

    fn start_what_can(&mut self, effects: &mut Vec<Effect>) {
        while let Some(at) = self.to_start.pop_first() {
            #[cfg(test)]
            self.work();
            let node = &self.nodes[at];
            let free = node.unmet == 0 && !node.held && !node.touched && !self.is_outlived(at);
            if node.phase == Phase::Pending && free {
                self.births += 1;
                self.nodes[at].life = self.births;
                effects.push(Effect::Start(self.graph.ids()[at].clone(), self.births));
                self.set(at, Phase::Up { ready: false });
            }
        }
    }

    /// Queues a node that may have to stop or be able to start.
    fn consider(&mut self, at: At) {
        let node = &self.nodes[at];
        match node.phase {
            Phase::Stopping { told: false } if node.busy_followers == 0 => {
                self.to_stop.insert(at);
            }
            Phase::Pending if node.unmet == 0 => {
                self.to_start.insert(at);
            }
            _ => {}
        }
    }

    /// Whether one that goes down because of `at` is not down yet. OTP terminates all of those before
    /// it starts the first again.
    pub(super) fn is_outlived(&self, at: At) -> bool {
        let bonded =
            |&(from, edge): &(At, Edge)| edge.bond > Bond::Loose && self.nodes[from].is_busy();
        self.nodes[at].busy_followers > 0 && self.graph.followers_of(at).iter().any(bonded)
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
            #[cfg(test)]
            self.work();
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

    /// What is told to stop waits for whoever is busy above it, also across those that are down.
    fn tell_dependencies(&mut self, at: At) {
        let busy = self.nodes[at].is_busy();
        let mut changed = vec![at];
        while let Some(at) = changed.pop() {
            for k in 0..self.graph.needs_of(at).len() {
                #[cfg(test)]
                self.work();
                let (to, _) = self.graph.needs_of(at)[k];
                let was_busy = self.nodes[to].is_busy();
                let followers = &mut self.nodes[to].busy_followers;
                *followers = if busy { *followers + 1 } else { *followers - 1 };
                if was_busy != self.nodes[to].is_busy() {
                    changed.push(to);
                }
                self.consider(to);
            }
        }
    }
}
