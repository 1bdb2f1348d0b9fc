//! `[services.NAME]`.

use std::mem;

use toml::de::DeValue;

use super::{Names, dependency, environment, health, project, provided};
use crate::core::{
    config::{
        Backoff, Service, domain,
        draft::DraftService,
        keys,
        reader::{At, Item, Reader, Section},
    },
    diagnostic::Diagnostic,
    id::ServiceName,
    interpolate::Foreign,
    near::quoted,
    plan::{Kind, PortSpec, Protocol, Restart, Run, STOP_SIGNALS, StopSignal, TlsFiles},
};

/// Reads a service; none if it is no table at all, or of no known type.
pub(super) fn read(
    reader: &mut Reader<'_>,
    names: &Names<'_>,
    name: At<ServiceName>,
    item: Item<'_>,
) -> Option<DraftService> {
    let table = reader.table(item)?;
    let section = reader.section(table, keys::SERVICE, "a service");
    reader.uses.clear();
    let kind = kind(reader, &section);
    let run = run(reader, &section, kind, &name);
    let port = port(reader, &section, kind.unwrap_or(Kind::Exec));
    let (max_restarts, restart_window) = project::intensity(reader, &section);
    let domain = section.get("domain").and_then(|item| domain::read(reader, item));
    let routes = routes(reader, &section);
    let watch = watch(reader, &section);
    unreachable(reader, &section, port);
    let flag = |reader: &mut Reader<'_>, key, default| {
        section.get(key).and_then(|item| reader.flag(item)).unwrap_or(default)
    };
    let mut service = Service {
        name: name.value,
        kind: kind.unwrap_or(Kind::Exec),
        run: run.unwrap_or_else(|| Run::Argv(Vec::new())),
        build: None,
        workdir: section
            .get("workdir")
            .and_then(|item| reader.nonempty(item))
            .map(|text| text.value.to_owned()),
        port,
        needs: Vec::new(),
        env: environment::service(reader, section.get("env")),
        env_files: section.get("env_file").and_then(|item| reader.texts(item)).unwrap_or_default(),
        check: provided::check(kind, health::read(reader, section.get("health_check"), port)),
        restart: restart(reader, &section, kind),
        backoff: backoff(reader, section.get("backoff")),
        max_restarts,
        restart_window,
        stop_signal: section
            .get("stop_signal")
            .and_then(|item| stop_signal(reader, item))
            .unwrap_or_else(|| provided::stop_signal(kind)),
        stop_timeout: section
            .get("stop_timeout")
            .and_then(|item| reader.duration(item))
            .unwrap_or_else(|| provided::stop_timeout(kind)),
        tty: flag(reader, "tty", kind.and_then(Kind::product).is_none()),
        watchdog: section.get("watchdog").and_then(|item| reader.pause(item)),
        protocol: protocol(reader, &section),
        tls: tls(reader, section.get("tls")),
        essential: flag(reader, "essential", false),
        autostart: flag(reader, "autostart", true),
        domain: domain.as_ref().map(|domain| domain.value.clone()),
        routes,
        watch,
    };
    let depends_on = dependency::read(reader, names, section.get("depends_on"));
    let uses = mem::take(&mut reader.uses);
    service.build = section.get("build").and_then(|item| command(reader, item));
    let asides = mem::take(&mut reader.uses);
    let port_at = section.get("port").map_or_else(|| name.range.clone(), |item| item.value.span());
    // What a service of no known type lacks says nothing.
    kind?;
    Some(DraftService { service, name_at: name.range, port_at, domain, depends_on, uses, asides })
}

/// A command: a string for the shell, or a list to be executed directly.
pub(super) fn command(reader: &mut Reader<'_>, item: Item<'_>) -> Option<Run> {
    match item.value.get_ref() {
        DeValue::String(_) => {
            reader.nonempty(item)?;
            Some(Run::Shell(reader.template(item, Foreign::Kept)?))
        }
        DeValue::Array(array) if array.is_empty() => {
            reader.refuse(item, "names no program");
            None
        }
        DeValue::Array(_) => {
            let items: Vec<_> = reader.list(item)?.collect();
            reader.nonempty(*items.first()?)?;
            let argv = items.into_iter().map(|item| reader.template(item, Foreign::Kept));
            Some(Run::Argv(argv.collect::<Option<_>>()?))
        }
        _ => reader.wrong(item, "a string or a list of strings"),
    }
}

/// The type; none if it is unknown. Keys of other types are noted.
fn kind(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Kind> {
    let kind = match section.get("type") {
        None => Kind::Exec,
        Some(item) => {
            let word = keys::TYPES[reader.word(item, keys::TYPES)?];
            Kind::ALL.into_iter().find(|kind| kind.as_str() == word)?
        }
    };
    for (key, item) in section.present() {
        if !key.kinds.is_empty() && !key.kinds.contains(&kind) {
            let owners: Vec<_> = key.kinds.iter().map(|kind| kind.as_str()).collect();
            let message =
                format!("a {kind} has no `{}`", key.name).replace("a exec", "an exec service");
            let help = format!("it belongs to the types {}", owners.join(", "));
            reader.report(Diagnostic::at(item.key.span(), message).help(help));
        }
    }
    Some(kind)
}

fn run(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    kind: Option<Kind>,
    name: &At<ServiceName>,
) -> Option<Run> {
    if let Some(product) = kind?.product() {
        return Some(Run::Provided(provided::read(reader, section, product)));
    }
    let key = if kind? == Kind::Site { "path" } else { "command" };
    let Some(item) = section.get(key) else {
        let message = format!("service {} has no `{key}`", quoted(&name.value));
        reader.report(Diagnostic::at(name.range.clone(), message));
        return None;
    };
    if key == "command" {
        return command(reader, item);
    }
    let path = reader.nonempty(item)?;
    Some(Run::Site { path: path.value.to_owned() })
}

fn port(reader: &mut Reader<'_>, section: &Section<'_>, kind: Kind) -> PortSpec {
    let default = match kind {
        Kind::Exec | Kind::Site | Kind::Postgres | Kind::Redis => PortSpec::Assigned,
        Kind::Worker | Kind::Task => PortSpec::None,
    };
    let Some(item) = section.get("port") else { return default };
    match item.value.get_ref() {
        DeValue::Boolean(false) if kind == Kind::Site || kind.product().is_some() => {
            reader.refuse(item, &format!("cannot be `false`: a {kind} is served on a port"));
        }
        DeValue::Boolean(false) => return PortSpec::None,
        DeValue::Integer(_) if kind == Kind::Worker => reader.report(
            Diagnostic::at(item.value.span(), "a worker has no port")
                .help("make it `type = \"exec\"`, or remove `port`"),
        ),
        DeValue::Integer(_) => {
            if let Some(port) = reader.whole(item, 1, u16::MAX) {
                return PortSpec::Fixed(port);
            }
        }
        _ => {
            let _none: Option<()> = reader.wrong(item, "a number from 1 to 65535 or `false`");
        }
    }
    default
}

fn tls(reader: &mut Reader<'_>, item: Option<Item<'_>>) -> Option<TlsFiles> {
    let item = item?;
    let table = reader.table(item)?;
    let section = reader.section(table, keys::TLS, "`tls`");
    let mut file = |key| Some(reader.nonempty(section.get(key)?)?.value.to_owned());
    let (cert, key) = (file("cert"), file("key"));
    Some(TlsFiles { cert: cert?, key: key? })
}

fn protocol(reader: &mut Reader<'_>, section: &Section<'_>) -> Protocol {
    let word = section.get("protocol").and_then(|item| reader.word(item, keys::PROTOCOLS));
    word.map_or(Protocol::Auto, |word| [Protocol::Http, Protocol::H2c][word])
}

fn restart(reader: &mut Reader<'_>, section: &Section<'_>, kind: Option<Kind>) -> Restart {
    let task = kind == Some(Kind::Task);
    let default = if task { Restart::Never } else { Restart::Always };
    let Some(item) = section.get("restart") else { return default };
    match reader.word(item, keys::RESTARTS) {
        Some(0) if task => {
            reader.report(
                Diagnostic::at(item.value.span(), "a task that completed is not started again")
                    .help("write \"on-failure\" to have a failed one run again"),
            );
            default
        }
        Some(word) => [Restart::Always, Restart::OnFailure, Restart::Never][word],
        None => default,
    }
}

fn backoff(reader: &mut Reader<'_>, item: Option<Item<'_>>) -> Backoff {
    let default = Backoff::default();
    let Some(item) = item else { return default };
    let Some(table) = reader.table(item) else { return default };
    let section = reader.section(table, keys::BACKOFF, "`backoff`");
    let initial = section.get("initial").and_then(|item| reader.pause(item));
    let factor = section.get("factor").and_then(|item| reader.number(item, 1.0, 1000.0));
    let max = section.get("max").and_then(|item| reader.pause(item));
    if let (Some(initial), Some(max)) = (initial, max)
        && max < initial
    {
        let at = section.get("max").map_or_else(|| item.key.span(), |item| item.value.span());
        reader.report(Diagnostic::at(at, "`max` is shorter than `initial`"));
    }
    // Only what the file says can contradict itself; a default gives way.
    let floor = initial.unwrap_or(default.initial);
    let max = max.unwrap_or_else(|| default.max.max(floor));
    Backoff { initial: floor.min(max), factor: factor.unwrap_or(default.factor), max }
}

fn stop_signal(reader: &mut Reader<'_>, item: Item<'_>) -> Option<StopSignal> {
    let text = reader.text(item)?;
    let signal = StopSignal::parse(text.value);
    if signal.is_none() {
        let known = STOP_SIGNALS.join(", ");
        let message = format!("{} is not a signal that stops a service", quoted(text.value));
        reader.report(Diagnostic::at(text.range, message).help(format!("known: {known}")));
    }
    signal
}

/// Paths on the project's domain.
fn routes(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<String> {
    let list = section.get("routes").and_then(|item| reader.list(item));
    let mut routes = Vec::new();
    for item in list.into_iter().flatten().collect::<Vec<_>>() {
        let Some(text) = reader.nonempty(item) else { continue };
        if text.value.starts_with('/') {
            routes.push(text.value.to_owned());
        } else {
            reader.refuse(item, "consists of paths that start with `/`");
        }
    }
    routes
}

fn watch(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<String> {
    let mut watch = Vec::new();
    let list = section.get("watch").and_then(|item| reader.list(item));
    for item in list.into_iter().flatten().collect::<Vec<_>>() {
        let Some(text) = reader.nonempty(item) else { continue };
        match crate::core::watch::check(text.value) {
            Ok(()) => watch.push(text.value.to_owned()),
            Err(why) => reader.refuse(item, &format!("has a bad pattern: {why}")),
        }
    }
    watch
}

/// Notes what leads to a service that has no port.
fn unreachable(reader: &mut Reader<'_>, section: &Section<'_>, port: PortSpec) {
    if port != PortSpec::None {
        return;
    }
    for key in ["domain", "routes"] {
        if let Some(item) = section.get(key) {
            reader.refuse(item, "leads to a service that has no port");
        }
    }
    if let Some(item) = section.get("protocol") {
        reader.refuse(item, "is of a service that has a port");
    }
    if let Some(item) = section.get("tls") {
        reader.refuse(item, "is of a service that has a port");
    }
}
