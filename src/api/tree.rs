//! `GET /v1/tree`: SPEC §4 and §7.

use serde::{Deserialize, Serialize};

/// One actor of the live tree, and those below it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Node {
    /// `locald`, `infra`, `project:shop`, `service:web`, `process`, …
    pub name: String,
    /// Whether it has children to supervise.
    pub kind: Kind,
    /// How it restarts its children; null for a worker.
    pub strategy: Option<String>,
    /// `running`, or for a service the state of SPEC §4, or the actor's own state.
    pub state: String,
    /// Restarts of this node within the window.
    pub restarts: u32,
    /// How many its supervisor allows within the window.
    pub max_restarts: Option<u32>,
    /// The window, in seconds.
    pub window_s: Option<f64>,
    /// What it is busy with, for people.
    pub detail: Option<String>,
    /// Those it supervises.
    pub children: Vec<Self>,
}

/// Supervisors have children; workers have work.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Starts, watches and restarts others.
    Supervisor,
    /// A leaf.
    Worker,
}
