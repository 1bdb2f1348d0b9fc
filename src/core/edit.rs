//! `locald.toml` with one more service in it; comments, order and formatting stay as they are.

mod name;
#[cfg(test)]
mod tests;

pub use name::name_of;
use toml_edit::{Array, Decor, DocumentMut, InlineTable, Item, Table, Value};

use super::id::{ProjectName, ServiceName};

/// A service to be added.
#[derive(Clone, Debug, PartialEq)]
pub struct Addition {
    /// Its name.
    pub name: ServiceName,
    /// Its keys, in the order they are written.
    pub keys: Vec<(&'static str, Setting)>,
}

/// The value of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Setting {
    /// A string.
    Text(String),
    /// An array of strings.
    List(Vec<String>),
}

/// What came of an addition.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Edited {
    /// The new text.
    Changed(String),
    /// A service of this name does the same already.
    There(ServiceName),
}

/// Why there is no new text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EditError {
    /// Another service has the name.
    #[error("there is a service `{0}` already, and it is another one")]
    Taken(ServiceName),
    /// The text is not TOML, or `services` is not a table.
    #[error("the file has errors")]
    Invalid,
}

/// A new file for a project without services.
pub fn new_file(project: &ProjectName) -> String {
    format!("[project]\nname = \"{project}\"\n")
}

/// `text` with the service added behind the others.
pub fn with_service(text: &str, addition: &Addition) -> Result<Edited, EditError> {
    let mut document: DocumentMut = text.parse().map_err(|_| EditError::Invalid)?;
    let services = document.entry("services").or_insert_with(|| {
        let mut services = Table::new();
        services.set_implicit(true);
        Item::Table(services)
    });
    let all = services.as_table_like_mut().ok_or(EditError::Invalid)?;
    for (name, service) in all.iter() {
        if is_same(service, addition) {
            return Ok(Edited::There(ServiceName::parse(name).map_err(|_| EditError::Invalid)?));
        }
        if name == addition.name.as_str() {
            return Err(EditError::Taken(addition.name.clone()));
        }
    }
    match services {
        Item::Table(table) if !table.is_dotted() => {
            table.insert(&addition.name, Item::Table(as_table(addition)));
        }
        Item::Value(Value::InlineTable(all)) => append(all, addition),
        other => {
            let all = other.as_table_like_mut().ok_or(EditError::Invalid)?;
            all.insert(&addition.name, Item::Value(as_inline(addition).into()));
        }
    }
    Ok(Edited::Changed(with_line_ends_of(text, document.to_string())))
}

/// A command as one word a string, if the shell makes the same of it; else word by word.
pub fn command(words: &[String]) -> Setting {
    let plain = |word: &String| {
        let harmless = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
        !word.is_empty() && word.chars().all(harmless)
    };
    // `A=b` in front would be an assignment.
    let assigns = words.first().is_some_and(|word| word.contains('='));
    match words {
        [line] => Setting::Text(line.clone()),
        words if words.iter().all(plain) && !assigns => Setting::Text(words.join(" ")),
        words => Setting::List(words.to_vec()),
    }
}

fn is_same(service: &Item, addition: &Addition) -> bool {
    let Some(service) = service.as_table_like() else { return false };
    let says = |(key, setting): &(&str, Setting)| {
        let value = service.get(key);
        match (value.and_then(Item::as_str), value.and_then(Item::as_array), setting) {
            (Some(text), _, Setting::Text(asked)) => text == asked,
            (_, Some(list), Setting::List(asked)) => {
                list.iter().map(Value::as_str).eq(asked.iter().map(|word| Some(word.as_str())))
            }
            _ => false,
        }
    };
    // Without a type it is an `exec`, said or not.
    let says_type = addition.keys.iter().any(|(key, _)| *key == "type");
    let same_kind = says_type || service.get("type").is_none_or(|it| it.as_str() == Some("exec"));
    // Two databases are two, two copies of a command a slip.
    let names_it = addition.keys.iter().any(|(key, _)| *key == "command");
    names_it && same_kind && addition.keys.iter().all(says)
}

fn as_table(addition: &Addition) -> Table {
    let mut table = Table::new();
    for (key, setting) in &addition.keys {
        table.insert(key, Item::Value(setting.into()));
    }
    table.decor_mut().set_prefix("\n");
    table
}

/// The space in front of the closing brace stays there.
fn append(all: &mut InlineTable, addition: &Addition) {
    let mut new = Value::InlineTable(as_inline(addition));
    if let Some((_, last)) = all.iter_mut().last() {
        let space = last.decor().suffix().and_then(|it| it.as_str()).unwrap_or_default().to_owned();
        if space.trim_matches(' ').is_empty() {
            last.decor_mut().set_suffix("");
            *new.decor_mut() = Decor::new(" ", space);
        }
    }
    all.insert(&*addition.name, new);
}

fn as_inline(addition: &Addition) -> InlineTable {
    let pairs = addition.keys.iter();
    let mut table: InlineTable = pairs.map(|(key, setting)| (*key, Value::from(setting))).collect();
    table.fmt();
    table
}

impl From<&Setting> for Value {
    fn from(setting: &Setting) -> Self {
        match setting {
            Setting::Text(text) => Self::from(text.as_str()),
            Setting::List(words) => {
                Self::Array(words.iter().map(String::as_str).collect::<Array>())
            }
        }
    }
}

/// New lines end as the old ones do.
fn with_line_ends_of(old: &str, new: String) -> String {
    let windows = old.contains("\r\n") && old.matches('\n').count() == old.matches("\r\n").count();
    if windows { new.replace("\r\n", "\n").replace('\n', "\r\n") } else { new }
}
