//! The history that `events` and `why` tell: without a gap, over the ends of daemons too.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Home, Project, eventually, kernel, svc};

fn all(home: &Home) -> Vec<Value> {
    home.locald(["events", "--all", "--json"]).ok().json_lines()
}

fn seq(event: &Value) -> u64 {
    event["seq"].as_u64().expect("events have numbers")
}

#[track_caller]
fn without_gaps(events: &[Value]) {
    let numbers: Vec<u64> = events.iter().map(seq).collect();
    let expected: Vec<u64> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);
}

/// As often as it takes: the socket of a daemon that has just been killed may still be there, deaf.
fn start(project: &Project<'_>) {
    eventually("a daemon answers", || {
        (project.locald(["up", "--no-wait"]).run().code() == 0).then_some(())
    });
}

#[test]
fn numbers_go_on_and_history_stays_when_the_daemon_is_restarted() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.up();
    let before = all(&home);
    without_gaps(&before);
    home.locald(["server", "restart"]).ok();
    project.until_state("web", "healthy");
    let after = all(&home);
    without_gaps(&after);
    assert_eq!(after[..before.len()], before[..], "what was told is told again");
    let words: Vec<&str> =
        after[before.len()..].iter().filter_map(|e| e["event"].as_str()).collect();
    let place = |word| words.iter().position(|one| *one == word);
    let (stopped, ended) = (place("stopped"), place("server-stopped"));
    assert!(stopped.is_some() && stopped < ended, "the last one is the daemon's: {words:?}");
    assert!(ended < place("server-started"), "{words:?}");
    // Whoever has read so far goes on from there.
    let last = seq(&before[before.len() - 1]).to_string();
    let rest = home.locald(["events", "--all", "--json", "--after", &last]).ok().json_lines();
    assert_eq!(seq(&rest[0]), seq(&before[before.len() - 1]) + 1);
}

#[test]
fn no_number_is_told_twice_however_often_the_daemon_is_killed() {
    let home = Home::new();
    // Events without end, and nothing that outlives its daemon.
    let flaky = "type = \"worker\"\ncommand = \"exit 1\"\nmax_restarts = 100000\n\
                 backoff = { initial = \"1ms\", factor = 1.0, max = \"1ms\" }\n";
    let services = ["s0", "s1", "s2", "s3"].map(|name| format!("[services.{name}]\n{flaky}"));
    let project = home.project("shop", &services.concat());
    let mut told: Vec<Value> = Vec::new();
    start(&project);
    let mut follower = home.locald(["events", "-f", "--all", "--json", "--after", "0"]).stream();
    for round in 0..5 {
        start(&project);
        let daemon = home.daemon_pid();
        let enough = told.len() + 60 + round * 17;
        while told.len() < enough {
            let line = follower.line().expect("events without end");
            told.push(serde_json::from_str(&line).expect("lines of JSON"));
        }
        kernel::kill(daemon, Signal::SIGKILL);
        kernel::gone_within(Duration::from_secs(20), || {
            kernel::is_alive(daemon).then_some(daemon).into_iter().collect::<Vec<_>>()
        });
    }
    drop(follower);
    without_gaps(&told);
    // The last daemon has each of them once, and takes away what the others have left.
    start(&project);
    let after = told.last().map_or(0, seq).to_string();
    for nth in 0..4 {
        let mut follower = home.locald(["events", "-f", "--all", "--after", &after]).stream();
        follower.find_text(&format!("shop/s{nth}  exited"));
    }
    project.locald(["down"]).ok();
    let later = all(&home);
    without_gaps(&later);
    assert_eq!(later[..told.len()], told[..], "what was told is told again");
    let deaths = later.iter().filter(|event| {
        event["detail"]
            .as_str()
            .is_some_and(|text| text.contains("the daemon before it was killed"))
    });
    assert_eq!(deaths.count(), 5);
}
