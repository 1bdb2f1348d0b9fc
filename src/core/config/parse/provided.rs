//! What is asked of a server that locald provides, and what is different for one.

use std::time::Duration;

use toml::de::DeValue;

use crate::core::{
    config::{
        HealthCheck,
        reader::{Item, Reader, Section, in_order},
    },
    diagnostic::Diagnostic,
    near::quoted,
    plan::{Kind, StopSignal},
    provision::{Product, Provision, Version},
};

/// What the system allows for a name in Postgres.
const NAME_BYTES: usize = 63;
/// How long a server may take to write down what is in its memory.
const STOP: Duration = Duration::from_mins(1);
/// How long it may take to repair itself after a crash.
const RECOVERY: Duration = Duration::from_mins(10);

/// What the file asks for.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, product: Product) -> Provision {
    let mut provision = Provision::of(product);
    provision.version = section.get("version").and_then(|item| version(reader, item));
    if let Some(name) = section.get("database").and_then(|item| name(reader, item)) {
        provision.database = name;
    }
    if let Some(name) = section.get("user").and_then(|item| name(reader, item)) {
        provision.user = name;
    }
    if let Some(item) = section.get("extensions") {
        let list: Vec<_> = reader.list(item).into_iter().flatten().collect();
        provision.extensions = list.into_iter().filter_map(|item| name(reader, item)).collect();
    }
    if let Some(item) = section.get("init") {
        provision.init = reader.texts(item).unwrap_or_default();
    }
    provision.settings = settings(reader, section.get("settings"), product);
    provision
}

/// What asks it to stop so that it need not repair itself afterwards.
pub(super) fn stop_signal(kind: Option<Kind>) -> StopSignal {
    if kind == Some(Kind::Postgres) { StopSignal::INT } else { StopSignal::TERM }
}

/// How long that may take.
pub(super) fn stop_timeout(kind: Option<Kind>) -> Duration {
    let provided = kind.and_then(Kind::product).is_some();
    if provided { STOP } else { Duration::from_secs(5) }
}

/// The pace of its probes.
pub(super) fn check(kind: Option<Kind>, check: HealthCheck) -> HealthCheck {
    match kind.and_then(Kind::product) {
        Some(_) => HealthCheck { start_period: RECOVERY, ..check },
        None => check,
    }
}

fn version(reader: &mut Reader<'_>, item: Item<'_>) -> Option<Version> {
    let text = reader.nonempty(item)?;
    let version = Version::parse(text.value);
    if version.is_none() {
        let message = format!("{} is not a version", quoted(text.value));
        let help = "write its first number, or more of them: \"16\", \"16.3\"";
        reader.report(Diagnostic::at(text.range, message).help(help));
    }
    version
}

fn name(reader: &mut Reader<'_>, item: Item<'_>) -> Option<String> {
    let text = reader.nonempty(item)?;
    if text.value.len() > NAME_BYTES || text.value.contains(char::is_control) {
        reader.refuse(item, &format!("is a name of at most {NAME_BYTES} bytes, on one line"));
        return None;
    }
    Some(text.value.to_owned())
}

fn settings(
    reader: &mut Reader<'_>,
    item: Option<Item<'_>>,
    product: Product,
) -> Vec<(String, String)> {
    let Some(table) = item.and_then(|item| reader.table(item)) else { return Vec::new() };
    let mut settings = Vec::new();
    for item in in_order(table) {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let starts = item.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts || !item.name.chars().all(plain) {
            let message = format!("{} cannot be the name of a setting", quoted(item.name));
            reader.report(Diagnostic::at(item.key.span(), message));
        } else if product.reserved().iter().any(|own| own.eq_ignore_ascii_case(item.name)) {
            let message = format!("{} is set by locald", quoted(item.name));
            let wrong = Diagnostic::at(item.key.span(), message);
            let port = item.name.eq_ignore_ascii_case("port");
            let help = if port { "give the service a `port`" } else { "remove it" };
            reader.report(wrong.help(help));
        } else if let Some(value) = setting(reader, item) {
            settings.push((item.name.to_owned(), value));
        }
    }
    settings
}

fn setting(reader: &mut Reader<'_>, item: Item<'_>) -> Option<String> {
    match item.value.get_ref() {
        DeValue::String(_) => {
            let text = reader.text(item)?;
            if text.value.contains(['\n', '\r']) {
                reader.refuse(item, "cannot have several lines");
                return None;
            }
            Some(text.value.to_owned())
        }
        DeValue::Boolean(flag) => Some(if *flag { "on" } else { "off" }.to_owned()),
        DeValue::Integer(number) => {
            let whole = i64::from_str_radix(number.as_str(), number.radix()).ok();
            whole.map_or_else(|| reader.wrong(item, "a smaller number"), |n| Some(n.to_string()))
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        _ => reader.wrong(item, "a string, a number, `true` or `false`"),
    }
}
