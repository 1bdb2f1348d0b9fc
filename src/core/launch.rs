//! What to run for a service, once ports, environment and files are known.

mod environment;
mod errand;
mod render;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

pub use self::errand::{Errand, build, on_event, project_env_files};
use self::render::{Ports, Render};
use super::{
    id::ServiceName,
    plan::{Kind, Plan, Probe, Run, ServicePlan},
    provision::{Access, Product, Provision},
    shell::{giving_way, words},
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
    /// The password of a server that locald provides, or why it is not known.
    pub password_of: &'a dyn Fn(&ServiceName, Product) -> Result<String, String>,
    /// Where the service sends its notifications.
    pub notify_socket: &'a Path,
    /// The program that serves sites.
    pub locald_exe: &'a Path,
    /// The certificate of the root, if there is one.
    pub ca: Option<&'a Path>,
}

/// What to run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Launch {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The same without a shell around it, if the command has nothing for one to do. To be tried
    /// first; if there is no such program, the shell says so in its well-known way (127).
    pub direct: Option<Vec<String>>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// The folder to run in, absolute.
    pub workdir: PathBuf,
    /// How to see that it is ready.
    pub check: Check,
    /// The port it is to listen on.
    pub port: Option<u16>,
    /// What to prepare first, and what then says how to run it: `argv` is only its name.
    pub provision: Option<Provision>,
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
    /// A server that locald provides answers in its own protocol that it is ready.
    Answer(Product),
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
    /// The path of an HTTP check is none once its references are filled in.
    #[error("`health_check` asks for {path:?}, which is no path of a URL")]
    BadPath {
        /// With its references filled in.
        path: String,
    },
    /// The password of a server that locald provides.
    #[error("cannot know the password of {service}: {why}")]
    NoPassword {
        /// The server.
        service: ServiceName,
        /// What is wrong.
        why: String,
    },
    /// A path that cannot be passed on in an argument or a variable.
    #[error("path {0:?} is not valid UTF-8")]
    NotUtf8(PathBuf),
}

impl Launch {
    /// The password of the server, if locald provides it.
    pub fn password(&self) -> Option<&str> {
        let variable = self.provision.as_ref()?.product.password_variable();
        self.env.get(variable).map(String::as_str)
    }

    /// How clients get into the server, if locald provides it.
    pub fn access_url(&self) -> Option<String> {
        let (provision, port) = (self.provision.as_ref()?, self.port?);
        Some(provision.url(Access { port, password: self.password()? }))
    }
}

impl LaunchError {
    /// Whether the configuration is at fault (exit code 4), not the circumstances.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::MissingEnvFile { .. } | Self::BadEnvFile { .. })
    }
}

/// How long a service without a port must live to be taken for ready.
const ALIVE: Duration = Duration::from_millis(200);

/// The env files to be read for `service`, in the order of precedence, later wins.
pub fn env_files_of(plan: &Plan, service: &ServicePlan) -> Vec<EnvFileRef> {
    let named = |path: &String| EnvFileRef { path: path.clone(), required: true };
    let mut files = project_env_files(plan);
    files.extend(service.env_files.iter().map(named));
    files
}

/// What to run for `service` now.
pub fn launch(
    plan: &Plan,
    service: &ServicePlan,
    around: &Surroundings<'_>,
) -> Result<Launch, LaunchError> {
    let ports = Ports { plan, around };
    let port = ports.of(service)?;
    let env = environment::resolve(&ports, service, port)?;
    let render = Render { ports: &ports, env: &env, injected: &BTreeMap::new() };
    let mut direct = None;
    let argv = match &service.run {
        Run::Shell(command) => {
            let command = render.template(command, "command")?;
            direct = words(&command);
            shell(giving_way(&command))
        }
        Run::Argv(argv) => render.all(argv, "command")?,
        Run::Site { path } => site(around, path, port.unwrap_or_default())?,
        Run::Provided(provision) => vec![provision.product.to_string()],
    };
    let check = check(&render, service, port)?;
    let workdir = workdir(service, around);
    let provision = service.provision().cloned();
    Ok(Launch { argv, direct, env, workdir, check, port, provision })
}

fn check(
    render: &Render<'_, '_>,
    service: &ServicePlan,
    port: Option<u16>,
) -> Result<Check, LaunchError> {
    const PLACE: &str = "health_check";
    Ok(match (&service.probe, service.kind, port) {
        (_, Kind::Task, _) => Check::Exit,
        (_, Kind::Postgres, _) => Check::Answer(Product::Postgres),
        (_, Kind::Redis, _) => Check::Answer(Product::Redis),
        (Probe::Http { path, status }, ..) => {
            let path = render.template(path, PLACE)?;
            if path.contains(|c: char| c.is_control() || c == ' ') {
                return Err(LaunchError::BadPath { path });
            }
            Check::Http { path, status: status.clone() }
        }
        (Probe::Tcp, ..) => Check::Tcp,
        (Probe::Shell(command), ..) => Check::Command(shell(render.template(command, PLACE)?)),
        (Probe::Argv(argv), ..) => Check::Command(render.all(argv, PLACE)?),
        (Probe::Notify, ..) => Check::Notify,
        (Probe::Implicit, _, Some(_)) => Check::Port,
        (Probe::Implicit, _, None) => Check::Alive(ALIVE),
    })
}

fn workdir(service: &ServicePlan, around: &Surroundings<'_>) -> PathBuf {
    match &service.workdir {
        Some(workdir) => around.dir.join(workdir),
        None => around.dir.to_owned(),
    }
}

fn shell(command: String) -> Vec<String> {
    vec!["/bin/sh".to_owned(), "-c".to_owned(), command]
}

fn site(around: &Surroundings<'_>, path: &str, port: u16) -> Result<Vec<String>, LaunchError> {
    let exe = utf8(around.locald_exe)?.to_owned();
    let root = utf8(&around.dir.join(path))?.to_owned();
    let port = port.to_string();
    Ok(vec![exe, "site-server".into(), "--root".into(), root, "--port".into(), port])
}

fn utf8(path: &Path) -> Result<&str, LaunchError> {
    path.to_str().ok_or_else(|| LaunchError::NotUtf8(path.to_owned()))
}
