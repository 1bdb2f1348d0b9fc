//! The live tree, as its members publish it: read without sending a message, so no actor can delay it.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use ractor::{ActorCell, ActorStatus};

use tokio::{sync::watch, time::Instant};

use super::{
    budget::{Budget, Limit},
    engine::Phase,
    graph::Id,
};

/// What an actor tells about what it is busy with, computed when somebody looks.
pub type Detail = Box<dyn Fn() -> Option<String> + Send + Sync>;

/// A supervisor's board: the plates of its children.
pub struct SupervisorPlate {
    strategy: ArcSwap<&'static str>,
    children: ArcSwap<Vec<Arc<ChildPlate>>>,
    bell: watch::Sender<u64>,
}

/// A child's line, owned by its child specification: it outlives the child's lives.
pub struct ChildPlate {
    name: Id,
    standing: ArcSwapOption<Standing>,
    detail: ArcSwapOption<Detail>,
    state: ArcSwapOption<Detail>,
    below: ArcSwapOption<SupervisorPlate>,
}

/// Where a child is, as its supervisor sees it.
pub struct Standing {
    /// Its phase.
    pub phase: Phase,
    /// Its actor, while it has one.
    pub cell: Option<ActorCell>,
    /// Its failures, and what it is allowed.
    pub budget: Budget,
    /// When the supervisor's time began.
    pub epoch: Instant,
}

impl SupervisorPlate {
    /// A board without plates.
    pub fn new(strategy: &'static str) -> Arc<Self> {
        Arc::new(Self {
            strategy: ArcSwap::from_pointee(strategy),
            children: ArcSwap::default(),
            bell: watch::Sender::new(0),
        })
    }

    /// OTP's name of how it restarts its children.
    pub fn strategy(&self) -> &'static str {
        **self.strategy.load()
    }

    /// It restarts its children otherwise from now on.
    pub fn restarts_by(&self, strategy: &'static str) {
        self.strategy.store(Arc::new(strategy));
    }

    /// Its children, in the order in which they start.
    pub fn children(&self) -> Arc<Vec<Arc<ChildPlate>>> {
        self.children.load_full()
    }

    /// Wakes its holder when a child has come, gone, or changed its phase.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    pub(super) fn ring(&self) {
        self.bell.send_modify(|count| *count += 1);
    }

    pub(super) fn hang(&self, plates: Vec<Arc<ChildPlate>>) {
        self.children.store(Arc::new(plates));
    }
}

impl ChildPlate {
    /// A line that says nothing yet.
    pub fn new(name: impl Into<Id>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            standing: ArcSwapOption::empty(),
            detail: ArcSwapOption::empty(),
            state: ArcSwapOption::empty(),
            below: ArcSwapOption::empty(),
        })
    }

    /// What the tree calls it.
    pub fn name(&self) -> &Id {
        &self.name
    }

    /// Where it is; none before its first life.
    pub fn standing(&self) -> Option<Arc<Standing>> {
        self.standing.load_full()
    }

    /// What it is busy with.
    pub fn detail(&self) -> Option<String> {
        self.detail.load().as_ref().and_then(|detail| detail())
    }

    /// Its state in its own words, if it has any.
    pub fn state(&self) -> Option<String> {
        self.state.load().as_ref().and_then(|state| state())
    }

    /// Its own board, if it supervises.
    pub fn below(&self) -> Option<Arc<SupervisorPlate>> {
        self.below.load_full()
    }

    /// Says what it is busy with, for good.
    pub fn describe(&self, detail: impl Fn() -> Option<String> + Send + Sync + 'static) {
        self.detail.store(Some(Arc::new(Box::new(detail))));
    }

    /// Has a word of its own for its state.
    pub fn says(&self, state: impl Fn() -> Option<String> + Send + Sync + 'static) {
        self.state.store(Some(Arc::new(Box::new(state))));
    }

    /// Puts a supervisor's board below its line.
    pub fn supervises(&self, board: Arc<SupervisorPlate>) {
        self.below.store(Some(board));
    }

    pub(super) fn stand(&self, standing: Standing) {
        self.standing.store(Some(Arc::new(standing)));
    }
}

impl Standing {
    /// Failures within the window that ends now.
    pub fn failures(&self) -> u32 {
        self.budget.used(self.epoch.elapsed())
    }

    /// What it is allowed.
    pub fn limit(&self) -> &Limit {
        self.budget.limit()
    }

    /// One word.
    pub fn word(&self) -> &'static str {
        if self.cell.as_ref().is_some_and(|cell| cell.get_status() == ActorStatus::Stopped) {
            return "dead";
        }
        match self.phase {
            Phase::Pending => "waiting",
            Phase::Up { .. } => "running",
            Phase::Stopping { .. } => "stopping",
            Phase::Backoff => "restarting",
            Phase::Stopped => "stopped",
            Phase::Completed => "completed",
            Phase::GaveUp => "failed",
        }
    }
}
