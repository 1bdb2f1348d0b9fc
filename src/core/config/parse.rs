//! TOML → [`Draft`]: shapes and values of each part; what concerns several parts is checked later.

mod dependency;
mod environment;
mod health;
mod project;
mod provided;
mod service;

use std::collections::HashMap;

use toml::de::DeTable;

use super::{
    draft::Draft,
    keys,
    reader::{At, Item, Reader, in_order},
};
use crate::core::{
    diagnostic::{Diagnostic, SourceFile},
    id::ServiceName,
    near::quoted,
};

/// The services of the file, so that a name is stored once.
pub(super) type Names<'t> = HashMap<&'t str, ServiceName>;

/// The tree of a file, or its first error of syntax: later ones may only follow from it.
pub(super) fn tree(text: &str) -> Result<DeTable<'_>, Diagnostic> {
    match DeTable::parse(text) {
        Ok(table) => Ok(table.into_inner()),
        Err(error) => {
            let range = on_characters(text, error.span().unwrap_or(0..0));
            let message = match error.message() {
                "duplicate key" => format!("duplicate key {}", quoted(&text[range.clone()])),
                message => message.to_owned(),
            };
            Err(Diagnostic::at(range, message))
        }
    }
}

/// What the file says; anything wrong is noted in the reader.
pub(super) fn draft<'t>(
    reader: &mut Reader<'_>,
    table: &'t DeTable<'t>,
    source: &SourceFile,
    dir_name: &str,
) -> Draft {
    let root = reader.section(table, keys::ROOT, "the file");
    let services = root.get("services").and_then(|item| reader.table(item));
    let services = services.map(|table| in_order(table)).unwrap_or_default();
    let names = names(reader, &services);
    let header = project::read(reader, root.get("project"), source, dir_name);
    let services: Vec<_> = services
        .into_iter()
        .filter_map(|item| {
            let name = names.get(item.name)?.clone();
            service::read(reader, &names, At { value: name, range: item.key.span() }, item)
        })
        .collect();
    let (project, domain_at, uses, asides) = header.unwrap_or_else(project::placeholder);
    let names = names.into_values().collect();
    Draft { project, domain_at, uses, asides, names, services }
}

fn names<'t>(reader: &mut Reader<'_>, services: &[Item<'t>]) -> Names<'t> {
    let mut names = Names::with_capacity(services.len());
    for item in services {
        match ServiceName::parse(item.name) {
            Ok(name) => {
                names.insert(item.name, name);
            }
            Err(why) => {
                let message = format!("{} is not a name of a service: {why}", quoted(item.name));
                let mut wrong = Diagnostic::at(item.key.span(), message);
                wrong.help = crate::core::id::slug(item.name).map(|slug| format!("try `{slug}`"));
                reader.report(wrong);
            }
        }
    }
    names
}

/// A range from elsewhere, made one that a label may have.
fn on_characters(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(range.start);
    start..boundary(range.end).max(start)
}
