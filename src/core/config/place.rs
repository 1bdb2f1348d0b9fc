//! Where a part of a configuration stands, for those who find something wrong with it later.

use std::ops::Range;

use super::{keys, parse, procfile, reader::Reader};
use crate::core::{diagnostic::SourceFile, id::ServiceName};

/// A part of a configuration.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// The project's name.
    Name,
    /// The project's domain, or what it comes from.
    Domain,
    /// A service's own domain, or what its default comes from.
    Service(&'a ServiceName),
}

/// Where a part stands in a valid configuration; none if it comes from elsewhere.
pub fn place_of(source: &SourceFile, dir_name: &str, part: Part<'_>) -> Option<Range<usize>> {
    if source.path.extension().is_none() {
        return match part {
            Part::Name | Part::Domain => None,
            Part::Service(name) => procfile::place_of(source, name),
        };
    }
    let tree = parse::tree(&source.text).ok()?;
    let mut reader = Reader::new(&source.text);
    let draft = parse::draft(&mut reader, &tree, source, dir_name);
    match part {
        Part::Domain => Some(draft.domain_at),
        Part::Service(name) => {
            let service = draft.services.into_iter().find(|one| one.service.name == *name)?;
            Some(service.domain.map_or(service.name_at, |domain| domain.range))
        }
        Part::Name => {
            let root = reader.section(&tree, keys::ROOT, "the file");
            let table = reader.table(root.get("project")?)?;
            let section = reader.section(table, keys::PROJECT, "`[project]`");
            Some(section.get("name")?.value.span())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_found_where_it_is_written_or_comes_from() {
        let text = "[project]\nname = \"shop\"\n[services.web]\ncommand = \"x\"\n\
                    [services.api]\ncommand = \"x\"\ndomain = \"a.test\"\n";
        let at = |path: &str, text: &str, part: Part<'_>| {
            let source = SourceFile { path: path.into(), text: text.to_owned() };
            place_of(&source, "shop", part).map(|range| source.text[range].to_owned())
        };
        let name = |name| ServiceName::parse(name).expect("a name");
        let toml = |part: Part<'_>| at("/shop/locald.toml", text, part);
        assert_eq!(toml(Part::Name).as_deref(), Some("\"shop\""));
        assert_eq!(toml(Part::Domain).as_deref(), Some("\"shop\""));
        assert_eq!(toml(Part::Service(&name("web"))).as_deref(), Some("web"));
        assert_eq!(toml(Part::Service(&name("api"))).as_deref(), Some("\"a.test\""));
        assert_eq!(toml(Part::Service(&name("none"))), None);
        let named = text.replace("[services.web]", "domain = \"b.test\"\n[services.web]");
        let named = at("/shop/locald.toml", &named, Part::Domain);
        assert_eq!(named.as_deref(), Some("\"b.test\""));
        let procfile = |part: Part<'_>| at("/shop/Procfile", "# x\nweb: serve\n", part);
        assert_eq!(procfile(Part::Service(&name("web"))).as_deref(), Some("web"));
        assert_eq!(procfile(Part::Domain), None);
    }
}
