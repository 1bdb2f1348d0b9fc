//! Orders and cycles of a dependency graph whose nodes are numbers.

use std::collections::{HashMap, VecDeque};

use petgraph::{
    algo::kosaraju_scc,
    graph::{DiGraph, NodeIndex},
    visit::{DfsPostOrder, EdgeRef},
};

/// Who needs whom: an edge leads from a dependent to what it needs.
pub struct Dependencies {
    graph: DiGraph<(), ()>,
}

impl Dependencies {
    /// The graph of `count` nodes, the edges given node by node.
    pub fn new(count: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut graph = DiGraph::with_capacity(count, 0);
        for _ in 0..count {
            graph.add_node(());
        }
        for (from, to) in edges {
            graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
        }
        Self { graph }
    }

    /// Every node behind all it needs; else in the order of numbers and of its edges.
    pub fn order(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.graph.node_count());
        let mut walk = DfsPostOrder::empty(&self.graph);
        for node in self.graph.node_indices() {
            walk.move_to(node);
            while let Some(node) = walk.next(&self.graph) {
                order.push(node.index());
            }
        }
        order
    }

    /// A shortest cycle through the lowest node of each knot, each starting with that node; loops
    /// from a node to itself do not count.
    pub fn cycles(&self) -> Vec<Vec<usize>> {
        // Not tarjan_scc, which recurses as deep as the graph.
        let mut knots: Vec<Vec<NodeIndex>> = kosaraju_scc(&self.graph);
        knots.retain(|knot| knot.len() > 1);
        let mut component = HashMap::new();
        for (number, knot) in knots.iter().enumerate() {
            component.extend(knot.iter().map(|&node| (node, number)));
        }
        let mut cycles: Vec<Vec<usize>> = knots
            .iter()
            .filter_map(|knot| knot.iter().min())
            .map(|&start| self.cycle_through(start, &component))
            .collect();
        cycles.sort();
        cycles
    }

    fn cycle_through(&self, start: NodeIndex, component: &HashMap<NodeIndex, usize>) -> Vec<usize> {
        let mut reached_from: HashMap<NodeIndex, NodeIndex> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for edge in self.graph.edges(node) {
                let target = edge.target();
                if target == start && node != start {
                    return trace(start, node, &reached_from);
                }
                if target != start
                    && component.get(&target) == component.get(&start)
                    && !reached_from.contains_key(&target)
                {
                    reached_from.insert(target, node);
                    queue.push_back(target);
                }
            }
        }
        vec![start.index()]
    }
}

fn trace(
    start: NodeIndex,
    last: NodeIndex,
    reached_from: &HashMap<NodeIndex, NodeIndex>,
) -> Vec<usize> {
    let mut path = vec![last.index()];
    let mut node = last;
    while let Some(&previous) = reached_from.get(&node) {
        path.push(previous.index());
        node = previous;
    }
    debug_assert_eq!(path.last(), Some(&start.index()));
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_knot_has_one_named_cycle() {
        let edges = [(0, 1), (1, 2), (2, 0), (1, 0), (3, 4), (4, 3), (5, 5)];
        assert_eq!(Dependencies::new(6, edges).cycles(), [vec![0, 1], vec![3, 4]]);
    }

    #[test]
    fn a_chain_as_deep_as_a_file_allows_needs_no_stack() {
        let depth = 50_000;
        let order = Dependencies::new(depth, (1..depth).map(|n| (n - 1, n)));
        assert_eq!(order.order()[0], depth - 1);
        assert!(order.cycles().is_empty());
        let ring = Dependencies::new(depth, (0..depth).map(|n| (n, (n + 1) % depth)));
        assert_eq!(ring.cycles()[0].len(), depth);
    }

    proptest! {
        #[test]
        fn dependencies_come_first(edges in prop::collection::vec((0_usize..20, 0_usize..20), 0..60)) {
            let edges: Vec<_> = edges.into_iter().filter(|(from, to)| from > to).collect();
            let graph = Dependencies::new(20, edges.clone());
            let order = graph.order();
            let place = |n| order.iter().position(|&o| o == n).unwrap();
            prop_assert_eq!(order.len(), 20);
            for (from, to) in edges {
                prop_assert!(place(to) < place(from));
            }
            prop_assert!(graph.cycles().is_empty());
        }

        #[test]
        fn what_is_called_a_cycle_is_one(edges in prop::collection::vec((0_usize..12, 0_usize..12), 0..40)) {
            for cycle in Dependencies::new(12, edges.clone()).cycles() {
                prop_assert!(cycle.len() > 1);
                for (n, &from) in cycle.iter().enumerate() {
                    let to = cycle[(n + 1) % cycle.len()];
                    prop_assert!(edges.contains(&(from, to)));
                }
            }
        }
    }
}
