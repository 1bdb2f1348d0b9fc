//! Commands that wait or follow go on with the next daemon.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    heart::replaced,
    support::{Home, Project, stream::Stream, svc},
};

const DEATHS: usize = 3;

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// A service that waits at the gate `gate` in each of its lives.
fn gated(home: &Home) -> Project<'_> {
    let steps = svc(["gate=gate", "notify=READY=1", "append=born:x", "forever"]);
    let project = home.project(
        "shop",
        &format!("[services.w]\n{steps}\nhealth_check = {{ type = \"notify\" }}\n"),
    );
    project.gate("gate");
    project
}

#[test]
fn followed_logs_have_each_line_once() {
    let home = Home::new();
    let count = "i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.003; done";
    let project =
        home.project("shop", &format!("[services.w]\ntype = \"worker\"\ncommand = \"{count}\"\n"));
    project.up();
    let mut follow = project.locald(["logs", "w", "-f", "--json"]).stream();
    let number = |line: &str| -> u64 {
        let text = parsed(line)["line"].as_str().expect("a line").to_owned();
        text.strip_prefix("tick ").expect("nothing else is written").parse().expect("a number")
    };
    let mut last = number(&follow.line().expect("it has begun"));
    for _ in 0..DEATHS {
        replaced(&home, Signal::SIGKILL);
        let written = project.log("w").len();
        // Beyond what was written by then: what only the next daemon can have told.
        while usize::try_from(last).is_ok_and(|last| last <= written) {
            let next = number(&follow.line().expect("it goes on"));
            assert_eq!(next, last + 1);
            last = next;
        }
    }
    home.stop_daemon();
    assert!(follow.end().success(), "the end of the daemon is its end");
}

#[test]
fn followed_events_have_no_gap() {
    let home = Home::new();
    let project = home.project("shop", &format!("[services.w]\n{}\n", svc(["listen", "forever"])));
    project.up();
    let mut follow = home.locald(["events", "--all", "-f", "--json"]).stream();
    let mut last = 0;
    for _ in 0..DEATHS {
        replaced(&home, Signal::SIGKILL);
        project.locald(["restart"]).ok();
        follow.find("a start", |line| {
            let event = parsed(line);
            let seq = event["seq"].as_u64().expect("a number");
            assert_eq!(seq, last + 1);
            last = seq;
            event["event"] == "server-started" && seq > 1
        });
    }
}

#[test]
fn what_is_watched_is_seen_also_of_the_next_daemon() {
    let home = Home::new();
    let project = home.project("shop", &format!("[services.w]\n{}\n", svc(["listen", "forever"])));
    project.up();
    let mut status = project.locald(["status", "--watch", "--json"]).stream();
    let mut tree = project.locald(["tree", "--watch", "--json"]).stream();
    let find = |status: &mut Stream, tree: &mut Stream, pid: i32| {
        status.find("its pid", |line| parsed(line)["projects"][0]["services"][0]["pid"] == pid);
        tree.find_text(&format!("pid {pid}"));
    };
    find(&mut status, &mut tree, project.service("w").pid());
    for _ in 0..DEATHS {
        replaced(&home, Signal::SIGKILL);
        project.locald(["restart"]).ok();
        find(&mut status, &mut tree, project.service("w").pid());
    }
}

#[test]
fn up_and_wait_go_on_waiting() {
    let home = Home::new();
    let project = gated(&home);
    project.locald(["up", "--no-wait"]).ok();
    let mut up = project.locald(["up"]).stream();
    let pid = project.until("it runs", |p| p.service("w").maybe_pid().is_some());
    let pid = pid.service("w").pid();
    let mut wait = project.locald(["wait", "w"]).stream();
    replaced(&home, Signal::SIGKILL);
    project.open("gate");
    assert!(up.end().success());
    assert!(wait.end().success());
    assert_eq!(project.service("w").pid(), pid);
    assert_eq!(project.lines("born"), ["x"]);
}

#[test]
fn a_restart_goes_on_and_is_not_begun_again() {
    let home = Home::new();
    let project = gated(&home);
    let mut up = project.locald(["up"]).stream();
    project.open("gate");
    assert!(up.end().success());
    let old = project.service("w").pid();
    let mut restart = project.locald(["restart"]).stream();
    let new = project
        .until("it runs again", |p| p.service("w").maybe_pid().is_some_and(|pid| pid != old));
    let new = new.service("w").pid();
    replaced(&home, Signal::SIGKILL);
    project.open("gate");
    assert!(restart.end().success());
    assert_eq!(project.service("w").pid(), new);
    assert_eq!(project.lines("born"), ["x", "x"]);
}
