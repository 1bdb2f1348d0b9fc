//! Requests that change something: `POST /v1/{up,start,stop,restart,down,hold,env,shutdown}`.
//!
//! All but `hold` and `env` answer with a stream of [`Progress`] lines, the last of which is [`Progress::Done`].
//! Closing the connection abandons the watching, never the operation.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{error::Problem, status::Service};

/// The body of `up`, `start`, `stop`, `restart` and `down`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Request {
    /// The project's folder, absolute: the one with `locald.toml` or `Procfile`.
    pub dir: PathBuf,
    /// Which services; none: all (of those with `autostart`, for `up` and `start`).
    #[serde(default)]
    pub services: Vec<String>,
    /// The caller's environment (`up`, `start`, `restart`). Pairs that are not UTF-8 are left out.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Takes the environment and terminal of whoever last started something, for callers without any of
    /// their own.
    #[serde(default)]
    pub as_before: bool,
    /// The caller's terminal (`up`, `start`, `restart`).
    #[serde(default)]
    pub terminal: Option<TerminalSize>,
    /// `restart` only: take all dependents along.
    #[serde(default)]
    pub cascade: bool,
    /// Answer as soon as the request is taken, without waiting for its outcome.
    #[serde(default)]
    pub no_wait: bool,
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TerminalSize {
    /// Characters in a line.
    pub cols: u16,
    /// Lines.
    pub rows: u16,
}

/// A line of the answer to a [`Request`].
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// A service of the request (or one it needs) has changed. The first lines show all as they are.
    Service(Service),
    /// The end of the stream.
    Done(Outcome),
}

/// How an operation ended.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Outcome {
    /// Services that are not where they should be, with their last lines. Empty: success.
    pub failures: Vec<Failure>,
    /// Anything else that went wrong.
    pub problem: Option<Problem>,
    /// Things worth saying that are no failure.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// A service that did not get where it should.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Failure {
    /// The service.
    pub service: String,
    /// Why, in a sentence.
    pub reason: String,
    /// The last lines it wrote.
    pub last_lines: Vec<String>,
}

/// The body of `POST /v1/env`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct EnvRequest {
    /// The project's folder.
    pub dir: PathBuf,
    /// The service.
    pub service: String,
    /// The caller's environment.
    pub env: BTreeMap<String, String>,
    /// Takes up the project, without starting anything, if it is not up.
    #[serde(default)]
    pub load: bool,
    /// Says also what builds the service, by the configuration that is there now.
    #[serde(default)]
    pub build: bool,
}

/// The body of `POST /v1/hold`: the project ends when the connection does.
///
/// The answer is a stream with the line [`Held`], which then stays open.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct HoldRequest {
    /// The project's folder.
    pub dir: PathBuf,
}

/// That a project is held.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Held {
    /// Its name.
    pub project: String,
}

/// The answer of `POST /v1/env`: what a command beside the service needs.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Environment {
    /// All variables, resolved.
    pub env: BTreeMap<String, String>,
    /// Where the service runs.
    pub workdir: PathBuf,
    /// What builds it, if that was asked for and there is something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Vec<String>>,
}
