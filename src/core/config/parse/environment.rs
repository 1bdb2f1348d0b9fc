//! `env` tables.

use std::sync::Arc;

use crate::core::{
    config::reader::{Item, Reader, Use, in_order},
    diagnostic::Diagnostic,
    interpolate::{Foreign, Template},
    near::quoted,
    plan::Env,
};

/// A service's variables; their uses of services stay with the reader.
pub(super) fn service(reader: &mut Reader<'_>, item: Option<Item<'_>>) -> Env {
    let mut variables = Vec::new();
    each(reader, item, |_, name, template| variables.push((name, template)));
    sorted(variables)
}

/// The project's variables, and which of them use which services.
pub(super) fn project(
    reader: &mut Reader<'_>,
    item: Option<Item<'_>>,
) -> (Env, Vec<(Arc<str>, Use)>) {
    let mut variables = Vec::new();
    let mut uses = Vec::new();
    each(reader, item, |reader, name, template| {
        uses.extend(reader.uses.drain(..).map(|used| (Arc::clone(&name), used)));
        variables.push((name, template));
    });
    (sorted(variables), uses)
}

fn each<'r>(
    reader: &mut Reader<'r>,
    item: Option<Item<'_>>,
    mut take: impl FnMut(&mut Reader<'r>, Arc<str>, Template),
) {
    let Some(table) = item.and_then(|item| reader.table(item)) else { return };
    for item in in_order(table) {
        if item.name.is_empty() || item.name.contains(['=', '\0']) {
            let message = format!("{} cannot be the name of a variable", quoted(item.name));
            reader.report(Diagnostic::at(item.key.span(), message));
        } else if let Some(template) = reader.template(item, Foreign::Refused) {
            take(reader, item.name.into(), template);
        }
    }
}

fn sorted(mut variables: Vec<(Arc<str>, Template)>) -> Env {
    variables.sort_by(|(a, _), (b, _)| a.cmp(b));
    variables.into()
}
