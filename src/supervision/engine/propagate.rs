//! Whom else it concerns when a node is wanted, lost or restarted.

use std::collections::HashSet;

use super::{At, Engine, Phase, Restart};
use crate::supervision::graph::Bond;

/// Why a node that its dependents may run on is going.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Loss {
    /// It failed.
    Death,
    /// It is not wanted any more.
    Stop,
    /// It will be back in a moment.
    Restart,
}

impl Loss {
    fn passes(self, bond: Bond) -> bool {
        bond >= if self == Self::Restart { Bond::Always } else { Bond::Crash }
    }
}

impl Engine {
    /// Wants the nodes asked for, and whatever they need that is not there.
    pub(super) fn want(&mut self, asked: &[At]) {
        let mut anew = Vec::new();
        for &at in asked {
            let node = &mut self.nodes[at];
            node.wanted = true;
            node.budget.reset();
            match node.phase {
                Phase::Stopped | Phase::GaveUp | Phase::Backoff => self.set(at, Phase::Pending),
                Phase::Completed if !node.policy.oneshot => {
                    anew.push(at);
                    self.set(at, Phase::Pending);
                }
                _ => {}
            }
        }
        self.lose(&anew, Loss::Restart);
        self.want_needed(asked);
    }

    /// Takes down the nodes asked for, and those bonded to them.
    pub(super) fn stop(&mut self, asked: &[At]) {
        self.lose(asked, Loss::Stop);
        for &at in asked {
            self.down(at, false);
        }
    }

    /// Stops what runs of `asked`, with those bonded for ever, and starts all of them afresh.
    pub(super) fn restart(&mut self, asked: &[At]) {
        self.lose(asked, Loss::Restart);
        for &at in asked {
            self.down(at, true);
            self.nodes[at].budget.reset();
            if asked.len() > 1 {
                self.hold(at);
            }
        }
        self.want_needed(asked);
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
        if !self.graph.is_one_for_all() || self.graph.is_aside(at) {
            return self.lose(&[at], Loss::Death);
        }
        for other in 0..self.nodes.len() {
            if self.graph.is_aside(other) {
                continue;
            }
            self.take_down(other, Loss::Death);
            let phase = self.nodes[other].phase;
            let waits = phase.is_stopping() || matches!(phase, Phase::Pending | Phase::Backoff);
            if waits || other == at {
                self.hold(other);
            }
        }
    }

    /// Takes down every transitive dependent that the loss of `gone` reaches, to start again later.
    pub(super) fn lose(&mut self, gone: &[At], loss: Loss) {
        let mut todo = gone.to_vec();
        let mut seen: HashSet<At> = gone.iter().copied().collect();
        while let Some(at) = todo.pop() {
            for k in 0..self.graph.followers_of(at).len() {
                #[cfg(test)]
                self.work();
                let (from, edge) = self.graph.followers_of(at)[k];
                if loss.passes(edge.bond) && seen.insert(from) && self.depends_on_it(from, loss) {
                    todo.push(from);
                }
            }
        }
    }

    /// Returns whether the loss goes on from here. One that is down for a planned restart has
    /// dependents that have stayed up for its return, which is now off.
    fn depends_on_it(&mut self, at: At, loss: Loss) -> bool {
        self.take_down(at, loss)
            || matches!(self.nodes[at].phase, Phase::Stopping { .. } | Phase::Pending)
    }

    /// Takes down a node that is not itself to blame. A temporary child does not come back (OTP:
    /// "never restarted, not even when a sibling's death causes it to be terminated"), a task
    /// that was interrupted does.
    fn take_down(&mut self, at: At, loss: Loss) -> bool {
        let node = &mut self.nodes[at];
        if !matches!(node.phase, Phase::Up { .. }) {
            return false;
        }
        let temporary = node.policy.restart == Restart::Temporary && !node.policy.oneshot;
        if temporary && loss == Loss::Death {
            node.wanted = false;
        }
        self.set(at, Phase::Stopping { told: false });
        true
    }

    /// Wants what is missing below `asked`. One that had completed starts anew: a restart for those
    /// that have been running on its completion.
    fn want_needed(&mut self, asked: &[At]) {
        let mut seen = HashSet::new();
        let mut anew = Vec::new();
        let mut todo = asked.to_vec();
        while let Some(at) = todo.pop() {
            if !seen.insert(at) {
                continue;
            }
            for k in 0..self.graph.needs_of(at).len() {
                #[cfg(test)]
                self.work();
                let (to, edge) = self.graph.needs_of(at)[k];
                let was = self.nodes[to].phase;
                if !was.satisfies(edge.needs) && self.want_as_need(to) {
                    todo.push(to);
                    if was == Phase::Completed {
                        anew.push(to);
                    }
                }
            }
        }
        self.lose(&anew, Loss::Restart);
    }

    /// Wants a node that does not give what is needed of it. Returns whether it may itself miss
    /// something.
    fn want_as_need(&mut self, at: At) -> bool {
        let node = &mut self.nodes[at];
        match node.phase {
            Phase::Completed if node.policy.oneshot => return false,
            Phase::Stopped | Phase::GaveUp | Phase::Completed => {
                node.wanted = true;
                node.budget.reset();
                self.set(at, Phase::Pending);
            }
            Phase::Stopping { .. } => node.wanted = true,
            Phase::Pending | Phase::Backoff | Phase::Up { .. } => {}
        }
        true
    }
}
