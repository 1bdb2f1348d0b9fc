//! `health_check`.

use std::time::Duration;

use toml::de::DeValue;

use super::service;
use crate::core::{
    config::{
        HealthCheck, keys,
        reader::{Item, Reader, Section},
    },
    diagnostic::Diagnostic,
    interpolate::{Foreign, Template},
    plan::{PortSpec, Probe, Run},
};

/// What the file says; without it, the service is ready when it says so or takes connections.
pub(super) fn read(reader: &mut Reader<'_>, item: Option<Item<'_>>, port: PortSpec) -> HealthCheck {
    let mut check = HealthCheck::default();
    let Some(item) = item else { return check };
    match item.value.get_ref() {
        DeValue::String(_) => {
            if let Some(run) = service::command(reader, item) {
                check.probe = of_command(run);
            }
        }
        DeValue::Table(table) => {
            let section = reader.section(table, keys::HEALTH_CHECK, "`health_check`");
            pace(reader, &section, &mut check);
            check.probe = probe(reader, item, &section).unwrap_or(Probe::Implicit);
            on_failure(reader, &section, &mut check);
            let connects = matches!(check.probe, Probe::Http { .. } | Probe::Tcp);
            if connects && port == PortSpec::None {
                reader.report(
                    Diagnostic::at(item.key.span(), "the service has no port to connect to")
                        .help("check it by a `command`, or by `type = \"notify\"`"),
                );
            }
        }
        _ => {
            let _none: Option<()> = reader.wrong(item, "a command or a table");
        }
    }
    check
}

fn pace(reader: &mut Reader<'_>, section: &Section<'_>, check: &mut HealthCheck) {
    let pauses: [(&str, &mut Duration); 3] = [
        ("interval", &mut check.interval),
        ("timeout", &mut check.timeout),
        ("start_period", &mut check.start_period),
    ];
    for (key, pause) in pauses {
        if let Some(value) = section.get(key).and_then(|item| reader.pause(item)) {
            *pause = value;
        }
    }
    if let Some(value) = section.get("retries").and_then(|item| reader.whole(item, 1, 1_000_000)) {
        check.retries = value;
    }
}

fn probe(reader: &mut Reader<'_>, item: Item<'_>, section: &Section<'_>) -> Option<Probe> {
    let kind = match section.get("type") {
        Some(item) => keys::CHECKS[reader.word(item, keys::CHECKS)?],
        None if section.get("command").is_some() => "command",
        None if section.get("path").is_some() || section.get("status").is_some() => "http",
        None => return Some(Probe::Implicit),
    };
    for (key, owner) in [("command", "command"), ("path", "http"), ("status", "http")] {
        if let Some(stray) = section.get(key).filter(|_| kind != owner) {
            let message = format!("`{key}` belongs to `type = \"{owner}\"`, not to \"{kind}\"");
            reader.report(Diagnostic::at(stray.key.span(), message));
        }
    }
    match kind {
        "http" => {
            let path = path(reader, section.get("path"));
            let status = section.get("status").map_or(Some(vec![]), |item| status(reader, item));
            Some(Probe::Http { path: path?, status: status? })
        }
        "tcp" => Some(Probe::Tcp),
        "notify" => Some(Probe::Notify),
        _ => {
            let Some(item) = section.get("command") else {
                let message = "this check has no `command`";
                reader.report(Diagnostic::at(item.key.span(), message));
                return None;
            };
            service::command(reader, item).map(of_command)
        }
    }
}

fn path(reader: &mut Reader<'_>, item: Option<Item<'_>>) -> Option<Template> {
    let Some(item) = item else { return Some(Template::literal("/")) };
    let text = reader.nonempty(item)?;
    if !text.value.starts_with('/') {
        let message = format!("`path` starts with `/`: \"/{}\"", text.value.escape_debug());
        reader.report(Diagnostic::at(text.range, message));
        return None;
    }
    if text.value.contains(|c: char| c.is_control() || c == ' ') {
        reader.refuse(item, "cannot contain spaces or control characters");
        return None;
    }
    reader.template(item, Foreign::Refused)
}

fn status(reader: &mut Reader<'_>, item: Item<'_>) -> Option<Vec<u16>> {
    match item.value.get_ref() {
        DeValue::Integer(_) => Some(vec![reader.whole(item, 100, 599)?]),
        DeValue::Array(array) if !array.is_empty() => {
            let items: Vec<_> = reader.list(item)?.collect();
            items.into_iter().map(|item| reader.whole(item, 100, 599)).collect()
        }
        _ => reader.wrong(item, "a status code or a list of them"),
    }
}

fn on_failure(reader: &mut Reader<'_>, section: &Section<'_>, check: &mut HealthCheck) {
    let Some(item) = section.get("on_failure") else { return };
    let restart = reader.word(item, keys::ON_FAILURE) == Some(1);
    if restart && matches!(check.probe, Probe::Implicit | Probe::Notify) {
        reader.report(
            Diagnostic::at(item.value.span(), "nothing is checked once the service is ready")
                .help("declare a check of `type` http, tcp or command"),
        );
    }
    check.on_failure_restart = restart;
}

fn of_command(run: Run) -> Probe {
    match run {
        Run::Shell(command) => Probe::Shell(command),
        Run::Argv(argv) => Probe::Argv(argv),
        Run::Site { .. } | Run::Provided(_) => Probe::Implicit,
    }
}
