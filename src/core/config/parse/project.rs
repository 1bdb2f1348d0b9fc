//! `[project]`.

use std::{ops::Range, sync::Arc, time::Duration};

use super::{environment, service};
use crate::core::{
    config::{
        Project, domain, keys,
        reader::{Item, Reader, Section, Use},
    },
    diagnostic::{Diagnostic, SourceFile},
    id::{ProjectName, slug},
    near::quoted,
    plan::{EnvFiles, Limit, Strategy},
};

/// The section, where its domain is, and what its variables and its `on_event` use.
pub(super) type Header = (Project, Range<usize>, Vec<(Arc<str>, Use)>, Vec<Use>);

/// Reads the section, which must be there and have a name.
pub(super) fn read(
    reader: &mut Reader<'_>,
    item: Option<Item<'_>>,
    source: &SourceFile,
    dir_name: &str,
) -> Option<Header> {
    let Some(item) = item else {
        reader.report(nameless(
            first_character(source),
            "`[project]` with a `name` is missing",
            dir_name,
        ));
        return None;
    };
    let table = reader.table(item)?;
    let section = reader.section(table, keys::PROJECT, "`[project]`");
    let name = name(reader, item, &section, dir_name);
    let name_at = section.get("name").map_or_else(|| item.key.span(), |name| name.value.span());
    let strategy = section.get("strategy").and_then(|item| reader.word(item, keys::STRATEGIES));
    let named = section.get("domain").and_then(|item| domain::read(reader, item));
    let (max_restarts, restart_window) = intensity(reader, &section);
    let limit = Limit::default();
    let (env, uses) = environment::project(reader, section.get("env"));
    let env_files = match section.get("env_file") {
        Some(item) => EnvFiles::Named(reader.texts(item).unwrap_or_default()),
        None => EnvFiles::Default,
    };
    let on_event = section.get("on_event").and_then(|item| service::command(reader, item));
    let asides = std::mem::take(&mut reader.uses);
    let name = name?;
    let (domain, domain_at) = match named {
        Some(domain) => (domain.value, domain.range),
        None => (domain::default_for(&name), name_at.clone()),
    };
    if domain == domain::DASHBOARD {
        let message = format!("the domain `{domain}` is the dashboard's");
        reader.report(Diagnostic::at(name_at, message).help("choose another `domain`"));
    }
    let project = Project {
        name,
        domain,
        strategy: match strategy {
            Some(0) => Strategy::OneForOne,
            Some(2) => Strategy::OneForAll,
            _ => Strategy::RestForOne,
        },
        max_restarts: max_restarts.unwrap_or(limit.restarts),
        restart_window: restart_window.unwrap_or(limit.within),
        env,
        env_files,
        on_event,
    };
    Some((project, domain_at, uses, asides))
}

/// Stands in for a section with errors, so that services are checked all the same.
pub(super) fn placeholder() -> Header {
    let Limit { restarts, within, .. } = Limit::default();
    let project = Project {
        name: ProjectName::parse("unnamed").expect("it has letters only"),
        domain: "unnamed.localhost".to_owned(),
        strategy: Strategy::default(),
        max_restarts: restarts,
        restart_window: within,
        env: Vec::new().into(),
        env_files: EnvFiles::Default,
        on_event: None,
    };
    (project, 0..0, Vec::new(), Vec::new())
}

/// `max_restarts` and `restart_window`, which services have as well.
pub(super) fn intensity(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
) -> (Option<u32>, Option<Duration>) {
    let restarts = section.get("max_restarts").and_then(|item| reader.whole(item, 0, 1_000_000));
    let window = section.get("restart_window").and_then(|item| reader.pause(item));
    (restarts, window)
}

fn name(
    reader: &mut Reader<'_>,
    item: Item<'_>,
    section: &Section<'_>,
    dir_name: &str,
) -> Option<ProjectName> {
    let Some(name) = section.get("name") else {
        let message = "`[project]` has no `name`";
        reader.report(nameless(item.key.span(), message, dir_name));
        return None;
    };
    let text = reader.text(name)?;
    match ProjectName::parse(text.value) {
        Ok(name) => Some(name),
        Err(why) => {
            let message = format!("{} is not a name of a project: {why}", quoted(text.value));
            let mut wrong = Diagnostic::at(text.range, message);
            let suggestion = slug(text.value).or_else(|| slug(dir_name));
            wrong.help = suggestion.map(|slug| format!("try \"{slug}\""));
            reader.report(wrong);
            None
        }
    }
}

fn nameless(range: Range<usize>, message: &str, dir_name: &str) -> Diagnostic {
    let suggestion = slug(dir_name).unwrap_or_else(|| "my-project".to_owned());
    Diagnostic::at(range, message).help(format!("add `name = \"{suggestion}\"` under `[project]`"))
}

/// Somewhere to point at when something is missing altogether.
fn first_character(source: &SourceFile) -> Range<usize> {
    0..source.text.chars().next().filter(|c| !c.is_control()).map_or(0, char::len_utf8)
}
