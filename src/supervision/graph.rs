//! A dependency graph: who needs whom, how much, and how tightly they are bound.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
    sync::Arc,
};

/// The name of a child, unique among its siblings.
pub type Id = Arc<str>;

/// The place of a child in [`Graph::ids`]: dependencies have smaller ones.
pub(crate) type At = usize;

/// What a dependency must have reached before its dependent may start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Needs {
    /// It runs, or has completed.
    Started,
    /// It runs and has reported ready.
    Ready,
    /// It has ended well.
    Completed,
}

/// When the loss of a dependency takes its dependent down with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, PartialOrd)]
pub enum Bond {
    /// Never: the dependent is expected to reconnect.
    Loose,
    /// When the dependency crashes, gives up or is stopped.
    Crash,
    /// Also when the dependency is restarted on purpose.
    Always,
}

/// How a child depends on another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Edge {
    /// When the dependent may start.
    pub needs: Needs,
    /// When it goes down.
    pub bond: Bond,
}

/// Why some nodes and edges are no graph that can be started.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum GraphError {
    /// Nobody in the cycle could ever start.
    #[error("dependency cycle: {}", .0.join(" → "))]
    Cycle(Vec<String>),
    /// An edge from or to nowhere.
    #[error("`{from}` depends on `{to}`, which does not exist")]
    Unknown {
        /// Who depends.
        from: Id,
        /// On whom.
        to: Id,
    },
}

/// Children in an order in which they can be started, and their edges.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    ids: Vec<Id>,
    places: HashMap<Id, At>,
    dependencies: Vec<Vec<(At, Edge)>>,
    dependents: Vec<Vec<(At, Edge)>>,
    one_for_all: bool,
    aside: HashSet<At>,
}

impl Graph {
    /// Orders `nodes` so that dependencies come first, keeping the given order among equals.
    pub fn new(
        nodes: impl IntoIterator<Item = Id>,
        edges: impl IntoIterator<Item = (Id, Id, Edge)>,
    ) -> Result<Self, GraphError> {
        let given: Vec<Id> = nodes.into_iter().collect();
        let places = places(&given);
        let mut dependencies = vec![Vec::new(); given.len()];
        let mut dependents = vec![Vec::new(); given.len()];
        for (from, to, edge) in edges {
            let (Some(&f), Some(&t)) = (places.get(&from), places.get(&to)) else {
                return Err(GraphError::Unknown { from, to });
            };
            dependencies[f].push((t, edge));
            dependents[t].push((f, edge));
        }
        let order = sort(&given, &dependencies, &dependents)?;
        Ok(Self::in_order(&given, &order, &dependencies, &dependents))
    }

    /// Every child depends on the one before it: OTP's `rest_for_one`.
    pub fn chain(nodes: impl IntoIterator<Item = Id>) -> Self {
        let nodes: Vec<Id> = nodes.into_iter().collect();
        let edge = Edge { needs: Needs::Started, bond: Bond::Crash };
        let edges: Vec<_> =
            nodes.windows(2).map(|pair| (pair[1].clone(), pair[0].clone(), edge)).collect();
        Self::new(nodes, edges).expect("a chain has no cycle")
    }

    /// No child depends on another: OTP's `one_for_one`.
    pub fn loose(nodes: impl IntoIterator<Item = Id>) -> Self {
        Self::new(nodes, []).expect("no edges, no cycle")
    }

    /// The crash of any child takes all others down too: OTP's `one_for_all`.
    #[must_use]
    pub fn one_for_all(mut self, yes: bool) -> Self {
        self.one_for_all = yes;
        self
    }

    /// This child shares nobody's fate under `one_for_all`, and nobody its.
    #[must_use]
    pub fn aside(mut self, id: &Id) -> Self {
        self.aside.extend(self.places.get(id));
        self
    }

    /// All children, dependencies first.
    pub fn ids(&self) -> &[Id] {
        &self.ids
    }

    /// Whether there is such a child.
    pub fn contains(&self, id: &Id) -> bool {
        self.places.contains_key(id)
    }

    /// Whom `of` depends on.
    pub fn dependencies(&self, of: &Id) -> impl Iterator<Item = (&Id, Edge)> {
        let edges = self.places.get(of).map_or(&[][..], |&at| &self.dependencies[at]);
        edges.iter().map(|&(to, edge)| (&self.ids[to], edge))
    }

    pub(crate) fn is_one_for_all(&self) -> bool {
        self.one_for_all
    }

    pub(crate) fn is_aside(&self, at: At) -> bool {
        self.aside.contains(&at)
    }

    pub(crate) fn place(&self, id: &Id) -> Option<At> {
        self.places.get(id).copied()
    }

    pub(crate) fn needs_of(&self, at: At) -> &[(At, Edge)] {
        &self.dependencies[at]
    }

    pub(crate) fn followers_of(&self, at: At) -> &[(At, Edge)] {
        &self.dependents[at]
    }

    fn in_order(
        given: &[Id],
        order: &[At],
        dependencies: &[Vec<(At, Edge)>],
        dependents: &[Vec<(At, Edge)>],
    ) -> Self {
        let mut new_place = vec![0; given.len()];
        for (place, &old) in order.iter().enumerate() {
            new_place[old] = place;
        }
        let moved = |lists: &[Vec<(At, Edge)>]| -> Vec<Vec<(At, Edge)>> {
            let moved = |&(to, edge): &(At, Edge)| (new_place[to], edge);
            order.iter().map(|&old| lists[old].iter().map(moved).collect()).collect()
        };
        let ids: Vec<Id> = order.iter().map(|&old| given[old].clone()).collect();
        Self {
            places: places(&ids),
            dependencies: moved(dependencies),
            dependents: moved(dependents),
            ids,
            one_for_all: false,
            aside: HashSet::new(),
        }
    }
}

fn places(ids: &[Id]) -> HashMap<Id, At> {
    ids.iter().enumerate().map(|(at, id)| (id.clone(), at)).collect()
}

/// Kahn's algorithm; the heap keeps the given order among those that are free.
fn sort(
    ids: &[Id],
    dependencies: &[Vec<(At, Edge)>],
    dependents: &[Vec<(At, Edge)>],
) -> Result<Vec<At>, GraphError> {
    let mut missing: Vec<usize> = dependencies.iter().map(Vec::len).collect();
    let mut free: BinaryHeap<Reverse<At>> =
        (0..ids.len()).filter(|&at| missing[at] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(ids.len());
    while let Some(Reverse(at)) = free.pop() {
        order.push(at);
        for &(from, _) in &dependents[at] {
            missing[from] -= 1;
            if missing[from] == 0 {
                free.push(Reverse(from));
            }
        }
    }
    match missing.iter().position(|&left| left > 0) {
        None => Ok(order),
        Some(start) => Err(GraphError::Cycle(cycle_from(start, ids, dependencies, &missing))),
    }
}

fn cycle_from(
    start: At,
    ids: &[Id],
    dependencies: &[Vec<(At, Edge)>],
    missing: &[usize],
) -> Vec<String> {
    let mut path = vec![start];
    loop {
        let last = path[path.len() - 1];
        let next = dependencies[last]
            .iter()
            .map(|&(to, _)| to)
            .find(|&to| missing[to] > 0)
            .expect("a node that was never free has a dependency that was never free");
        if let Some(at) = path.iter().position(|&seen| seen == next) {
            return path[at..].iter().chain([&next]).map(|&at| ids[at].to_string()).collect();
        }
        path.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> Id {
        name.into()
    }

    const EDGE: Edge = Edge { needs: Needs::Ready, bond: Bond::Crash };

    #[test]
    fn a_cycle_is_named() {
        let edges = [("a", "b"), ("b", "c"), ("c", "a")].map(|(f, t)| (id(f), id(t), EDGE));
        let error = Graph::new(["a", "b", "c"].map(id), edges).unwrap_err();
        assert_eq!(error.to_string(), "dependency cycle: a → b → c → a");
        // What a member needs besides is no part of it.
        let edges = [("a", "c"), ("a", "b"), ("b", "a")].map(|(f, t)| (id(f), id(t), EDGE));
        let error = Graph::new(["a", "b", "c"].map(id), edges).unwrap_err();
        assert_eq!(error.to_string(), "dependency cycle: a → b → a");
    }

    #[test]
    fn dependencies_come_first_and_equals_keep_their_order() {
        let edges =
            [("api", "db"), ("web", "api"), ("job", "db")].map(|(f, t)| (id(f), id(t), EDGE));
        let graph = Graph::new(["web", "api", "db", "job"].map(id), edges).unwrap();
        assert_eq!(graph.ids(), ["db", "api", "web", "job"].map(id));
        let needed: Vec<_> = graph.dependencies(&id("web")).map(|(to, _)| to.clone()).collect();
        assert_eq!(needed, [id("api")]);
    }

    #[test]
    fn an_edge_to_nowhere_is_refused() {
        let error = Graph::new([id("a")], [(id("a"), id("b"), EDGE)]).unwrap_err();
        assert_eq!(error.to_string(), "`a` depends on `b`, which does not exist");
    }
}
