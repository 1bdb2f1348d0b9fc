//! Arguments of what starts and stops services.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, ValueHint};

use super::duration;
use crate::cli::complete::{services, services_or_folders};

/// Arguments of `up`.
#[derive(Args, Debug)]
pub struct Up {
    /// The project's folder (`.`, `..`, or with a `/`), then services; none: all.
    #[arg(value_name = "PATH|SERVICE", add = services_or_folders())]
    pub arguments: Vec<String>,
    /// Gives up waiting after this time; the services are left as they are.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub timeout: Duration,
    /// Whether to wait, and how to show it.
    #[command(flatten)]
    pub waiting: Waiting,
    /// Shows the logs afterwards; Ctrl-C leaves the services running.
    #[arg(short, long, conflicts_with_all = ["json", "no_wait", "ci"])]
    pub follow: bool,
    /// Plain lines also on a terminal, and a report for the CI in `locald-junit.xml`.
    #[arg(long, conflicts_with = "no_wait")]
    pub ci: bool,
    /// Writes what came of each service to this file, in the XML of `JUnit`, also when the start fails.
    #[arg(long, value_name = "FILE", conflicts_with = "no_wait")]
    pub junit: Option<PathBuf>,
}

impl Up {
    /// Where a report goes, if there is to be one.
    pub fn report(&self) -> Option<&Path> {
        let usual = self.ci.then_some(Path::new("locald-junit.xml"));
        self.junit.as_deref().or(usual)
    }
}

/// Arguments of `start`.
#[derive(Args, Debug)]
pub struct Start {
    /// The services; none: all.
    #[arg(value_name = "SERVICE", add = services())]
    pub services: Vec<String>,
    /// Gives up waiting after this time; the services are left as they are.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Whether to wait, and how to show it.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Arguments of `restart`.
#[derive(Args, Debug)]
pub struct Restart {
    /// What to start again, and how long to wait.
    #[command(flatten)]
    pub start: Start,
    /// Restarts everything that depends on them as well.
    #[arg(long)]
    pub cascade: bool,
}

/// What starting commands have in common.
#[derive(Args, Clone, Copy, Debug)]
pub struct Waiting {
    /// Returns as soon as the daemon has taken the request.
    #[arg(long)]
    pub no_wait: bool,
    /// Prints the project's status as JSON at the end, and no progress.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `stop`.
#[derive(Args, Debug)]
pub struct Stop {
    /// The services; none: all.
    #[arg(value_name = "SERVICE", add = services())]
    pub services: Vec<String>,
}

/// Arguments of `down`.
#[derive(Args, Debug)]
pub struct Down {
    /// The project's folder.
    #[arg(value_hint = ValueHint::DirPath)]
    pub path: Option<PathBuf>,
}
