//! `GET /v1/events`: one [`Event`] per line of the answer.
//!
//! Query: `dir` (the project's folder; none: everything), `follow`, `after` (a sequence number).

use serde::{Deserialize, Serialize};

/// Something that happened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Event {
    /// Counts all events of the daemon, without gaps.
    pub seq: u64,
    /// RFC 3339 with milliseconds, UTC.
    pub at: String,
    /// The project it concerns; null: the daemon.
    pub project: Option<String>,
    /// The service it concerns.
    pub service: Option<String>,
    /// `starting`, `healthy`, `exited`, `backoff`, `gave-up`, `stopped`, …
    pub event: String,
    /// A sentence for people.
    pub detail: Option<String>,
}
