//! `depends_on`.

use toml::de::DeValue;

use super::Names;
use crate::core::{
    config::{
        draft::Dependency,
        keys,
        reader::{At, Item, Reader},
    },
    diagnostic::Diagnostic,
    id::ServiceName,
    near::quoted,
    plan::{Bond, Condition},
};

/// Reads the list; unknown services are noted and left out.
pub(super) fn read(
    reader: &mut Reader<'_>,
    names: &Names<'_>,
    item: Option<Item<'_>>,
) -> Vec<Dependency> {
    let Some(list) = item.and_then(|item| reader.list(item)) else { return Vec::new() };
    list.collect::<Vec<_>>().into_iter().filter_map(|item| entry(reader, names, item)).collect()
}

/// The service that a text names, if the file has it.
pub(in crate::core::config) fn known(
    reader: &mut Reader<'_>,
    names: &Names<'_>,
    text: &At<&str>,
) -> Option<ServiceName> {
    let name = names.get(text.value).cloned();
    if name.is_none() {
        let message = format!("unknown service {}", quoted(text.value));
        let mut wrong = Diagnostic::at(text.range.clone(), message);
        wrong.help = reader.advice(text.value, names.keys().copied());
        reader.report(wrong);
    }
    name
}

fn entry(reader: &mut Reader<'_>, names: &Names<'_>, item: Item<'_>) -> Option<Dependency> {
    let table = match item.value.get_ref() {
        DeValue::String(_) => {
            let text = reader.text(item)?;
            let value = known(reader, names, &text)?;
            let on = At { value, range: text.range };
            return Some(Dependency { on, condition: None, bond: None });
        }
        DeValue::Table(table) => table,
        _ => {
            return reader
                .wrong(item, "names of services or tables such as `{ service = \"db\" }`");
        }
    };
    let section = reader.section(table, keys::DEPENDENCY, "`depends_on`");
    let condition = section.get("condition").and_then(|item| {
        let word = reader.word(item, keys::CONDITIONS)?;
        let value = [Condition::Healthy, Condition::Started, Condition::Completed][word];
        Some(At { value, range: item.value.span() })
    });
    let bond = section.get("bond").and_then(|item| reader.word(item, keys::BONDS));
    let bond = bond.map(|word| [Bond::Loose, Bond::Crash, Bond::Always][word]);
    let Some(service) = section.get("service") else {
        let message = "this dependency names no `service`";
        reader.report(Diagnostic::at(item.value.span(), message));
        return None;
    };
    let text = reader.text(service)?;
    let value = known(reader, names, &text)?;
    Some(Dependency { on: At { value, range: text.range }, condition, bond })
}
