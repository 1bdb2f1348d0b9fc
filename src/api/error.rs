//! The body of every answer that is not a success.

use std::{ops::Range, path::PathBuf};

use serde::{Deserialize, Serialize};

/// `{"error": {…}}`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: Problem,
}

/// What went wrong, and what to do about it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Problem {
    /// For programs.
    pub code: Code,
    /// For people: what and why.
    pub message: String,
    /// For people: what to do.
    pub help: Option<String>,
    /// The place in a configuration that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A place in a file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub column: usize,
    /// The bytes that are meant.
    pub bytes: Range<usize>,
}

/// The kinds of problem; the client turns them into exit codes (SPEC §3).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The operation was tried and failed: exit code 1.
    Failed,
    /// The request makes no sense, or names a service that does not exist: exit code 2.
    BadRequest,
    /// No running project in that folder: exit code 1.
    NoProject,
    /// The configuration has errors: exit code 4.
    InvalidConfig,
    /// The daemon is on its way out: exit code 3.
    ShuttingDown,
    /// An actor did not answer in time: exit code 5.
    Timeout,
}
