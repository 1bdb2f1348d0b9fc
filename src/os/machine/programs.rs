//! Programs of others: what there is of them.

use std::{
    env::consts::{ARCH, OS},
    ffi::OsStr,
    path::{Path, PathBuf},
};

use crate::{
    core::{doctor::facts::Tools, registry},
    os::exec::is_program,
};

/// What projects are built with.
const BUILD: [&str; 14] = [
    "sh", "git", "cc", "make", "cargo", "go", "node", "npm", "python3", "ruby", "java", "php",
    "docker", "podman",
];
const INSTALLERS: [&str; 6] = ["apt-get", "dnf", "pacman", "zypper", "apk", "brew"];
/// Where Postgres is that is in nobody's `PATH`: a folder of versions, and what is below each.
const POSTGRES: [(&str, &str); 4] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr/local/opt", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr", "bin"),
];

/// What there is in the folders of this `PATH`, in those that are known, and in that of what was fetched.
pub fn tools(path: &OsStr, fetched: &Path) -> Tools {
    let there = |name: &&str| find(path, name).is_some();
    let mut postgres: Vec<PathBuf> = find(path, "initdb")
        .and_then(|initdb| Some(initdb.parent()?.to_owned()))
        .into_iter()
        .collect();
    let known = POSTGRES.map(|(versions, below)| (Path::new(versions), below));
    for (versions, below) in known.into_iter().chain([(fetched, "bin")]) {
        let entries = std::fs::read_dir(versions).into_iter().flatten().flatten();
        let programs = entries.map(|version| version.path().join(below));
        postgres.extend(programs.filter(|dir| is_program(&dir.join("initdb"))));
    }
    postgres.sort();
    postgres.dedup();
    Tools {
        postgres,
        package: registry::platform(OS, ARCH).map(registry::package),
        found: BUILD.into_iter().filter(there).collect(),
        missing: Vec::new(),
        installer: INSTALLERS.into_iter().find(|name| there(name)),
    }
}

/// Those of these programs that are not in this `PATH`.
pub fn missing(mut programs: Vec<String>, path: &OsStr) -> Vec<String> {
    programs.retain(|program| find(path, program).is_none());
    programs.sort();
    programs.dedup();
    programs
}

fn find(path: &OsStr, name: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|dir| dir.join(name)).find(|program| is_program(program))
}
