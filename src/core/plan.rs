//! A project with everything resolved that can be without ports, environment and files.

mod program;
mod words;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

pub use words::{
    Bond, Condition, Kind, Limit, PortSpec, Restart, STOP_SIGNALS, StopSignal, Strategy,
};

use super::{
    config::{Config, Project, Service},
    id::{ProjectName, ServiceName},
    interpolate::{Reference, Template},
    order::Dependencies,
    provision::Provision,
    state::Configuration,
};

/// A project, ready to be launched.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its name.
    pub project: ProjectName,
    /// Its domain.
    pub domain: String,
    /// What a crash of a service means for others.
    pub strategy: Strategy,
    /// In the order of the file.
    pub services: Vec<ServicePlan>,
    /// The project's env files.
    pub env_files: EnvFiles,
    /// What stood in the file, if it is known.
    pub written: Written,
    pub(in crate::core) env: Env,
    pub(in crate::core) on_event: Option<Run>,
    index: HashMap<ServiceName, usize>,
}

/// A configuration as its author wrote it. Two plans that say the same are the same however they are
/// written.
#[derive(Clone, Debug, Default)]
pub struct Written(pub Option<Configuration>);

impl PartialEq for Written {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The env files of a project.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum EnvFiles {
    /// `.env`, if there is one.
    #[default]
    Default,
    /// Those that the configuration names; each must exist.
    Named(Vec<String>),
}

/// A service, ready to be launched.
#[derive(Clone, Debug, PartialEq)]
pub struct ServicePlan {
    /// Its name.
    pub name: ServiceName,
    /// What it is.
    pub kind: Kind,
    /// Where its port comes from.
    pub port: PortSpec,
    /// What it depends on: first what the file says, then what its references imply.
    pub needs: Vec<Need>,
    /// When it is started again.
    pub restart: Restart,
    /// How often and how soon it is started again.
    pub limit: Limit,
    /// The signal that asks it to stop.
    pub stop_signal: StopSignal,
    /// How long it may take to stop.
    pub stop_timeout: Duration,
    /// Whether it gets a terminal instead of pipes.
    pub tty: bool,
    /// The longest silence of its watchdog.
    pub watchdog: Option<Duration>,
    /// Whether the project stops when it gives up.
    pub essential: bool,
    /// Whether it starts with the project.
    pub autostart: bool,
    /// Its own domain, instead of one below the project's.
    pub domain: Option<String>,
    /// Paths on the project's domain that lead to it.
    pub routes: Vec<String>,
    /// What the proxy speaks with it.
    pub protocol: Protocol,
    /// A certificate of its own, for its names.
    pub tls: Option<TlsFiles>,
    /// Its own env files; each must exist.
    pub env_files: Vec<String>,
    /// Patterns of files whose change restarts it.
    pub watch: Vec<String>,
    /// The pace of its probes.
    pub check: CheckPlan,
    /// The folder it runs in, relative to the project's.
    pub(in crate::core) workdir: Option<String>,
    pub(in crate::core) run: Run,
    pub(in crate::core) build: Option<Run>,
    pub(in crate::core) env: Env,
    /// The project's variables that it overrides and never reads: not even rendered for it.
    pub(in crate::core) hidden: Vec<Arc<str>>,
    pub(in crate::core) probe: Probe,
}

/// Files in PEM, relative to the project.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsFiles {
    /// The certificate, and what it is signed by.
    pub cert: String,
    /// Its private key.
    pub key: String,
}

/// What the proxy speaks with a service.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Protocol {
    /// HTTP/1.1, or HTTP/2 where it turns out to be needed.
    #[default]
    Auto,
    /// HTTP/1.1, whatever comes.
    Http,
    /// HTTP/2 without TLS, for all requests.
    H2c,
}

/// A dependency.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Need {
    /// The service that is needed.
    pub on: ServiceName,
    /// When it is good enough to start.
    pub condition: Condition,
    /// When losing it matters.
    pub bond: Bond,
}

/// The pace of probes (SPEC §8).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CheckPlan {
    /// The pause between two probes of a ready service, and the longest before.
    pub interval: Duration,
    /// How long one probe may take.
    pub timeout: Duration,
    /// So many failures in a row make a ready service unhealthy.
    pub retries: u32,
    /// How long a start may take; none: as long as it likes (tasks).
    pub start_period: Option<Duration>,
    /// Whether being unhealthy is a crash.
    pub on_failure_restart: bool,
    /// Whether probes go on after the service is ready.
    pub liveness: bool,
}

/// Variables with their values, sorted by name.
pub(in crate::core) type Env = Arc<[(Arc<str>, Template)]>;

/// What is run.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::core) enum Run {
    Shell(Template),
    Argv(Vec<Template>),
    Site { path: String },
    Provided(Provision),
}

/// The check that the configuration asks for.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::core) enum Probe {
    Implicit,
    Http { path: Template, status: Vec<u16> },
    Tcp,
    Shell(Template),
    Argv(Vec<Template>),
    Notify,
}

impl Plan {
    /// The service of that name.
    pub fn service(&self, name: &str) -> Option<&ServicePlan> {
        self.services.get(*self.index.get(name)?)
    }

    /// What a valid configuration means.
    pub fn of(config: &Config) -> Self {
        let project = &config.project;
        let services: Vec<_> =
            config.services.iter().map(|service| ServicePlan::of(project, service)).collect();
        let index = services.iter().enumerate().map(|(n, s)| (s.name.clone(), n)).collect();
        Self {
            project: project.name.clone(),
            domain: project.domain.clone(),
            strategy: project.strategy,
            services,
            env_files: project.env_files.clone(),
            written: Written::default(),
            env: Arc::clone(&project.env),
            on_event: project.on_event.clone(),
            index,
        }
    }

    /// Whether a command is to be told of events.
    pub fn tells_events(&self) -> bool {
        self.on_event.is_some()
    }

    /// The services in an order in which each comes after all it needs; else as in the file.
    pub fn order(&self) -> Vec<&ServicePlan> {
        let edges = self.services.iter().enumerate().flat_map(|(from, service)| {
            service.needs.iter().map(move |need| (from, self.index[&need.on]))
        });
        let order = Dependencies::new(self.services.len(), edges).order();
        order.into_iter().map(|number| &self.services[number]).collect()
    }
}

impl ServicePlan {
    /// Whether there is a command that builds it.
    pub fn has_build(&self) -> bool {
        self.build.is_some()
    }

    /// What is asked of the server, if locald provides it.
    pub fn provision(&self) -> Option<&Provision> {
        match &self.run {
            Run::Provided(provision) => Some(provision),
            Run::Shell(_) | Run::Argv(_) | Run::Site { .. } => None,
        }
    }

    fn of(project: &Project, service: &Service) -> Self {
        let check = &service.check;
        let declared = matches!(
            check.probe,
            Probe::Http { .. } | Probe::Tcp | Probe::Shell(_) | Probe::Argv(_)
        );
        Self {
            name: service.name.clone(),
            kind: service.kind,
            port: service.port,
            needs: service.needs.clone(),
            restart: service.restart,
            limit: Limit {
                restarts: service.max_restarts.unwrap_or(project.max_restarts),
                within: service.restart_window.unwrap_or(project.restart_window),
                initial: service.backoff.initial,
                factor: service.backoff.factor,
                max: service.backoff.max,
            },
            stop_signal: service.stop_signal,
            stop_timeout: service.stop_timeout,
            tty: service.tty,
            watchdog: service.watchdog,
            protocol: service.protocol,
            tls: service.tls.clone(),
            essential: service.essential,
            autostart: service.autostart,
            domain: service.domain.clone(),
            routes: service.routes.clone(),
            env_files: service.env_files.clone(),
            watch: service.watch.clone(),
            check: CheckPlan {
                interval: check.interval,
                timeout: check.timeout,
                retries: check.retries,
                start_period: (service.kind != Kind::Task).then_some(check.start_period),
                on_failure_restart: check.on_failure_restart,
                liveness: declared,
            },
            workdir: service.workdir.clone(),
            run: service.run.clone(),
            build: service.build.clone(),
            env: Arc::clone(&service.env),
            hidden: hidden(&project.env, service),
            probe: check.probe.clone(),
        }
    }
}

/// The project's variables that a service overrides without reading them.
pub(in crate::core) fn hidden(project: &Env, service: &Service) -> Vec<Arc<str>> {
    let overridden =
        |name: &str| project.binary_search_by(|(other, _)| (**other).cmp(name)).is_ok();
    let own = service.env.iter().map(|(name, _)| name);
    let mut hidden: Vec<_> = own.filter(|name| overridden(name)).cloned().collect();
    if !hidden.is_empty() {
        let templates = service.env.iter().map(|(_, value)| value);
        let read: HashSet<&str> = templates
            .flat_map(Template::holes)
            .filter_map(|hole| match &hole.reference {
                Reference::Env(name, _) => Some(&**name),
                Reference::Service(..) | Reference::Project(_) => None,
            })
            .collect();
        hidden.retain(|name| !read.contains(&**name));
    }
    hidden
}
