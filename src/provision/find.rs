//! Finds the programs of a server on this machine.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Request, fetch, place::Place};
use crate::{
    core::provision::{Product, Version},
    os::{exec, tool},
};

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the programs of a server may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    /// Names of the server.
    pub(super) programs: &'static [&'static str],
    /// What must be in the same folder.
    pub(super) beside: &'static [&'static str],
    /// The variable that names a folder: then there is no other.
    pub(super) variable: &'static str,
    /// Folders besides those of `PATH`; one `*` each stands for any name.
    pub(super) folders: &'static [&'static str],
    /// Whether it can be fetched.
    pub(super) is_fetched: bool,
    /// How to come by it.
    pub(super) install: &'static str,
}

/// A server on this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Found {
    /// The program.
    pub(super) server: PathBuf,
    /// Its version.
    pub(super) version: Version,
}

impl Found {
    /// Another program of the same installation.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.server.with_file_name(name)
    }
}

/// Every server there is.
pub(super) async fn all(search: &Search, request: &Request<'_>, place: &Place) -> Vec<Found> {
    let shelf = fetch::shelf(place);
    in_folders(search, folders(search, |name| request.variable(name), &[shelf])).await
}

/// The folders that the environment and habit name, and those of what was fetched onto `shelves`.
pub(super) fn folders(
    search: &Search,
    variable: impl Fn(&str) -> Option<String>,
    shelves: &[PathBuf],
) -> Vec<PathBuf> {
    if let Some(folder) = variable(search.variable) {
        return vec![PathBuf::from(&folder), Path::new(&folder).join("bin")];
    }
    let path = variable("PATH").unwrap_or_default();
    let path = env::split_paths(&path).filter(|folder| folder.is_absolute());
    let known = search.folders.iter().flat_map(|folder| matching(folder));
    let shelves = if search.is_fetched { shelves } else { &[] };
    let fetched = shelves.iter().flat_map(|shelf| fetch::fetched(shelf));
    path.chain(known).chain(fetched).collect()
}

/// Whether somebody has said where it is.
pub(super) fn is_told(search: &Search, request: &Request<'_>) -> bool {
    request.variable(search.variable).is_some()
}

/// Every server in these folders.
pub(super) async fn in_folders(search: &Search, folders: Vec<PathBuf>) -> Vec<Found> {
    let mut found = Vec::new();
    for server in programs(search, folders) {
        let said = tool::run(&server, &["--version"], PATIENCE).await;
        let version = said.ok().and_then(|text| Version::find(&String::from_utf8_lossy(&text)));
        if let Some(version) = version {
            found.push(Found { server, version });
        } else {
            tracing::warn!(server = %server.display(), "it does not tell its version");
        }
    }
    found
}

/// The newest that is good enough, or all that are not.
pub(super) fn newest(
    found: Vec<Found>,
    is_good: impl Fn(&Version) -> bool,
) -> Result<Found, Vec<Found>> {
    let good = found.iter().filter(|found| is_good(&found.version));
    // Of equal ones the first: that is the one in `PATH`.
    let newest = good.rev().max_by(|a, b| a.version.cmp(&b.version)).cloned();
    newest.ok_or(found)
}

/// That there is none, why it was not fetched, and what to do.
pub(super) fn none(
    product: Product,
    search: &Search,
    wanted: Option<&Version>,
    found: &[Found],
    why: Option<&str>,
) -> String {
    let wanted = wanted.map_or_else(String::new, |wanted| format!(" {wanted}"));
    let found: Vec<String> = found
        .iter()
        .map(|found| format!("{} ({})", found.version, found.server.display()))
        .collect();
    let found =
        if found.is_empty() { String::new() } else { format!(", which has {}", found.join(", ")) };
    let why = why.map_or_else(String::new, |why| format!(", and it cannot be fetched ({why})"));
    format!(
        "no {}{wanted} on this machine{found}{why}: install it ({}), or set {} to the folder that has \
         its programs",
        product.title(),
        search.install,
        search.variable
    )
}

/// The programs there are, each once, in the order of the folders.
pub(super) fn programs(search: &Search, folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let mut programs = Vec::new();
    for folder in folders {
        for name in search.programs {
            let named = folder.join(name);
            // Links lead to where the other programs are, unless one program goes by many names.
            let Ok(real) = named.canonicalize() else { continue };
            let program = if real.file_name() == Some(OsStr::new(name)) { &real } else { &named };
            let complete = search.beside.iter().all(|it| program.with_file_name(it).exists());
            if complete && exec::is_program(program) && seen.insert(real.clone()) {
                programs.push(program.clone());
            }
        }
    }
    programs
}

/// The folders that a pattern with at most one `*` stands for.
fn matching(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![pattern.into()] };
    let (parent, start) = before.rsplit_once('/').unwrap_or(("", before));
    let (end, below) = after.split_once('/').unwrap_or((after, ""));
    let fits = |name: &OsStr| {
        let name = name.as_bytes();
        name.len() >= start.len() + end.len()
            && name.starts_with(start.as_bytes())
            && name.ends_with(end.as_bytes())
    };
    let entries = fs::read_dir(Path::new(parent)).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name()).filter(|name| fits(name));
    let mut found: Vec<_> = names.map(|name| Path::new(parent).join(name).join(below)).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(server: &str, version: &str) -> Found {
        Found { server: server.into(), version: Version::parse(version).unwrap() }
    }

    #[test]
    fn the_newest_that_is_good_enough_and_of_equals_the_first() {
        let all = vec![found("/a", "15.3"), found("/b", "16.10"), found("/c", "16.10")];
        assert_eq!(newest(all.clone(), |_| true), Ok(all[1].clone()));
        assert_eq!(newest(all.clone(), |version| version.major() == 15), Ok(all[0].clone()));
        assert_eq!(newest(all.clone(), |version| version.major() == 17), Err(all));
    }

    #[test]
    fn a_star_stands_for_any_name() {
        let top = tempfile::tempdir().unwrap();
        for name in ["16/bin", "9.6/bin", "notes"] {
            fs::create_dir_all(top.path().join(name)).unwrap();
        }
        let top = top.path().to_str().unwrap();
        let names = |pattern: &str| -> Vec<String> {
            let found = matching(&format!("{top}/{pattern}")).into_iter();
            let below = |path: PathBuf| path.strip_prefix(top).unwrap().display().to_string();
            found.map(below).filter(|path| Path::new(top).join(path).is_dir()).collect()
        };
        assert_eq!(names("*/bin"), ["16/bin", "9.6/bin"]);
        assert_eq!(names("n*s"), ["notes"]);
        assert_eq!(names("16/bin"), ["16/bin"]);
    }

    #[test]
    fn what_is_missing_is_told_with_both_ways_out() {
        let search = Search {
            programs: &["postgres"],
            beside: &[],
            variable: "LOCALD_POSTGRES_DIR",
            folders: &[],
            is_fetched: true,
            install: "apt install postgresql",
        };
        let wanted = Version::parse("99");
        let there = [found("/usr/lib/postgresql/15/bin/postgres", "15.13")];
        let why = Some("no network");
        let text = none(Product::Postgres, &search, wanted.as_ref(), &there, why);
        for part in
            ["no PostgreSQL 99", "has 15.13", "(no network)", "apt install", "LOCALD_POSTGRES_DIR"]
        {
            assert!(text.contains(part), "{part:?} in {text}");
        }
    }
}
