//! `GET /v1/why?dir=…&service=…`: why a service is in its state.

use serde::{Deserialize, Serialize};

use super::status::{Exit, ServiceState};

/// The answer of `locald why SERVICE --json`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Why {
    /// The service asked about.
    pub service: String,
    /// Its state.
    pub state: ServiceState,
    /// One line.
    pub reason: Option<String>,
    /// What keeps it from starting.
    pub waiting_for: Vec<Blocker>,
    /// Automatic restarts since the last start or restart by a person.
    pub restarts: u32,
    /// Its last exits, the newest last.
    pub exits: Vec<PastExit>,
    /// The restarts within the window, and what is allowed.
    pub intensity: Intensity,
    /// Seconds until its next start, while in backoff.
    pub next_start_s: Option<f64>,
    /// Who or what last started, stopped or restarted it, in a sentence.
    pub last_cause: Option<String>,
    /// Whether somebody wants it up.
    pub wanted: bool,
    /// The last lines it wrote.
    pub last_lines: Vec<String>,
}

/// A dependency that is not where it must be.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Blocker {
    /// Its name.
    pub service: String,
    /// `started`, `healthy` or `completed`.
    pub condition: String,
    /// Where it is instead.
    pub state: ServiceState,
}

/// An exit and what it led to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PastExit {
    /// How and when.
    #[serde(rename = "exit")]
    pub how: Exit,
    /// The sentence that `why` prints for it.
    pub cause: String,
}

/// Restart intensity: SPEC §6 (3).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Intensity {
    /// Failures within the window.
    pub used: u32,
    /// More than this many gives up.
    pub max_restarts: u32,
    /// The window, in seconds.
    pub window_s: f64,
}
