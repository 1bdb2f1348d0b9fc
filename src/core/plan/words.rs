//! The words of the configuration that a plan keeps: kinds, conditions, bonds, restart types, signals.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::core::provision::Product;

/// What a service is (SPEC §2, `type`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A server with a port.
    Exec,
    /// A process without a port.
    Worker,
    /// Runs to completion.
    Task,
    /// Static files, served by locald itself.
    Site,
    /// A database server that locald provides.
    Postgres,
    /// A Redis or Valkey that locald provides.
    Redis,
}

/// Where the port of a service comes from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PortSpec {
    /// Named by the configuration.
    Fixed(u16),
    /// Leased when it starts, sticky over restarts.
    Assigned,
    /// It has no port.
    None,
}

/// When a dependency is good enough for its dependent to start.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// Its process runs.
    Started,
    /// It is ready.
    Healthy,
    /// It is a task and exited 0.
    Completed,
}

/// When losing a dependency takes its dependent down.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bond {
    /// Never.
    Loose,
    /// When it crashes, gives up or is stopped.
    Crash,
    /// Also when it is restarted on purpose.
    Always,
}

/// OTP's supervision strategies, as shapes of the dependency graph (SPEC §6).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Strategy {
    /// Edges are loose.
    OneForOne,
    /// Edges are bonds for crashes.
    #[default]
    RestForOne,
    /// A crash of any takes all.
    OneForAll,
}

/// When a service that ended is started again.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// However it ended (OTP: permanent).
    Always,
    /// Unless it exited 0 (OTP: transient).
    OnFailure,
    /// Never (OTP: temporary).
    Never,
}

/// How often and how soon a service is restarted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// More failures than this within the window give up.
    pub restarts: u32,
    /// The sliding window.
    pub within: Duration,
    /// The pause before the first restart.
    pub initial: Duration,
    /// Each further pause is longer by this factor; at least 1.
    pub factor: f64,
    /// The longest pause.
    pub max: Duration,
}

/// The signal that asks a service to stop.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct StopSignal(&'static str);

/// The names that [`StopSignal::parse`] knows.
pub const STOP_SIGNALS: [&str; 10] = [
    "SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGABRT",
    "SIGALRM", "SIGWINCH",
];

impl Kind {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Exec, Self::Worker, Self::Task, Self::Site, Self::Postgres, Self::Redis];

    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Worker => "worker",
            Self::Task => "task",
            Self::Site => "site",
            Self::Postgres => Product::Postgres.as_str(),
            Self::Redis => Product::Redis.as_str(),
        }
    }

    /// The server that it is, if locald provides that.
    pub fn product(self) -> Option<Product> {
        match self {
            Self::Postgres => Some(Product::Postgres),
            Self::Redis => Some(Product::Redis),
            Self::Exec | Self::Worker | Self::Task | Self::Site => None,
        }
    }
}

impl Condition {
    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Healthy => "healthy",
            Self::Completed => "completed",
        }
    }
}

impl Bond {
    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loose => "loose",
            Self::Crash => "crash",
            Self::Always => "always",
        }
    }
}

impl Strategy {
    /// The bond of an edge that names none.
    pub fn bond(self) -> Bond {
        match self {
            Self::OneForOne => Bond::Loose,
            Self::RestForOne | Self::OneForAll => Bond::Crash,
        }
    }
}

impl StopSignal {
    /// `SIGTERM`.
    pub const TERM: Self = Self("SIGTERM");
    /// `SIGINT`.
    pub const INT: Self = Self("SIGINT");

    /// Reads `SIGINT`, `INT` or `int`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_uppercase();
        let short = text.strip_prefix("SIG").unwrap_or(&text);
        STOP_SIGNALS.into_iter().find(|name| &name[3..] == short).map(Self)
    }

    /// The full name: `SIGTERM`.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self {
            restarts: 6,
            within: Duration::from_mins(1),
            initial: Duration::from_millis(10),
            factor: 4.0,
            max: Duration::from_secs(10),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Bond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
