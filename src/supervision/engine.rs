//! The supervisor's decisions: `step(now, input) -> effects`. No clock, no actor, no I/O.
//!
//! Each step changes the nodes it is about, takes down those bonded to them, then settles
//! (`settle.rs`): whoever must stop and has no dependent left stopping is told to; whoever is wanted
//! and has all it needs is started. Work is linear in the edges of the nodes that change.

mod adopt;
mod propagate;
mod reshape;
mod settle;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

pub use self::{adopt::Adopted, reshape::Shape};
use super::{
    budget::{Budget, Limit, Moment, Verdict},
    graph::{At, Graph, Id, Needs},
};

/// Numbers every life of every child, so that news about an earlier life can be told apart.
pub type Life = u64;

/// OTP's restart types.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Restart {
    /// Restart however it ended.
    Permanent,
    /// Restart unless it ended well.
    Transient,
    /// Never restart.
    Temporary,
}

/// How the supervisor treats one child.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// When to restart it.
    pub restart: Restart,
    /// It runs to its end once; having completed, only [`Input::Restart`] runs it again.
    pub oneshot: bool,
    /// How often it may fail.
    pub limit: Limit,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// As it should.
    Success,
    /// Any other way.
    Failure,
}

/// What the engine is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// Somebody wants these up, and all they need.
    Start(Vec<Id>),
    /// Somebody wants these down.
    Stop(Vec<Id>),
    /// Somebody wants these fresh: all of them go down before any of them starts.
    Restart(Vec<Id>),
    /// A child has what its dependents need.
    Ready(Id, Life),
    /// A child no longer has what a new dependent needs; running ones are left alone.
    Unready(Id, Life),
    /// A child is gone.
    Exited(Id, Life, Exit),
    /// The delay of an [`Effect::Wake`] has passed.
    Elapsed(Id, Life),
    /// The plan has changed.
    Reshape(Shape),
    /// These were there before.
    Adopt(Vec<Adopted>),
}

/// What the engine wants done, in this order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Give this child this life.
    Start(Id, Life),
    /// End that life.
    Stop(Id, Life),
    /// Send [`Input::Elapsed`] after this long.
    Wake(Id, Life, std::time::Duration),
    /// The child has failed too often.
    GaveUp(Id),
}

/// Where a child is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Wanted; waits for what it needs.
    Pending,
    /// Alive.
    Up {
        /// Whether dependents that need it ready may start.
        ready: bool,
    },
    /// Waits for its dependents to be down (`told: false`), then for its own end.
    Stopping {
        /// Whether [`Effect::Stop`] was issued.
        told: bool,
    },
    /// Waits for its delay to pass.
    Backoff,
    /// Not wanted.
    Stopped,
    /// Ended well, and is not to be restarted.
    Completed,
    /// Failed too often, or failed and is never restarted.
    GaveUp,
}

impl Phase {
    /// Whether the child has a life now.
    pub fn is_alive(self) -> bool {
        matches!(self, Self::Up { .. } | Self::Stopping { .. })
    }

    /// Whether a dependent with these needs may start.
    pub fn satisfies(self, needs: Needs) -> bool {
        match needs {
            Needs::Started => matches!(self, Self::Up { .. } | Self::Completed),
            Needs::Ready => self == Self::Up { ready: true },
            Needs::Completed => self == Self::Completed,
        }
    }

    fn is_stopping(self) -> bool {
        matches!(self, Self::Stopping { .. })
    }
}

/// What the engine knows of one child.
#[derive(Clone, Debug)]
struct Node {
    phase: Phase,
    life: Life,
    /// Whether it is to be up: decides what follows the end of `Stopping`.
    wanted: bool,
    policy: Policy,
    budget: Budget,
    /// Dependencies that are not where they must be.
    unmet: usize,
    /// Dependents that are [busy](Node::is_busy).
    busy_followers: usize,
    /// Member of the wave: does not start before the whole wave is down.
    held: bool,
    /// The plan under way removes or changes it: it does not start before the swap.
    touched: bool,
}

/// A supervisor's mind.
#[derive(Clone, Debug)]
pub struct Engine {
    graph: Graph,
    nodes: Vec<Node>,
    births: Life,
    /// May have to be told to stop.
    to_stop: BTreeSet<At>,
    /// May be able to start.
    to_start: BTreeSet<At>,
    /// The members of the wave: they start when all of them are down.
    held: Vec<At>,
    /// Members that are not down yet, or still in backoff.
    wave: usize,
    /// The first is under way: whom it touches is going down under the old graph.
    shapes: VecDeque<Shape>,
    /// Commands that a plan to come has to hear too: who is wanted, or is not.
    foreseen: Vec<(Id, bool)>,
    /// Whose phase has changed since somebody last asked.
    changes: Vec<At>,
    /// How many plans have come into effect.
    plans: u64,
    /// Inner operations, for the proof that a step is linear.
    #[cfg(test)]
    worked: u64,
}

impl Engine {
    /// All children stopped.
    pub fn new(graph: Graph, policy: impl Fn(&Id) -> Policy) -> Self {
        let nodes = graph.ids().iter().map(|id| Node::new(policy(id))).collect();
        let mut engine = Self {
            graph,
            nodes,
            births: 0,
            to_stop: BTreeSet::new(),
            to_start: BTreeSet::new(),
            held: Vec::new(),
            wave: 0,
            shapes: VecDeque::new(),
            foreseen: Vec::new(),
            changes: Vec::new(),
            plans: 0,
            #[cfg(test)]
            worked: 0,
        };
        engine.recount();
        engine
    }

    /// The plan in effect.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Where `id` is; `Stopped` for a stranger.
    pub fn phase(&self, id: &Id) -> Phase {
        self.graph.place(id).map_or(Phase::Stopped, |at| self.nodes[at].phase)
    }

    /// The latest life of `id`; 0 before its first.
    pub fn life(&self, id: &Id) -> Life {
        self.graph.place(id).map_or(0, |at| self.nodes[at].life)
    }

    /// Whether somebody wants `id` up.
    pub fn wanted(&self, id: &Id) -> bool {
        self.graph.place(id).is_some_and(|at| self.nodes[at].wanted)
    }

    /// The failures of `id` that still count.
    pub fn budget(&self, id: &Id) -> Option<&Budget> {
        self.graph.place(id).map(|at| &self.nodes[at].budget)
    }

    /// The dependencies of `id` that are not where they must be.
    pub fn unmet<'a>(&'a self, id: &Id) -> impl Iterator<Item = (&'a Id, Needs)> {
        self.graph
            .dependencies(id)
            .filter(|(to, edge)| !self.phase(to).satisfies(edge.needs))
            .map(|(to, edge)| (to, edge.needs))
    }

    /// Whether a new plan is still to be put into effect.
    pub fn is_reshaping(&self) -> bool {
        !self.shapes.is_empty()
    }

    /// How many new plans have come into effect.
    pub fn plans(&self) -> u64 {
        self.plans
    }

    /// How many new plans are still to be put into effect.
    pub fn pending_shapes(&self) -> usize {
        self.shapes.len()
    }

    /// Whose phase has changed since the last call, dependencies first.
    pub fn take_changes(&mut self) -> Vec<Id> {
        let changes: BTreeSet<At> = std::mem::take(&mut self.changes).into_iter().collect();
        changes.into_iter().map(|at| self.graph.ids()[at].clone()).collect()
    }

    /// Takes in news and says what is to be done about it.
    pub fn step(&mut self, now: Moment, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Start(ids) => {
                self.foresee(&ids, true);
                self.want(&self.places(&ids));
            }
            Input::Stop(ids) => {
                self.foresee(&ids, false);
                self.stop(&self.places(&ids));
            }
            Input::Restart(ids) => {
                self.foresee(&ids, true);
                self.restart(&self.places(&ids));
            }
            Input::Ready(id, life) => self.set_ready(&id, life, true),
            Input::Unready(id, life) => self.set_ready(&id, life, false),
            Input::Exited(id, life, exit) => {
                if let Some(at) = self.current(&id, life) {
                    self.exited(now, at, exit, &mut effects);
                }
            }
            Input::Elapsed(id, life) => {
                if let Some(at) = self.current(&id, life)
                    && self.nodes[at].phase == Phase::Backoff
                {
                    self.set(at, Phase::Pending);
                }
            }
            Input::Reshape(shape) => self.reshape(shape),
            Input::Adopt(children) => self.adopt(children, &mut effects),
        }
        self.settle(&mut effects);
        effects
    }

    fn set_ready(&mut self, id: &Id, life: Life, ready: bool) {
        if let Some(at) = self.current(id, life)
            && matches!(self.nodes[at].phase, Phase::Up { .. })
        {
            self.set(at, Phase::Up { ready });
        }
    }

    fn exited(&mut self, now: Moment, at: At, exit: Exit, effects: &mut Vec<Effect>) {
        let node = &mut self.nodes[at];
        match node.phase {
            Phase::Stopping { .. } if node.wanted => return self.set(at, Phase::Pending),
            Phase::Stopping { .. } => return self.set(at, Phase::Stopped),
            Phase::Up { .. } => {}
            _ => return,
        }
        let again = match node.policy.restart {
            Restart::Permanent => true,
            Restart::Transient => exit == Exit::Failure,
            Restart::Temporary => false,
        };
        if !again && exit == Exit::Success {
            return self.set(at, Phase::Completed);
        }
        let verdict = if again { node.budget.spend(now) } else { Verdict::GiveUp };
        let (id, life) = (self.graph.ids()[at].clone(), node.life);
        match verdict {
            Verdict::RestartAfter(delay) => {
                effects.push(Effect::Wake(id, life, delay));
                self.set(at, Phase::Backoff);
            }
            Verdict::GiveUp => {
                effects.push(Effect::GaveUp(id));
                self.set(at, Phase::GaveUp);
            }
        }
        self.crashed(at);
    }

    fn current(&self, id: &Id, life: Life) -> Option<At> {
        self.graph.place(id).filter(|&at| self.nodes[at].life == life)
    }

    /// The nodes with these names; strangers are left out.
    fn places(&self, ids: &[Id]) -> Vec<At> {
        ids.iter().filter_map(|id| self.graph.place(id)).collect()
    }

    #[cfg(test)]
    fn work(&mut self) {
        self.worked += 1;
    }
}

impl Node {
    fn new(policy: Policy) -> Self {
        Self {
            phase: Phase::Stopped,
            life: 0,
            wanted: false,
            policy,
            budget: Budget::new(policy.limit),
            unmet: 0,
            busy_followers: 0,
            held: false,
            touched: false,
        }
    }

    /// Whether what it depends on has to wait with its own stop: it is stopping itself, or it is
    /// down and stands between that and one that is.
    fn is_busy(&self) -> bool {
        match self.phase {
            Phase::Up { .. } => false,
            Phase::Stopping { .. } => true,
            _ => self.busy_followers > 0,
        }
    }

    /// Whether the wave has to wait for it.
    fn is_open(&self) -> bool {
        self.held && (self.phase.is_stopping() || self.phase == Phase::Backoff)
    }
}
