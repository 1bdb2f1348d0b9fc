//! The engine's promises: tables row by row, and a random world in which all of them hold always.

mod adopted;
mod bonds;
mod linear;
mod otp;
mod plans;
mod promises;
mod restarts;
mod script;
mod world;

use std::time::Duration;

use super::{Engine, Phase};
use crate::supervision::{
    budget::Limit,
    graph::{Edge, Id},
};

const LIMIT: Limit = Limit {
    restarts: 3,
    within: Duration::from_mins(1),
    initial: Duration::from_millis(100),
    factor: 2.0,
    max: Duration::from_secs(5),
};

fn id(name: impl std::fmt::Display) -> Id {
    name.to_string().into()
}

impl Engine {
    /// Compares everything that is counted along the way with a count from scratch.
    fn check_counters(&self) {
        for at in 0..self.nodes.len() {
            let node = &self.nodes[at];
            let unmet = |&&(to, edge): &&(usize, Edge)| !self.nodes[to].phase.satisfies(edge.needs);
            let busy = |&&(from, _): &&(usize, Edge)| self.nodes[from].is_busy();
            let name = &self.graph.ids()[at];
            assert_eq!(
                node.unmet,
                self.graph.needs_of(at).iter().filter(unmet).count(),
                "what {name} still needs"
            );
            assert_eq!(
                node.busy_followers,
                self.graph.followers_of(at).iter().filter(busy).count(),
                "the busy dependents of {name}"
            );
            assert_eq!(node.held, self.held.contains(&at), "the membership of {name}");
            let free = node.unmet == 0 && !node.held && !node.touched && !self.is_outlived(at);
            assert!(node.phase != Phase::Pending || !free, "{name} could start");
            let clear = node.busy_followers == 0;
            let told = node.phase != (Phase::Stopping { told: false });
            assert!(told || !clear, "{name} could be told to stop");
        }
        assert_eq!(self.wave, self.nodes.iter().filter(|node| node.is_open()).count(), "the wave");
        assert!(self.to_start.is_empty() && self.to_stop.is_empty(), "work is left");
        assert!(self.wave > 0 || self.held.is_empty(), "the wave is down, its members wait");
    }
}
