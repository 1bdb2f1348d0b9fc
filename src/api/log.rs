//! `GET /v1/logs`: one [`Line`] per line of the answer.
//!
//! Query: `dir` (the project's folder), `service` (repeatable; none: all), `follow`, `lines` (the last
//! n of each service), `since` (RFC 3339), `grep` (a regular expression).

use serde::{Deserialize, Serialize};

/// A line that a service wrote, or that locald wrote about it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Line {
    /// RFC 3339 with milliseconds, UTC.
    pub at: String,
    /// The project's name.
    pub project: String,
    /// The service's name.
    pub service: String,
    /// Where it was written.
    pub stream: Stream,
    /// Without its line end; bytes that are not UTF-8 are replaced.
    pub line: String,
}

/// A terminal has one stream, pipes have two.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output, or the terminal.
    Out,
    /// Standard error.
    Err,
}
