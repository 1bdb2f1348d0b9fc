//! `Procfile`: `NAME: COMMAND` lines. Commands are the shell's alone: `${…}` and `$$` mean what they mean there.

use std::{collections::HashMap, ops::Range, time::Duration};

use super::{Backoff, Config, HealthCheck, Project, Service, domain};
use crate::core::{
    diagnostic::{Diagnostic, SourceFile},
    id::{ProjectName, ServiceName, slug},
    interpolate::Template,
    near::quoted,
    plan::{EnvFiles, Kind, Limit, PortSpec, Protocol, Restart, Run, StopSignal, Strategy},
};

/// The process that serves, by the custom of Procfiles.
const WEB: &str = "web";

/// Reads a `Procfile`; the project is named after the folder. `web` is a service with a port, all
/// others are workers.
pub fn parse_procfile(source: &SourceFile, dir_name: &str) -> Result<Config, Vec<Diagnostic>> {
    let mut found = Vec::new();
    let mut services = Vec::new();
    let mut seen: HashMap<ServiceName, Range<usize>> = HashMap::new();
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        match entry(line, start) {
            Ok(None) => {}
            Ok(Some(Entry { name, at, command })) => {
                if let Some(first) = seen.get(&name) {
                    found.push(
                        Diagnostic::at(at, format!("there are two of {}", quoted(&name)))
                            .and_at(first.clone(), "first here"),
                    );
                } else {
                    services.push(service(name.clone(), command));
                    seen.insert(name, at);
                }
            }
            Err(wrong) => found.push(wrong),
        }
        start += line.len();
    }
    if services.is_empty() && found.is_empty() {
        found
            .push(Diagnostic::at(0..0, "the Procfile names no process").help("add `web: COMMAND`"));
    }
    if found.is_empty() { Ok(Config { project: project(dir_name), services }) } else { Err(found) }
}

/// Where a process is named.
pub(super) fn place_of(source: &SourceFile, name: &ServiceName) -> Option<Range<usize>> {
    let mut start = 0;
    source.text.split_inclusive('\n').find_map(|line| {
        let found = entry(line, start).ok().flatten().filter(|entry| entry.name == *name);
        start += line.len();
        found.map(|entry| entry.at)
    })
}

struct Entry<'t> {
    name: ServiceName,
    at: Range<usize>,
    command: &'t str,
}

fn entry(line: &str, start: usize) -> Result<Option<Entry<'_>>, Diagnostic> {
    let text = line.trim_start_matches('\u{feff}').trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let from = start + line.find(text).unwrap_or(0);
    let at = |length| from..from + length;
    let Some((name, command)) = text.split_once(':') else {
        return Err(Diagnostic::at(at(text.len()), "expected `NAME: COMMAND`"));
    };
    let name_at = at(name.len());
    let name = ServiceName::parse(name.trim_end()).map_err(|why| {
        let message = format!("{} is not a name of a process: {why}", quoted(name));
        let mut wrong = Diagnostic::at(name_at.clone(), message);
        wrong.help = slug(name).map(|slug| format!("try `{slug}`"));
        wrong
    })?;
    let command = command.trim();
    if command.is_empty() || command.contains('\0') {
        let why = if command.is_empty() { "has no command" } else { "contains a NUL byte" };
        return Err(Diagnostic::at(at(text.len()), format!("{} {why}", quoted(&name))));
    }
    Ok(Some(Entry { name, at: name_at, command }))
}

fn project(dir_name: &str) -> Project {
    let name = slug(dir_name).and_then(|slug| ProjectName::parse(&slug).ok());
    let name = name
        .filter(|name| domain::default_for(name) != domain::DASHBOARD)
        .unwrap_or_else(|| ProjectName::parse("app").expect("it has letters only"));
    let limit = Limit::default();
    Project {
        domain: domain::default_for(&name),
        name,
        strategy: Strategy::default(),
        max_restarts: limit.restarts,
        restart_window: limit.within,
        env: Vec::new().into(),
        env_files: EnvFiles::Default,
        on_event: None,
    }
}

fn service(name: ServiceName, command: &str) -> Service {
    let web = &*name == WEB;
    Service {
        kind: if web { Kind::Exec } else { Kind::Worker },
        port: if web { PortSpec::Assigned } else { PortSpec::None },
        run: Run::Shell(Template::literal(command)),
        ..Service::plain(name)
    }
}

impl Service {
    /// A service of which the file says nothing.
    fn plain(name: ServiceName) -> Self {
        Self {
            name,
            kind: Kind::Exec,
            run: Run::Argv(Vec::new()),
            build: None,
            workdir: None,
            port: PortSpec::Assigned,
            needs: Vec::new(),
            env: Vec::new().into(),
            env_files: Vec::new(),
            check: HealthCheck::default(),
            restart: Restart::Always,
            backoff: Backoff::default(),
            max_restarts: None,
            restart_window: None,
            stop_signal: StopSignal::TERM,
            stop_timeout: Duration::from_secs(5),
            tty: true,
            watchdog: None,
            essential: false,
            protocol: Protocol::Auto,
            tls: None,
            autostart: true,
            domain: None,
            routes: Vec::new(),
            watch: Vec::new(),
        }
    }
}
