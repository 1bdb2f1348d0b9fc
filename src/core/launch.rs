//! What to run for a service, once ports, environment and files are known.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    id::ServiceName,
    plan::{Plan, ServicePlan},
};

/// What a launch depends on besides the plan.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The project's folder, absolute.
    pub dir: &'a Path,
    /// The environment of the client that asked for the start.
    pub caller_env: &'a BTreeMap<String, String>,
    /// The text of an env file, by its path as [`env_files_of`] gives it; none if there is no such file.
    pub files: &'a dyn Fn(&str) -> Option<&'a str>,
    /// The port of a service.
    pub port_of: &'a dyn Fn(&ServiceName) -> Option<u16>,
    /// The URL of a service at the proxy; none: the direct one.
    pub public_url: &'a dyn Fn(&ServiceName) -> Option<String>,
    /// Where the service sends its notifications.
    pub notify_socket: &'a Path,
    /// The program that serves sites.
    pub locald_exe: &'a Path,
}

/// What to run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Launch {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// The folder to run in, absolute.
    pub workdir: PathBuf,
    /// How to see that it is ready.
    pub check: Check,
    /// The port it is to listen on.
    pub port: Option<u16>,
}

/// How to see that a service is ready.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Check {
    /// An answer with one of these codes; none named: 2xx and 3xx.
    Http {
        /// The path with its query, from `/` on.
        path: String,
        /// The codes that are good.
        status: Vec<u16>,
    },
    /// A connection.
    Tcp,
    /// A program that exits 0.
    Command(Vec<String>),
    /// `READY=1`, and nothing else.
    Notify,
    /// `READY=1` or a connection, whichever comes first.
    Port,
    /// `READY=1`, or alive for so long.
    Alive(Duration),
    /// It exited 0.
    Exit,
}

/// An env file to be read before a launch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EnvFileRef {
    /// As the configuration has it: relative to the project's folder, or absolute.
    pub path: String,
    /// Whether its absence is an error.
    pub required: bool,
}

/// Why a service cannot be launched.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LaunchError {
    /// `${env.X}` without a value and without a default.
    #[error("`{place}` uses ${{env.{name}}}, which is not set")]
    Unset {
        /// The variable.
        name: String,
        /// The key that uses it.
        place: String,
    },
    /// A named env file is not there.
    #[error("cannot read env file {path}: no such file")]
    MissingEnvFile {
        /// As the configuration has it.
        path: String,
    },
    /// An env file is not one.
    #[error("{path}:{line}: {message}")]
    BadEnvFile {
        /// As the configuration has it.
        path: String,
        /// 1-based.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A service that should have a port has not got one.
    #[error("service {0} has no port yet")]
    NoPort(ServiceName),
    /// A path that cannot be passed on in an argument or a variable.
    #[error("path {0:?} is not valid UTF-8")]
    NotUtf8(PathBuf),
}

impl LaunchError {
    /// Whether the configuration is at fault (exit code 4), not the circumstances.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::MissingEnvFile { .. } | Self::BadEnvFile { .. })
    }
}

/// The env files to be read for `service`, in the order of precedence, later wins.
pub fn env_files_of(plan: &Plan, service: &ServicePlan) -> Vec<EnvFileRef> {
    todo!("{plan:?} {service:?}")
}

/// What to run for `service` now.
pub fn launch(
    plan: &Plan,
    service: &ServicePlan,
    around: &Surroundings<'_>,
) -> Result<Launch, LaunchError> {
    todo!("{plan:?} {service:?} {:?}", around.dir)
}
