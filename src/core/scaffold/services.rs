//! Databases of a compose file: provided by locald, so that no container is needed.

use super::{Folder, Proposal, write};

const FILES: [&str; 4] =
    ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// What locald has in place of a container.
struct Stand {
    /// Its type.
    kind: &'static str,
    /// What the service is called.
    name: &'static str,
    /// The images that it stands for.
    images: &'static [&'static str],
    /// Whether the version matters: that of data does, that of a cache only keeps it from starting.
    is_versioned: bool,
    /// The variable by which programs find it.
    variable: &'static str,
}

const STANDS: [Stand; 2] = [
    Stand {
        kind: "postgres",
        name: "db",
        images: &["postgres"],
        is_versioned: true,
        variable: "DATABASE_URL",
    },
    Stand {
        kind: "redis",
        name: "redis",
        images: &["redis", "valkey"],
        is_versioned: false,
        variable: "REDIS_URL",
    },
];

pub(super) fn of(folder: &Folder) -> Vec<Proposal> {
    let Some((file, text)) = FILES.iter().find_map(|it| Some((it, folder.text(it)?))) else {
        return Vec::new();
    };
    let found = |stand: &Stand| {
        let (image, tag) = text.lines().find_map(|line| {
            stand.images.iter().find_map(|image| Some((image, tag_of(line, image)?)))
        })?;
        let why = format!("`{image}` of {file}, without a container");
        let proposal = Proposal::new(stand.name, why).with("type", stand.kind);
        Some(match major(tag).filter(|_| stand.is_versioned) {
            Some(major) => proposal.with("version", major),
            None => proposal,
        })
    };
    STANDS.iter().filter_map(found).collect()
}

/// Tells the others where to find them.
pub(super) fn connect(programs: &mut [Proposal], provisioned: &[Proposal]) {
    let variables = provisioned.iter().filter_map(|provided| {
        let is_of = |stand: &&Stand| {
            provided
                .keys
                .iter()
                .any(|(key, value)| *key == "type" && *value == write::quoted(stand.kind))
        };
        let variable = STANDS.iter().find(is_of)?.variable;
        Some(format!("{variable} = \"${{services.{}.url}}\"", provided.name))
    });
    let variables: Vec<String> = variables.collect();
    if variables.is_empty() {
        return;
    }
    let env = format!("{{ {} }}", variables.join(", "));
    let runs = |program: &&mut Proposal| program.keys.iter().any(|(key, _)| *key == "command");
    for program in programs.iter_mut().filter(runs) {
        program.keys.push(("env", env.clone()));
    }
}

/// The tag in `image: "postgres:16-alpine"`; empty if there is none.
fn tag_of<'t>(line: &'t str, image: &str) -> Option<&'t str> {
    let value = line.trim().strip_prefix("image:")?.trim().trim_matches(['"', '\'']);
    let name = value.rsplit('/').next()?;
    let tag = name.strip_prefix(image)?;
    if tag.is_empty() { Some("") } else { tag.strip_prefix(':') }
}

fn major(tag: &str) -> Option<&str> {
    let digits = tag.split(|c: char| !c.is_ascii_digit()).next()?;
    (!digits.is_empty()).then_some(digits)
}
