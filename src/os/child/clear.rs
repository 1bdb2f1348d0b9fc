//! Ends a session so that nothing of it is left.

use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::time::timeout;

use super::{Child, Survivor};
use crate::os::{
    census::Member,
    pidfd::{self, Pidfd},
    proc,
};

/// How long the dead may take to go after SIGKILL.
const KILLED: Duration = Duration::from_secs(2);

/// How long we run after a session that forks faster than we can kill.
const HUNT: Duration = Duration::from_secs(30);

pub(super) async fn clear(
    child: &Child,
    signal: Option<Signal>,
    patience: impl Future<Output = ()>,
) -> Result<(), Vec<Survivor>> {
    if child.state().cleared {
        return Ok(());
    }
    let cleared = match signal {
        Some(signal) => tokio::select! {
            biased;
            () = ask(child, signal) => true,
            () = patience => false,
        },
        None => false,
    };
    if !cleared {
        kill(child).await?;
    }
    child.reap();
    Ok(())
}

/// Sends the signal to all there are, and completes when none is left. Whoever is born later is
/// not told: that is how a service cleans up behind itself.
async fn ask(child: &Child, signal: Signal) {
    child.signal_group(signal);
    // One that was stopped could not act on the signal.
    child.signal_group(Signal::SIGCONT);
    for member in others(child).await {
        if member.group != child.pid || !child.holds_number() {
            tell(member, signal);
            tell(member, Signal::SIGCONT);
        }
    }
    loop {
        wait_for_leader(child).await;
        let members = others(child).await;
        if members.is_empty() {
            return;
        }
        for member in members {
            gone(member).await;
        }
    }
}

async fn kill(child: &Child) -> Result<(), Vec<Survivor>> {
    // What is new in every round is a session that forks; it may take some rounds.
    let hunted = timeout(HUNT, async {
        let mut found_some = false;
        loop {
            child.signal_group(Signal::SIGKILL);
            // Before the look, or it could have forked after it.
            let leader_gone = child.ending().is_some();
            let members = others(child).await;
            if members.is_empty() && leader_gone {
                if !found_some {
                    return Ok(());
                }
                // Once more: what forks as fast as it is killed might be missed once.
                found_some = false;
                continue;
            }
            found_some |= !members.is_empty();
            for member in &members {
                tell(*member, Signal::SIGKILL);
            }
            all_gone(child, &members).await?;
        }
    })
    .await;
    match hunted {
        Ok(result) => result,
        Err(_) => still_there(child, &others(child).await),
    }
}

async fn all_gone(child: &Child, members: &[Member]) -> Result<(), Vec<Survivor>> {
    let all = async {
        wait_for_leader(child).await;
        for member in members {
            gone(*member).await;
        }
    };
    if in_time(all).await {
        return Ok(());
    }
    still_there(child, members)
}

fn still_there(child: &Child, members: &[Member]) -> Result<(), Vec<Survivor>> {
    let mut left: Vec<Survivor> = members
        .iter()
        .filter(|member| {
            proc::stat(member.pid).is_some_and(|stat| stat.started == member.started && stat.alive)
        })
        .map(|member| Survivor { pid: member.pid, command: proc::command_line(member.pid) })
        .collect();
    if child.ending().is_none() {
        left.push(Survivor { pid: child.pid, command: proc::command_line(child.pid) });
    }
    if left.is_empty() { Ok(()) } else { Err(left) }
}

async fn in_time(all: impl Future<Output = ()>) -> bool {
    timeout(KILLED, all).await.is_ok()
}

async fn wait_for_leader(child: &Child) {
    if child.ending().is_none() {
        child.pidfd.gone().await;
    }
}

/// All of the session but the leader.
async fn others(child: &Child) -> Vec<Member> {
    let mut members = child.members().await;
    members.retain(|member| member.pid != child.pid);
    members
}

fn tell(member: Member, signal: Signal) {
    if let Err(error) = pidfd::signal_verified(member.pid, member.started, signal) {
        tracing::warn!(pid = member.pid, %signal, %error, "cannot signal a process of a service");
    }
}

/// Completes when `member` has ended. One descriptor at a time: there may be few left.
async fn gone(member: Member) {
    match Pidfd::of(member.pid, member.started) {
        Ok(Some(pidfd)) => pidfd.gone().await,
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(pid = member.pid, %error, "cannot watch a process of a service");
            std::future::pending::<()>().await;
        }
    }
}
