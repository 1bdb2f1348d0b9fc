//! What the tools are given; the comments are what an agent reads.

use std::time::Duration;

use rmcp::model::JsonObject;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{cli::error::Error, core::time::parse_duration};

/// At most so many items are asked for.
pub(super) const MOST: usize = 1000;

/// Nothing.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// How far to look.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Scope {
    /// Shows every project, not only that of the working folder.
    #[serde(default)]
    pub(super) all: bool,
}

/// One service.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    /// The name of the service.
    pub(super) service: String,
}

/// Some services.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Services {
    /// The names of the services; none: all.
    #[serde(default)]
    pub(super) services: Vec<String>,
}

/// Which lines.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Logs {
    /// The names of the services; none: all.
    #[serde(default)]
    pub(super) services: Vec<String>,
    /// The last so many lines of each service.
    #[serde(default = "some")]
    #[schemars(range(min = 1, max = 1000))]
    pub(super) lines: usize,
    /// Only lines since then: a duration like `5m`, or a time like `2026-01-31T12:00:00Z`.
    #[serde(default)]
    pub(super) since: Option<String>,
    /// Only lines that match this regular expression.
    #[serde(default)]
    pub(super) grep: Option<String>,
}

/// Which requests.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Requests {
    /// The names of the services; none: all.
    #[serde(default)]
    pub(super) services: Vec<String>,
    /// The last so many requests of each service.
    #[serde(default = "some")]
    #[schemars(range(min = 1, max = 1000))]
    pub(super) lines: usize,
}

/// Which events.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Events {
    /// Shows the events of every project and of the daemon, not only those of the project of the working folder.
    #[serde(default)]
    pub(super) all: bool,
    /// Only events after the one with this `seq`.
    #[serde(default)]
    pub(super) after: Option<u64>,
    /// The last so many events.
    #[serde(default = "some")]
    #[schemars(range(min = 1, max = 1000))]
    pub(super) lines: usize,
}

/// What to start.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    /// The names of the services; none: all.
    #[serde(default)]
    pub(super) services: Vec<String>,
    /// Gives up waiting after this time, like `2m`; the services are left as they are.
    #[serde(default = "patience")]
    pub(super) timeout: String,
    /// Returns as soon as it has begun; `wait` waits for the rest.
    #[serde(default)]
    pub(super) no_wait: bool,
}

/// What to restart.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Restart {
    /// The names of the services; none: all.
    #[serde(default)]
    pub(super) services: Vec<String>,
    /// Restarts everything that depends on them as well.
    #[serde(default)]
    pub(super) cascade: bool,
    /// Gives up waiting after this time, like `2m`; the services are left as they are.
    #[serde(default = "patience")]
    pub(super) timeout: String,
    /// Returns as soon as it has begun; `wait` waits for the rest.
    #[serde(default)]
    pub(super) no_wait: bool,
}

/// What to wait for.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    /// The names of the services; none: all that start by themselves.
    #[serde(default)]
    pub(super) services: Vec<String>,
    /// Gives up after this time, like `2m`.
    #[serde(default = "patience")]
    pub(super) timeout: String,
}

fn some() -> usize {
    100
}

/// Clients commonly give a call up after a minute, and then nobody reads what is late.
fn patience() -> String {
    "50s".to_owned()
}

/// The arguments of a call.
pub(super) fn take<T: DeserializeOwned>(given: JsonObject) -> Result<T, Error> {
    serde_json::from_value(Value::Object(given))
        .map_err(|error| Error::usage("the arguments make no sense").because(error))
        .map_err(|error| error.hinted("the input schema of the tool says what it takes"))
}

/// An argument that is a time.
pub(super) fn duration(text: &str) -> Result<Duration, Error> {
    parse_duration(text)
        .map_err(|error| Error::usage(format!("`{text}` is no duration")).because(error))
}
