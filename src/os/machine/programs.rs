//! Programs of others: what there is of them.

use std::{
    env::consts::{ARCH, OS},
    ffi::OsStr,
    path::PathBuf,
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

/// What there is in the folders of this `PATH`, but for servers.
pub fn tools(path: &OsStr) -> Tools {
    let there = |name: &&str| find(path, name).is_some();
    Tools {
        postgres: Vec::new(),
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
