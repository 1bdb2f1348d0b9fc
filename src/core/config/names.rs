//! The names in a configuration, also in one with errors: for a person who is in the middle of typing.

use toml::de::{DeTable, DeValue};

use crate::core::id::ServiceName;

/// A service, as far as a file tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Named {
    /// Its name.
    pub name: ServiceName,
    /// What the file has as its type.
    pub kind: Option<String>,
}

/// The services of a `locald.toml`, in no particular order.
pub fn names_in_toml(text: &str) -> Vec<Named> {
    let (table, _errors) = DeTable::parse_recoverable(text);
    let Some(DeValue::Table(services)) =
        table.get_ref().get("services").map(toml::Spanned::get_ref)
    else {
        return Vec::new();
    };
    let named = services.iter().filter_map(|(name, value)| {
        let kind = match value.get_ref() {
            DeValue::Table(service) => service.get("type").and_then(|kind| kind.get_ref().as_str()),
            _ => None,
        };
        let name = ServiceName::parse(name.get_ref()).ok()?;
        Some(Named { name, kind: kind.map(str::to_owned) })
    });
    named.collect()
}

/// The services of a `Procfile`.
pub fn names_in_procfile(text: &str) -> Vec<Named> {
    let name = |line: &str| ServiceName::parse(line.split_once(':')?.0.trim()).ok();
    text.lines().filter_map(name).map(|name| Named { name, kind: None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let mut names: Vec<String> =
            names_in_toml(text).iter().map(|named| named.name.to_string()).collect();
        names.sort();
        names
    }

    #[test]
    fn services_are_found_however_they_are_written() {
        let text = "services.api.command = \"x\"\n[services]\n";
        assert_eq!(names(text), ["api"]);
        assert_eq!(names("services = { web = { command = \"x\" }, db = {} }"), ["db", "web"]);
        let typed = names_in_toml("[services.db]\ntype = \"postgres\"\n");
        assert_eq!(typed[0].kind.as_deref(), Some("postgres"));
    }

    #[test]
    fn errors_elsewhere_do_not_matter() {
        let text = "[project]\nname = \n[services.web]\ncommand = \"half a str\n\
                    [services.api]\ncommand = [1,\n[services.BAD]\n[services.db]\n";
        assert!(names(text).contains(&"web".to_owned()), "{:?}", names(text));
        for garbage in ["", "\0", "]]]", "services = 3", "[services]\n1 = 2"] {
            names(garbage);
        }
    }

    #[test]
    fn a_procfile_has_names_too() {
        let found = names_in_procfile("# a: comment\nweb: npm start\n\nwor");
        assert_eq!(found.len(), 1);
        assert_eq!(&*found[0].name, "web");
    }
}
