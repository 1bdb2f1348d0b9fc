//! A new plan: stop under the old graph whom it removes or changes, swap, start under the new.

use std::collections::{BTreeSet, HashMap};

use super::{Engine, Node, Phase, Policy};
use crate::supervision::{
    budget::Budget,
    graph::{Bond, Graph, Id},
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
        true
    }

    /// Takes down whom the first plan in the queue removes or changes.
    fn begin_reshape(&mut self) {
        let Some(Shape { graph, changed, .. }) = self.shapes.front() else { return };
        let touched: Vec<_> = (0..self.nodes.len())
            .map(|at| (at, &self.graph.ids()[at]))
            .map(|(at, id)| (at, graph.place(id).is_some(), changed.contains(id)))
            .filter(|(_, stays, changes)| !stays || *changes)
            .collect();
        for (at, stays, _) in touched {
            self.lose(at, if stays { Bond::Always } else { Bond::Crash });
            let again = stays && self.nodes[at].wanted;
            self.down(at, again);
            self.nodes[at].touched = true;
        }
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
