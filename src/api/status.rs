//! `GET /v1/status`: SPEC §4.

use std::{fmt, net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

/// The answer of `GET /v1/status` and of `locald status --json`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Status {
    /// The daemon itself.
    pub daemon: Daemon,
    /// Projects, by name.
    pub projects: Vec<Project>,
}

/// The daemon that answers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Daemon {
    /// Its process id.
    pub pid: i32,
    /// Its release.
    pub version: String,
    /// Seconds since it began to serve.
    pub uptime_s: f64,
    /// Its IPC socket.
    pub socket: PathBuf,
    /// Where its proxy listens for HTTP; null while it has none.
    pub http: Option<SocketAddr>,
    /// Where its proxy listens for HTTPS; null while it has none.
    pub https: Option<SocketAddr>,
    /// The heart's process id; null without one.
    pub heart: Option<i32>,
}

/// A project and its services.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Project {
    /// Unique among running projects.
    pub name: String,
    /// The folder of its `locald.toml`.
    pub path: PathBuf,
    /// Its domain.
    pub domain: String,
    /// All services at a glance.
    pub state: ProjectState,
    /// Why the file on disk is not the configuration that runs.
    pub config_error: Option<String>,
    /// Why edits are not noticed, while they are not; left out otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch_error: Option<String>,
    /// In the order of the configuration file.
    pub services: Vec<Service>,
}

/// A service as people see it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Service {
    /// Its name in the configuration.
    pub name: String,
    /// `exec`, `worker`, `task`, `site`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is in its life.
    pub state: ServiceState,
    /// The leader of its session; null while it has no process.
    pub pid: Option<i32>,
    /// The port it is to listen on.
    pub port: Option<u16>,
    /// Its address for people.
    pub url: Option<String>,
    /// Automatic restarts since the last start or restart by a person.
    pub restarts: u32,
    /// Seconds since its process was started; null while it has none.
    pub uptime_s: Option<f64>,
    /// How its last process ended.
    pub last_exit: Option<Exit>,
    /// One line on anything that is not as wanted, or what the service says of itself (`STATUS=`).
    pub reason: Option<String>,
    /// The services it needs, implied ones included.
    pub depends_on: Vec<String>,
    /// Those of them that keep it from starting now.
    pub waiting_for: Vec<String>,
}

/// The end of a process.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Exit {
    /// Its exit code; null when a signal ended it.
    pub code: Option<i32>,
    /// The signal's name (`SIGKILL`); null when it exited.
    pub signal: Option<String>,
    /// Whether locald had asked for it.
    pub asked: bool,
    /// When, in RFC 3339 with milliseconds, UTC.
    pub at: String,
}

/// SPEC §4: the states of a service.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceState {
    /// Not wanted, or ended well and not to be restarted.
    Stopped,
    /// Wanted; what it needs is not there yet.
    Waiting,
    /// Its process runs and is not ready yet.
    Starting,
    /// Ready.
    Healthy,
    /// Was ready; its liveness check fails.
    Unhealthy,
    /// Failed; its next start is set.
    Backoff,
    /// Told to stop, and not all its processes are gone yet.
    Stopping,
    /// A task that exited 0.
    Completed,
    /// Given up, or a task that did not exit 0.
    Failed,
}

/// SPEC §4 and §14: the states of a project.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProjectState {
    /// Nothing is wanted.
    Stopped,
    /// Some are on the way, none is in trouble.
    Starting,
    /// All wanted services are healthy or completed.
    Healthy,
    /// Some are unhealthy, in backoff, failed, or wait for one that is.
    Degraded,
    /// On the way down.
    Stopping,
    /// An essential service gave up, or all did.
    Failed,
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Stopped => "stopped",
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Backoff => "backoff",
            Self::Stopping => "stopping",
            Self::Completed => "completed",
            Self::Failed => "failed",
        })
    }
}

impl fmt::Display for ProjectState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Stopping => "stopping",
            Self::Failed => "failed",
        })
    }
}
