use std::sync::Arc;

use tokio::time::Instant;

use super::*;
use crate::os::testing::{eventually, marked, on_terminal, sh, soon, start};

const NOW: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_mins(1);

fn alive(pid: i32) -> bool {
    proc::stat(pid).is_some_and(|stat| stat.alive)
}

fn exists(pid: i32) -> bool {
    proc::stat(pid).is_some()
}

#[tokio::test]
async fn endings_are_told_as_they_were() {
    for (script, expected) in [
        ("exit 0", Ending::Code(0)),
        ("exit 255", Ending::Code(255)),
        ("kill -SEGV $$", Ending::Signal(libc::SIGSEGV)),
        ("kill -35 $$", Ending::Signal(35)),
    ] {
        let (spawned, _out) = start(&sh(script));
        assert_eq!(soon(spawned.child.exited()).await, expected, "{script}");
        spawned.child.clear(None, NOW).await.unwrap();
        assert_eq!(soon(spawned.child.exited()).await, expected, "after the reaping");
    }
}

#[tokio::test]
async fn a_dead_leader_keeps_its_number_until_cleared() {
    let (spawned, _out) = start(&sh("exit 1"));
    let child = spawned.child;
    soon(child.exited()).await;
    // Another's orphan comes and goes: the sweep has passed.
    let (other, mut out) = start(&sh("sh -c 'echo $$; exec sleep 0.01' & exit"));
    let orphan = out.pid().await;
    soon(other.child.exited()).await;
    other.child.clear(None, NOW).await.unwrap();
    assert!(exists(child.pid()) && !alive(child.pid()), "a zombie");
    child.clear(None, NOW).await.unwrap();
    assert!(!exists(child.pid()));
    eventually(|| !exists(orphan)).await;
    child.clear(Some(Signal::SIGTERM), LONG).await.unwrap();
    child.signal_group(Signal::SIGKILL);
}

#[tokio::test]
async fn the_willing_are_not_kept_waiting() {
    let script = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.01; done";
    let (spawned, mut out) = start(&sh(script));
    assert_eq!(out.next().await, "up");
    soon(spawned.child.clear(Some(Signal::SIGTERM), LONG)).await.unwrap();
    assert_eq!(spawned.child.exited().await, Ending::Code(3));
    assert_eq!(out.rest().await, "bye\n");
}

#[tokio::test]
async fn the_stubborn_are_killed_after_the_grace() {
    let (spawned, mut out) = start(&sh("trap '' TERM; echo up; while :; do sleep 1; done"));
    assert_eq!(out.next().await, "up");
    let began = Instant::now();
    let grace = Duration::from_millis(200);
    soon(spawned.child.clear(Some(Signal::SIGTERM), grace)).await.unwrap();
    assert!(began.elapsed() >= grace);
    assert_eq!(spawned.child.exited().await, Ending::Signal(libc::SIGKILL));
}

#[tokio::test]
async fn a_grandchild_that_ignores_the_signal_gets_the_rest_of_the_grace() {
    let script = "sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.05; done' & wait";
    let (spawned, mut out) = start(&sh(script));
    let grandchild = out.pid().await;
    let child = Arc::new(spawned.child);
    let clearing = {
        let child = Arc::clone(&child);
        tokio::spawn(async move { child.clear(Some(Signal::SIGTERM), LONG).await })
    };
    assert_eq!(soon(child.exited()).await, Ending::Signal(libc::SIGTERM));
    assert!(alive(grandchild) && !clearing.is_finished(), "the leader's end is not the end");
    assert!(
        pidfd::signal_verified(
            grandchild,
            proc::stat(grandchild).unwrap().started,
            Signal::SIGKILL
        )
        .unwrap()
    );
    soon(clearing).await.unwrap().unwrap();
    assert!(!alive(grandchild));

    let (spawned, mut out) = start(&sh(script));
    let grandchild = out.pid().await;
    let began = Instant::now();
    let grace = Duration::from_millis(200);
    soon(spawned.child.clear(Some(Signal::SIGTERM), grace)).await.unwrap();
    assert!(began.elapsed() >= grace && !alive(grandchild));
    eventually(|| !exists(grandchild)).await;
}

#[tokio::test]
async fn the_stopped_can_end_too() {
    let (spawned, mut out) = start(&sh("trap 'exit 4' TERM; echo up; kill -STOP $$; sleep 1000"));
    assert_eq!(out.next().await, "up");
    soon(spawned.child.clear(Some(Signal::SIGTERM), LONG)).await.unwrap();
    assert_eq!(spawned.child.exited().await, Ending::Code(4));
}

/// Each starts something that outlives the leader's group, and says its pid.
const RUNAWAYS: [(&str, &str); 4] = [
    ("own session", "setsid sh -c 'echo $$; exec sleep 1000' & wait"),
    (
        "daemonised",
        "setsid sh -c 'sh -c \"echo \\$\\$; exec sleep 1000\" & exit' & wait; exec sleep 1000",
    ),
    ("own group", "bash -c 'set -m; sh -c \"echo \\$\\$; exec sleep 1000\" & wait'"),
    ("left behind", "trap '' HUP; setsid sh -c 'echo $$; exec sleep 1000' & exit 1"),
];

#[tokio::test]
async fn runaways_are_caught() {
    for (name, script) in RUNAWAYS {
        for signal in [None, Some(Signal::SIGTERM)] {
            for terminal in [false, true] {
                let command = marked(sh(script));
                let command = if terminal { on_terminal(command) } else { command };
                let (spawned, mut out) = start(&command);
                let runaway = out.pid().await;
                assert!(soon(spawned.child.owns(runaway)).await, "{name}");
                soon(spawned.child.clear(signal, LONG)).await.unwrap();
                assert!(!alive(runaway), "{name}");
                eventually(|| !exists(runaway)).await;
            }
        }
    }
}

#[tokio::test]
async fn runaways_are_caught_when_the_leader_is_killed() {
    for (name, script) in RUNAWAYS {
        let (spawned, mut out) = start(&marked(sh(script)));
        let runaway = out.pid().await;
        let leader = spawned.child.pid();
        pidfd::signal_verified(leader, spawned.child.started(), Signal::SIGKILL).unwrap();
        soon(spawned.child.exited()).await;
        soon(spawned.child.clear(None, NOW)).await.unwrap();
        assert!(!alive(runaway), "{name}");
    }
}

#[tokio::test]
async fn runaways_are_caught_when_the_child_is_dropped() {
    for (name, script) in RUNAWAYS {
        let (spawned, mut out) = start(&marked(sh(script)));
        let (leader, runaway) = (spawned.child.pid(), out.pid().await);
        drop(spawned);
        eventually(|| !exists(leader) && !exists(runaway)).await;
        assert!(!leaders::is_leader(leader), "{name}");
    }
}

#[tokio::test]
async fn one_services_runaways_are_not_anothers() {
    let (one, mut said) = start(&marked(sh(RUNAWAYS[1].1)));
    let (other, mut other_said) = start(&marked(sh(RUNAWAYS[1].1)));
    let (mine, others) = (said.pid().await, other_said.pid().await);
    soon(one.child.clear(None, NOW)).await.unwrap();
    assert!(!alive(mine) && alive(others) && alive(other.child.pid()));
    soon(other.child.clear(None, NOW)).await.unwrap();
    assert!(!alive(others));
}

#[tokio::test]
async fn an_orphan_that_holds_the_terminal_does_not_hide_the_end() {
    let script =
        "trap '' HUP; sh -c 'trap \"\" HUP; echo $$; exec sleep 1000' & sleep 0.05; exit 6";
    let (spawned, mut out) = start(&on_terminal(sh(script)));
    let orphan = out.pid().await;
    assert_eq!(soon(spawned.child.exited()).await, Ending::Code(6));
    assert!(alive(orphan));
    soon(spawned.child.clear(None, NOW)).await.unwrap();
    assert!(!alive(orphan));
    assert_eq!(out.rest().await, "");
}

#[tokio::test]
async fn what_forks_without_end_is_ended() {
    let fork = "sleep 1000 &";
    let apart = "setsid sleep 1000 &";
    for fork in [fork, apart] {
        // In truth with an end, for the sake of the machine; but it is far away.
        let times = "i=0; while [ $i -lt 400 ]; do i=$((i + 1))";
        let script = format!("trap '' TERM; echo up; {times}; {fork} done; wait");
        let (spawned, mut out) = start(&marked(sh(&script)));
        assert_eq!(out.next().await, "up");
        let child = spawned.child;
        eventually_many(&child).await;
        soon(child.clear(Some(Signal::SIGTERM), Duration::from_millis(50))).await.unwrap();
        assert_eq!(census::members(child.pid(), child.marker.as_deref()).await, []);
    }
}

async fn eventually_many(child: &Child) {
    soon(async { while child.members().await.len() < 50 {} }).await;
}

#[tokio::test]
async fn what_hops_from_session_to_session_is_caught() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hop.sh");
    std::fs::write(
        &path,
        "trap '' TERM\n[ $1 -gt 0 ] || exit\nsetsid sh \"$0\" $(($1 - 1)) &\nsleep 0.02\n",
    )
    .unwrap();
    let (spawned, _out) = start(&marked(sh(&format!("exec sh {} 500", path.display()))));
    soon(spawned.child.exited()).await;
    soon(spawned.child.clear(None, NOW)).await.unwrap();
    let marker = spawned.child.marker.clone();
    assert_eq!(census::members(spawned.child.pid(), marker.as_deref()).await, []);
}

#[tokio::test]
async fn two_hundred_come_and_go() {
    let children: Vec<_> =
        (0..200).map(|_| start(&marked(sh("sleep 1000 & echo up; wait")))).collect();
    let mut clearing = Vec::new();
    for (spawned, mut out) in children {
        assert_eq!(out.next().await, "up");
        clearing.push(tokio::spawn(async move {
            spawned.child.clear(Some(Signal::SIGTERM), LONG).await.unwrap();
            spawned.child.pid()
        }));
    }
    for cleared in clearing {
        let pid = soon(cleared).await.unwrap();
        assert!(!exists(pid));
    }
}

#[tokio::test]
async fn a_stranger_with_the_same_number_is_not_signalled() {
    let (spawned, _out) = start(&sh("sleep 1000"));
    let (pid, started) = (spawned.child.pid(), spawned.child.started());
    let earlier = StartTime(started.0 - 1);
    assert!(!pidfd::signal_verified(pid, earlier, Signal::SIGKILL).unwrap());
    assert!(Pidfd::of(pid, earlier).unwrap().is_none());
    assert!(!pidfd::signal_verified(i32::MAX, started, Signal::SIGKILL).unwrap());
    assert!(alive(pid));
    assert!(pidfd::signal_verified(pid, started, Signal::SIGKILL).unwrap());
    assert_eq!(soon(spawned.child.exited()).await, Ending::Signal(libc::SIGKILL));
}
