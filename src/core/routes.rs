//! Which service answers for a host and a path. A lookup allocates nothing and takes no lock.

mod host;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, hash_map::Entry};

pub use host::{Authority, HostName, NotAnAuthority};

use super::{
    id::{ProjectName, ServiceName},
    plan::{Kind, Plan, PortSpec, ServicePlan},
};

/// The dashboard's host, which no project can have.
pub const DASHBOARD: &str = "locald.localhost";
/// The service that answers for a project's domain, if there is one of that name.
const WEB: &str = "web";

/// What one project wants to answer for.
#[derive(Clone, Debug)]
pub struct ProjectRoutes<T> {
    /// Its name.
    pub project: ProjectName,
    /// Its domain.
    pub domain: String,
    /// Its services that speak HTTP on a port.
    pub services: Vec<ServiceRoutes<T>>,
}

/// What one service wants to answer for.
#[derive(Clone, Debug)]
pub struct ServiceRoutes<T> {
    /// Its name.
    pub service: ServiceName,
    /// Its own domain; none means `<service>.<domain of the project>`.
    pub domain: Option<String>,
    /// Paths on the project's domain.
    pub paths: Vec<String>,
    /// Where its requests go.
    pub target: T,
}

impl<T> ProjectRoutes<T> {
    /// What the services of a plan answer for; `target` says where their requests go.
    pub fn of(plan: &Plan, mut target: impl FnMut(&ServicePlan) -> T) -> Self {
        let reachable = |service: &&ServicePlan| {
            let speaks_http = service.kind != Kind::Task && service.kind.product().is_none();
            service.port != PortSpec::None && speaks_http
        };
        let services = plan.services.iter().filter(reachable).map(|service| ServiceRoutes {
            service: service.name.clone(),
            domain: service.domain.clone(),
            paths: service.routes.clone(),
            target: target(service),
        });
        Self {
            project: plan.project.clone(),
            domain: plan.domain.clone(),
            services: services.collect(),
        }
    }

    /// The host of each service.
    pub fn hosts(&self) -> impl Iterator<Item = (&ServiceName, String)> {
        let web = web_of(&self.services).map(|web| &web.service);
        self.services.iter().map(move |service| {
            let own = service.domain.clone();
            let default = || match web {
                Some(web) if *web == service.service => self.domain.clone(),
                _ => below(&service.service, &self.domain),
            };
            (&service.service, own.unwrap_or_else(default))
        })
    }
}

/// The routes of all projects.
#[derive(Clone, Debug)]
pub struct Table<T> {
    hosts: HashMap<Box<[u8]>, Host<T>>,
}

/// What a host and a path lead to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Found<'a, T> {
    /// A service.
    Target(&'a T),
    /// The dashboard.
    Dashboard,
    /// A project that has no service for this.
    NoService(&'a ProjectName),
    /// Nothing that we know of.
    Nothing,
}

/// Two that cannot both have their way.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Clash {
    /// Both want a host.
    #[error("cannot give {host} to both {first} and {second}")]
    Host {
        /// The host.
        host: String,
        /// Who has it.
        first: Owner,
        /// Who wants it too.
        second: Owner,
    },
    /// Both want a path of one host.
    #[error("cannot give {host}{path} to both {first} and {second}")]
    Path {
        /// The host.
        host: String,
        /// The path.
        path: String,
        /// Who has it.
        first: Owner,
        /// Who wants it too.
        second: Owner,
    },
    /// The host is ours.
    #[error("cannot give {DASHBOARD} to {owner}: it is the dashboard's")]
    Dashboard {
        /// Who wants it.
        owner: Owner,
    },
}

impl Clash {
    /// Who has it already, if that is not the dashboard.
    pub fn first(&self) -> Option<&Owner> {
        match self {
            Self::Host { first, .. } | Self::Path { first, .. } => Some(first),
            Self::Dashboard { .. } => None,
        }
    }

    /// Who wants it too.
    pub fn second(&self) -> &Owner {
        match self {
            Self::Host { second, .. } | Self::Path { second, .. } => second,
            Self::Dashboard { owner } => owner,
        }
    }
}

/// Who has a route.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Owner {
    /// The project.
    pub project: ProjectName,
    /// The service; none is the project itself.
    pub service: Option<ServiceName>,
}

#[derive(Clone, Debug)]
struct Host<T> {
    owner: Owner,
    root: Option<T>,
    /// The longest first.
    paths: Vec<(Box<[u8]>, ServiceName, T)>,
    /// Whether unknown names below it come here too.
    below: bool,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { hosts: HashMap::new() }
    }
}

impl<T: Clone> Table<T> {
    /// The table of all these; the first clash, if there is one.
    pub fn build(projects: impl IntoIterator<Item = ProjectRoutes<T>>) -> Result<Self, Clash> {
        let mut table = Self::default();
        for project in projects {
            table.add(&project)?;
        }
        Ok(table)
    }

    /// Where a request goes.
    pub fn find(&self, host: &HostName, path: &[u8]) -> Found<'_, T> {
        let mut name = host.as_bytes();
        if name == DASHBOARD.as_bytes() {
            return Found::Dashboard;
        }
        if let Some(host) = self.hosts.get(name) {
            return host.at(path);
        }
        while let Some(dot) = name.iter().position(|&byte| byte == b'.') {
            name = &name[dot + 1..];
            if let Some(host) = self.hosts.get(name).filter(|host| host.below) {
                return host.root();
            }
        }
        Found::Nothing
    }

    /// Whether a host leads somewhere.
    pub fn knows(&self, host: &HostName) -> bool {
        !matches!(self.find(host, b"/"), Found::Nothing)
    }

    /// How many hosts lead somewhere.
    pub fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// The projects with their domains, in order.
    pub fn domains(&self) -> Vec<(&ProjectName, &str)> {
        let projects = self.hosts.iter().filter(|(_, host)| host.below);
        let text = |name| std::str::from_utf8(name).unwrap_or_default();
        let mut list: Vec<_> =
            projects.map(|(name, host)| (&host.owner.project, text(&**name))).collect();
        list.sort_unstable();
        list
    }

    fn add(&mut self, routes: &ProjectRoutes<T>) -> Result<(), Clash> {
        let web = web_of(&routes.services);
        let owner = Owner { project: routes.project.clone(), service: None };
        let host = Host {
            owner: owner.clone(),
            root: web.map(|web| web.target.clone()),
            paths: paths_of(routes, &owner)?,
            below: true,
        };
        self.claim(&routes.domain, host)?;
        for service in &routes.services {
            let owner = Owner { service: Some(service.service.clone()), ..owner.clone() };
            let is_web = web.is_some_and(|web| web.service == service.service);
            let name = match &service.domain {
                Some(own) if is_web && *own == routes.domain => continue,
                Some(own) => own.clone(),
                None if is_web => continue,
                None => below(&service.service, &routes.domain),
            };
            let root = Some(service.target.clone());
            self.claim(&name, Host { owner, root, paths: Vec::new(), below: false })?;
        }
        Ok(())
    }

    fn claim(&mut self, name: &str, host: Host<T>) -> Result<(), Clash> {
        let name = name.to_ascii_lowercase();
        if name == DASHBOARD {
            return Err(Clash::Dashboard { owner: host.owner });
        }
        match self.hosts.entry(name.as_bytes().into()) {
            Entry::Vacant(vacant) => {
                vacant.insert(host);
                Ok(())
            }
            Entry::Occupied(taken) => {
                let first = taken.get().owner.clone();
                Err(Clash::Host { host: name, first, second: host.owner })
            }
        }
    }
}

impl<T> Host<T> {
    fn at(&self, path: &[u8]) -> Found<'_, T> {
        let path = path.split(|&byte| byte == b'?').next().unwrap_or(path);
        let longest = self.paths.iter().find(|(prefix, ..)| covers(prefix, path));
        longest.map_or_else(|| self.root(), |(.., target)| Found::Target(target))
    }

    fn root(&self) -> Found<'_, T> {
        self.root.as_ref().map_or(Found::NoService(&self.owner.project), Found::Target)
    }
}

/// The host of a service that is not the one for the project's domain.
fn below(service: &ServiceName, domain: &str) -> String {
    format!("{}.{domain}", service.replace('_', "-"))
}

/// Whether `path` is `prefix` or below it, in whole segments.
fn covers(prefix: &[u8], path: &[u8]) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'/')) || prefix.is_empty())
}

fn web_of<T>(services: &[ServiceRoutes<T>]) -> Option<&ServiceRoutes<T>> {
    let named = services.iter().find(|service| &*service.service == WEB);
    match services {
        [only] => Some(only),
        _ => named,
    }
}

type Paths<T> = Vec<(Box<[u8]>, ServiceName, T)>;

fn paths_of<T: Clone>(routes: &ProjectRoutes<T>, owner: &Owner) -> Result<Paths<T>, Clash> {
    let mut paths: Paths<T> = Vec::new();
    for service in &routes.services {
        for path in &service.paths {
            let prefix = path.trim_end_matches('/').as_bytes();
            if let Some((_, first, _)) = paths.iter().find(|(known, ..)| **known == *prefix) {
                let owner_of = |name: &ServiceName| Owner {
                    service: Some(name.clone()),
                    project: owner.project.clone(),
                };
                return Err(Clash::Path {
                    host: routes.domain.clone(),
                    path: path.clone(),
                    first: owner_of(first),
                    second: owner_of(&service.service),
                });
            }
            paths.push((prefix.into(), service.service.clone(), service.target.clone()));
        }
    }
    paths.sort_by_key(|(prefix, ..)| std::cmp::Reverse(prefix.len()));
    Ok(paths)
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.service {
            Some(service) => write!(f, "{}/{service}", self.project),
            None => write!(f, "{}", self.project),
        }
    }
}
