//! A new plan: stop under the old graph whom it removes or changes, swap, start under the new.

use std::collections::{BTreeSet, HashMap};

use super::{At, Engine, Node, Phase, Policy, propagate::Loss};
use crate::supervision::{
    budget::Budget,
    graph::{Graph, Id},
};

/// A new plan.
#[derive(Clone, Debug)]
pub struct Shape {
    graph: Graph,
    policies: Vec<Policy>,
    changed: BTreeSet<Id>,
}

impl Shape {
    /// `changed` must be restarted to be as planned; children unheard of begin stopped; all others
    /// keep their lives, under their new policies and edges.
    pub fn new(graph: Graph, policy: impl Fn(&Id) -> Policy, changed: BTreeSet<Id>) -> Self {
        let policies = graph.ids().iter().map(policy).collect();
        Self { graph, policies, changed }
    }
}

impl Engine {
    pub(super) fn reshape(&mut self, shape: Shape) {
        self.shapes.push_back(shape);
        if self.shapes.len() == 1 {
            self.begin_reshape();
        }
    }

    /// Keeps in mind who is wanted of the children that the plan in effect, or the next, does not
    /// have; and who is stopped after that, lest those take it for needed.
    pub(super) fn foresee(&mut self, ids: &[Id], wanted: bool) {
        let Some(next) = self.shapes.front() else { return };
        for id in ids {
            self.foreseen.retain(|(other, _)| other != id);
            let absent = self.graph.place(id).is_none() || next.graph.place(id).is_none();
            if if wanted { absent } else { !self.foreseen.is_empty() } {
                self.foreseen.push((id.clone(), wanted));
            }
        }
    }

    /// Swaps the graph if all that the new one touches is down.
    pub(super) fn finish_reshape(&mut self) -> bool {
        if self.shapes.is_empty() || self.nodes.iter().any(|n| n.touched && n.phase.is_alive()) {
            return false;
        }
        let Some(Shape { graph, policies, changed }) = self.shapes.pop_front() else {
            return false;
        };
        let mut old: HashMap<&Id, Node> =
            self.graph.ids().iter().zip(std::mem::take(&mut self.nodes)).collect();
        self.nodes = graph
            .ids()
            .iter()
            .zip(policies)
            .map(|(id, policy)| match old.remove(id) {
                None => Node::new(policy),
                Some(node) if changed.contains(id) => node.anew(policy),
                Some(node) => node.under(policy),
            })
            .collect();
        self.graph = graph;
        self.plans += 1;
        self.recount();
        self.begin_reshape();
        self.recall();
        true
    }

    /// Takes down whom the first plan in the queue removes or changes.
    fn begin_reshape(&mut self) {
        let Some(Shape { graph, changed, .. }) = self.shapes.front() else { return };
        let stays = |&at: &At| graph.place(&self.graph.ids()[at]).is_some();
        let changes = |at: &At| changed.contains(&self.graph.ids()[*at]);
        let (kept, gone): (Vec<At>, Vec<At>) = (0..self.nodes.len()).partition(stays);
        let kept: Vec<(At, bool)> =
            kept.into_iter().filter(changes).map(|at| (at, self.nodes[at].wanted)).collect();
        self.stop(&gone);
        self.lose(&kept.iter().map(|&(at, _)| at).collect::<Vec<_>>(), Loss::Restart);
        for &(at, wanted) in &kept {
            self.down(at, wanted);
        }
        for at in gone.into_iter().chain(kept.into_iter().map(|(at, _)| at)) {
            self.nodes[at].touched = true;
        }
    }

    /// Has the new plan hear what was said before its time.
    fn recall(&mut self) {
        let mut later = Vec::new();
        let unwanted: BTreeSet<Id> =
            self.foreseen.iter().map(|(id, _)| id).filter(|id| !self.wanted(id)).cloned().collect();
        for (id, wanted) in std::mem::take(&mut self.foreseen) {
            let here = self.graph.place(&id);
            let stays = self.shapes.front().is_none_or(|next| next.graph.place(&id).is_some());
            match here {
                Some(at) if wanted => self.want(&[at]),
                Some(at) if unwanted.contains(&id) => self.stop(&[at]),
                _ => {}
            }
            if !self.shapes.is_empty() && (!wanted || here.is_none() || !stays) {
                later.push((id, wanted));
            }
        }
        self.foreseen = later;
    }
}

impl Node {
    /// The same child, down, under another plan: the edit forgives its failures.
    fn anew(self, policy: Policy) -> Self {
        let phase = if self.wanted { Phase::Pending } else { Phase::Stopped };
        Self { phase, life: self.life, wanted: self.wanted, held: self.held, ..Self::new(policy) }
    }

    /// The same child, undisturbed, under another policy.
    fn under(self, policy: Policy) -> Self {
        if self.policy == policy {
            return self;
        }
        Self { policy, budget: Budget::new(policy.limit), ..self }
    }
}
