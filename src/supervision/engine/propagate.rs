//! Whom else it concerns when a node is wanted, lost or restarted.

use super::{At, Engine, Id, Phase, Restart};
use crate::supervision::graph::Bond;

impl Engine {
    /// Wants the nodes asked for, and whatever they need that is not there.
    pub(super) fn want(&mut self, asked: &[At]) {
        for &at in asked {
            let node = &mut self.nodes[at];
            node.wanted = true;
            node.budget.reset();
            match node.phase {
                Phase::Stopped | Phase::GaveUp | Phase::Backoff => self.set(at, Phase::Pending),
                Phase::Completed if !node.policy.oneshot => self.set(at, Phase::Pending),
                _ => {}
            }
        }
        self.want_needed(asked);
    }

    /// Stops what runs of `ids`, with those bonded for ever, and starts all of them afresh.
    pub(super) fn restart(&mut self, ids: &[Id]) {
        let asked = self.places(ids);
        for &at in &asked {
            self.lose(at, Bond::Always);
            self.down(at, true);
            self.nodes[at].budget.reset();
            if asked.len() > 1 {
                self.hold(at);
            }
        }
        self.want_needed(&asked);
    }

    /// Takes `at` down; `again`: to start afresh.
    pub(super) fn down(&mut self, at: At, again: bool) {
        let node = &mut self.nodes[at];
        node.wanted = again;
        match node.phase {
            Phase::Up { .. } => self.set(at, Phase::Stopping { told: false }),
            Phase::Stopping { .. } => {}
            _ => self.set(at, if again { Phase::Pending } else { Phase::Stopped }),
        }
    }

    /// A node that was up is not: under `one_for_all` everybody goes down, else those bonded to it.
    pub(super) fn crashed(&mut self, at: At) {
        if !self.graph.is_one_for_all() {
            return self.lose(at, Bond::Crash);
        }
        self.hold(at);
        for other in 0..self.nodes.len() {
            self.take_down(other);
            if self.nodes[other].phase.is_stopping() {
                self.hold(other);
            }
        }
    }

    /// Takes down every transitive dependent bound at least as tightly as `bond`, to start again later.
    pub(super) fn lose(&mut self, at: At, bond: Bond) {
        let mut lost = vec![at];
        while let Some(at) = lost.pop() {
            for k in 0..self.graph.followers_of(at).len() {
                let (from, edge) = self.graph.followers_of(at)[k];
                if edge.bond >= bond && self.take_down(from) {
                    lost.push(from);
                }
            }
        }
    }

    /// Takes down a node that is not itself to blame. A temporary child does not come back (OTP:
    /// "never restarted, not even when a sibling's death causes it to be terminated"), a task
    /// that was interrupted does.
    fn take_down(&mut self, at: At) -> bool {
        let node = &mut self.nodes[at];
        if !matches!(node.phase, Phase::Up { .. }) {
            return false;
        }
        if node.policy.restart == Restart::Temporary && !node.policy.oneshot {
            node.wanted = false;
        }
        self.set(at, Phase::Stopping { told: false });
        true
    }

    fn want_needed(&mut self, asked: &[At]) {
        let mut seen = vec![false; self.nodes.len()];
        let mut todo = asked.to_vec();
        while let Some(at) = todo.pop() {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            for k in 0..self.graph.needs_of(at).len() {
                let (to, edge) = self.graph.needs_of(at)[k];
                if !self.nodes[to].phase.satisfies(edge.needs) && self.want_as_need(to) {
                    todo.push(to);
                }
            }
        }
    }

    /// Returns whether what `at` needs itself may be missing.
    fn want_as_need(&mut self, at: At) -> bool {
        let node = &mut self.nodes[at];
        match node.phase {
            Phase::Stopped | Phase::GaveUp | Phase::Completed => {
                node.wanted = true;
                node.budget.reset();
                self.set(at, Phase::Pending);
                true
            }
            Phase::Stopping { .. } => {
                node.wanted = true;
                true
            }
            Phase::Pending => true,
            Phase::Backoff | Phase::Up { .. } => false,
        }
    }
}
