//! Databases that locald provides: what was written is there after whatever happens.

mod claim;
mod fetch;
mod postgres;
mod redis;

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use nix::sys::signal::Signal;

use crate::support::{Home, Project, eventually, kernel, skip};

/// A user that the system has a name for, which `initdb` wants; nobody's programs run as it.
const NOBODY: u32 = 65_534;

/// A home of root's and one of an ordinary user's, or that of whoever runs the tests.
fn homes() -> Vec<Home> {
    if kernel::am_root() { vec![Home::new(), Home::of(NOBODY)] } else { vec![Home::new()] }
}

/// Whether there is such a program; says so if not.
pub(crate) fn has(programs: &[&str]) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&folders).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    let missing =
        programs.iter().find(|name| !folders.iter().any(|folder| folder.join(name).exists()));
    if let Some(missing) = missing {
        skip(format!("{missing} is not installed"));
    }
    missing.is_none()
}

/// Kills the daemon, whatever keeps it alive, and these services, all at once.
fn kill_everything(home: &Home, project: &Project<'_>, services: &[&str]) {
    let status = project.status();
    let heart = home.status().value()["daemon"]["heart"].as_i64();
    let heart = heart.and_then(|pid| i32::try_from(pid).ok());
    let services = services.iter().map(|name| status.service(name).pid());
    let all: Vec<i32> = heart.into_iter().chain([home.daemon_pid()]).chain(services).collect();
    // Stopped first: none must have the time to mind the death of another.
    for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
        for &pid in &all {
            kernel::kill(pid, signal);
        }
    }
    // To its last thread: one may still have the daemon's socket.
    let is_dead = |&pid: &i32| kernel::stat(pid).is_none_or(|it| it.state == 'Z' && it.threads < 2);
    eventually("all are dead", || all.iter().all(is_dead).then_some(()));
}

/// The user that a process runs as.
fn user_of(pid: i32) -> u32 {
    owner(Path::new(&format!("/proc/{pid}")))
}

fn owner(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").uid()
}

/// Nobody but its owner may look into it.
fn assert_private(path: &Path) {
    let mode = fs::metadata(path).expect("it is there").mode();
    assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
}

/// How to get into a service.
fn url(project: &Project<'_>, service: &str) -> String {
    project.locald(["url", service]).ok().stdout.trim().to_owned()
}
