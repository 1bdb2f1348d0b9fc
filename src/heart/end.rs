//! The end of everything that the heart is the last parent of.

use std::{
    collections::{HashMap, HashSet},
    fs,
    time::Duration,
};

use nix::sys::signal::Signal;

use super::say;
use crate::os::{
    clock,
    paths::Places,
    pidfd,
    proc::{self, StartTime},
    wait,
};

/// How long services may take that nobody can ask for their own limits any more.
const GRACE: Duration = Duration::from_secs(5);
/// How long the dead may take to go.
const KILLED: Duration = Duration::from_secs(2);
/// How often is looked who is left.
const LOOK: Duration = Duration::from_millis(20);

/// SIGTERM, then SIGKILL, for all descendants; returns when none is left.
pub(super) fn everything() {
    for (signal, limit) in [(Signal::SIGTERM, GRACE), (Signal::SIGKILL, KILLED)] {
        let deadline = clock::now() + limit;
        let mut told = HashSet::new();
        loop {
            reap_all();
            let left = descendants();
            if left.is_empty() {
                return;
            }
            for &(pid, started) in &left {
                // Once, but for what is new; a descendant that was stopped cannot act on it.
                if told.insert((pid, started)) {
                    for signal in [signal, Signal::SIGCONT] {
                        let _gone = pidfd::signal_verified(pid, started, signal);
                    }
                }
            }
            if clock::now() >= deadline {
                break;
            }
            clock::pause(LOOK);
        }
    }
    for (pid, _) in descendants() {
        say(&format!("SIGKILL did not end {pid} ({})", proc::command_line(pid)));
    }
}

fn reap_all() {
    while let Ok(Some(pid)) = wait::peek_any() {
        if wait::reap_pid(pid).is_err() {
            return;
        }
    }
}

/// The living processes whose parents lead to us.
fn descendants() -> Vec<(i32, StartTime)> {
    let own = std::process::id().cast_signed();
    let all: HashMap<i32, proc::Stat> = proc::pids()
        .map(|pids| pids.filter_map(|pid| Some((pid, proc::stat(pid)?))).collect())
        .unwrap_or_default();
    let ours = |mut pid: i32| {
        for _step in 0..all.len() {
            match all.get(&pid) {
                Some(stat) if stat.parent == own => return true,
                Some(stat) => pid = stat.parent,
                None => return false,
            }
        }
        false
    };
    let living = all.iter().filter(|(pid, stat)| stat.alive && ours(**pid));
    living.map(|(pid, stat)| (*pid, stat.started)).collect()
}

/// For the next command that finds no daemon.
pub(super) fn leave_word(text: &str) {
    let Ok(places) = Places::find(|name| std::env::var_os(name)) else { return };
    let text = format!("{text}, and everything it ran was stopped\n");
    if let Err(error) = fs::write(places.last_word(), text) {
        say(&format!("cannot write {}: {error}", places.last_word().display()));
    }
}
