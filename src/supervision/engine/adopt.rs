//! Children that were there before the engine was: another one has started them.

use super::{Effect, Engine, Moment, Phase};
use crate::supervision::graph::Id;

/// A child as an earlier engine left it.
#[derive(Clone, Debug)]
pub struct Adopted {
    /// Which.
    pub id: Id,
    /// Where it was; what is alive is given a life, and is up.
    pub phase: Phase,
    /// Whether it is to be up.
    pub wanted: bool,
    /// When it failed, as far as that still counts, oldest first.
    pub failures: Vec<Moment>,
}

impl Engine {
    /// Takes them up where they were. Those that this engine has begun with already stay as they are.
    pub(super) fn adopt(&mut self, children: Vec<Adopted>, effects: &mut Vec<Effect>) {
        for Adopted { id, phase, wanted, failures } in children {
            let Some(at) = self.graph.place(&id) else { continue };
            let node = &mut self.nodes[at];
            if node.life != 0 || node.phase != Phase::Stopped {
                continue;
            }
            node.wanted = wanted;
            node.budget.recall(failures);
            let phase = match phase {
                Phase::Stopping { .. } => Phase::Up { ready: false },
                Phase::Backoff => Phase::Pending,
                Phase::Up { .. }
                | Phase::Pending
                | Phase::Stopped
                | Phase::Completed
                | Phase::GaveUp => phase,
            };
            if phase.is_alive() {
                self.births += 1;
                self.nodes[at].life = self.births;
                effects.push(Effect::Start(id, self.births));
            }
            self.set(at, phase);
        }
    }
}
