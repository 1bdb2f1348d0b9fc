//! `GET /v1/requests`: one [`Request`] per line of the answer.
//!
//! Query: `dir` (the project's folder), `service` (repeatable; none: all), `follow`, `lines` (the last
//! n of each service).

use serde::{Deserialize, Serialize};

/// A request that the proxy has answered.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Request {
    /// When it came: RFC 3339 with milliseconds, UTC.
    pub at: String,
    /// The project's name.
    pub project: String,
    /// The name of the service that it was for.
    pub service: String,
    /// Its method.
    pub method: String,
    /// Its path and query, cut off if very long.
    pub path: String,
    /// The status of the answer; 0 if the client went before there was one.
    pub status: u16,
    /// The size of the answer's body.
    pub bytes: u64,
    /// From its head being read to its answer being sent, in milliseconds.
    pub ms: f64,
}
