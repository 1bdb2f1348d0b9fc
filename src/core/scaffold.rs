//! What a folder suggests for its `locald.toml`: each kind of project in a file of its own.

mod go;
mod javascript;
mod php;
mod procfile;
mod python;
mod ruby;
mod rust;
mod services;
mod site;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, BTreeSet};

pub use write::text;

use super::id::slug;

/// Files whose text says something.
pub const TELLING: [&str; 30] = [
    "Procfile",
    "Procfile.dev",
    "package.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "bun.lock",
    "bun.lockb",
    "deno.json",
    "deno.jsonc",
    "Cargo.toml",
    "manage.py",
    "pyproject.toml",
    "requirements.txt",
    "uv.lock",
    "poetry.lock",
    "main.py",
    "app.py",
    "Gemfile",
    "config.ru",
    "go.mod",
    "main.go",
    "composer.json",
    "artisan",
    "index.html",
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.yml",
    "compose.yaml",
    "hugo.toml",
];

/// Files and folders of which it is enough to know that they are there.
pub const TELLING_PLACES: [&str; 8] = [
    "bin/rails",
    ".venv/bin/python",
    "venv/bin/python",
    "src/main.rs",
    "public/index.php",
    "public/index.html",
    "dist/index.html",
    "bin/dev",
];

/// What is known of a folder.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// Where it is, from the project; empty: it is the project's.
    pub path: String,
    /// Those of [`TELLING`] that are there, with their text.
    pub files: BTreeMap<String, String>,
    /// Those of [`TELLING_PLACES`] that are there.
    pub places: BTreeSet<String>,
}

/// A service that would fit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proposal {
    /// Its name.
    pub name: String,
    /// What it was concluded from, and what to know about it: comment lines.
    pub why: Vec<String>,
    /// Its keys but for `depends_on`, the values as TOML.
    pub keys: Vec<(&'static str, String)>,
    /// What it depends on.
    pub needs: Vec<String>,
}

/// What the folders suggest, the project's first; those below count only if it suggests nothing itself.
pub fn propose(folders: &[Folder]) -> Vec<Proposal> {
    let (own, below): (Vec<&Folder>, Vec<&Folder>) =
        folders.iter().partition(|folder| folder.path.is_empty());
    let mut found: Vec<Proposal> = own.iter().flat_map(|folder| of(folder)).collect();
    if found.is_empty() {
        for folder in below {
            found.extend(of(folder).into_iter().map(|proposal| proposal.below(folder)));
        }
    }
    let provisioned: Vec<Proposal> = own.iter().flat_map(|folder| services::of(folder)).collect();
    let programs = found.len();
    found.extend(provisioned);
    let mut all = unique(found);
    let (programs, provisioned) = all.split_at_mut(programs);
    services::connect(programs, provisioned);
    all
}

/// The first kind of project that fits.
fn of(folder: &Folder) -> Vec<Proposal> {
    let kinds: [fn(&Folder) -> Vec<Proposal>; 8] =
        [procfile::of, python::of, ruby::of, php::of, javascript::of, rust::of, go::of, site::of];
    kinds.iter().map(|of| of(folder)).find(|found| !found.is_empty()).unwrap_or_default()
}

/// The same name twice is a number more.
fn unique(mut all: Vec<Proposal>) -> Vec<Proposal> {
    let mut taken = BTreeSet::new();
    for proposal in &mut all {
        let mut name = proposal.name.clone();
        let mut nth = 2;
        while !taken.insert(name.clone()) {
            name = format!("{}-{nth}", proposal.name);
            nth += 1;
        }
        proposal.name = name;
    }
    all
}

impl Folder {
    fn text(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(String::as_str)
    }

    fn has(&self, name: &str) -> bool {
        self.files.contains_key(name) || self.places.contains(name)
    }
}

impl Proposal {
    fn new(name: &str, why: impl Into<String>) -> Self {
        Self { name: name.to_owned(), why: vec![why.into()], keys: Vec::new(), needs: Vec::new() }
    }

    /// The service that serves the project.
    fn web(why: impl Into<String>) -> Self {
        Self::new("web", why)
    }

    fn with(mut self, key: &'static str, text: &str) -> Self {
        self.keys.push((key, write::quoted(text)));
        self
    }

    fn with_toml(mut self, key: &'static str, toml: impl Into<String>) -> Self {
        self.keys.push((key, toml.into()));
        self
    }

    fn note(mut self, line: impl Into<String>) -> Self {
        self.why.push(line.into());
        self
    }

    fn needing(mut self, service: &str) -> Self {
        self.needs.push(service.to_owned());
        self
    }

    /// Named after the folder it is in, and run there.
    fn below(mut self, folder: &Folder) -> Self {
        let Some(prefix) = slug(&folder.path) else { return self };
        let named = |name: &str| match name {
            "web" => prefix.clone(),
            name => format!("{prefix}-{name}"),
        };
        self.name = named(&self.name);
        self.needs = self.needs.iter().map(|name| named(name)).collect();
        match self.keys.iter_mut().find(|(key, _)| *key == "path") {
            Some((_, path)) => {
                let below = path.trim_matches('"');
                *path = write::quoted(format!("{}/{below}", folder.path).trim_end_matches("/."));
                self
            }
            None => self.with("workdir", &folder.path),
        }
    }
}
