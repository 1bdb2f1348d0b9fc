//! Processes of an earlier life that still run in a server's folder: two on one data would ruin it.

use std::{fs, path::Path, time::Duration};

use nix::sys::signal::Signal;
use tokio::time::timeout;

use super::place::Place;
use crate::os::{
    pidfd::{Pidfd, signal_verified},
    proc::{self, StartTime},
};

/// How long they may take to end as they should.
const GRACE: Duration = Duration::from_secs(20);
/// How long the dead may take to go after SIGKILL.
const KILLED: Duration = Duration::from_secs(5);
/// What runs there as a server does. A shell of somebody who looks around is none of our business.
const NAMES: [&str; 5] = ["postgres", "initdb", "redis-server", "valkey-server", "postmaster"];

/// Ends them, in their way and then in ours.
pub(super) async fn end(
    place: &Place,
    signal: Signal,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<(), String> {
    for (signal, patience) in
        [(signal, GRACE), (Signal::SIGKILL, KILLED), (Signal::SIGKILL, KILLED)]
    {
        let found = look(place.ground()).await;
        if found.is_empty() {
            return Ok(());
        }
        tell("waiting for the end of a server that was left behind");
        for &(pid, started) in &found {
            tracing::warn!(pid, %signal, "a server of an earlier life is ended");
            signal_verified(pid, started, signal)
                .map_err(|error| format!("cannot end process {pid} on its data: {error}"))?;
        }
        let all = async {
            for (pid, started) in found {
                if let Ok(Some(pidfd)) = Pidfd::of(pid, started) {
                    pidfd.gone().await;
                }
            }
        };
        let _in_time = timeout(patience, all).await;
    }
    match look(place.ground()).await.first() {
        None => Ok(()),
        Some((pid, _)) => Err(format!("process {pid} works on its data and cannot be ended")),
    }
}

async fn look(ground: &Path) -> Vec<(i32, StartTime)> {
    let ground = ground.canonicalize().unwrap_or_else(|_| ground.to_owned());
    let looking = tokio::task::spawn_blocking(move || {
        let pids = proc::pids().into_iter().flatten();
        pids.filter(|&pid| works_in(pid, &ground))
            .filter_map(|pid| {
                let stat = proc::stat(pid)?;
                stat.alive.then_some((pid, stat.started))
            })
            .collect()
    });
    looking.await.unwrap_or_default()
}

fn works_in(pid: i32, ground: &Path) -> bool {
    let folder = fs::read_link(format!("/proc/{pid}/cwd"));
    if !folder.is_ok_and(|folder| folder.starts_with(ground)) {
        return false;
    }
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    NAMES.contains(&name.trim_end())
}
