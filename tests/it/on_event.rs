//! `on_event`: a command of the project that is told when a service gives up or is well again.

use std::{fs, time::Duration};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Home, Project, eventually, http, kernel};

/// Appends each event to a file, as a line.
const TOLD: &str = "on_event = \"cat >> told\"";

/// Fails until there is a file `good`, then lives.
const FRAIL: &str = "type = \"worker\"\nmax_restarts = 0\n\
                     command = \"test -e good && exec sleep 1000\"\n";

/// The events of that word, of the whole history.
fn events(project: &Project<'_>, word: &str) -> Vec<Value> {
    let all = project.locald(["events", "--json"]).ok().json_lines();
    all.into_iter().filter(|event| event["event"] == word).collect()
}

/// Waits for so many events of that word.
fn until_events(project: &Project<'_>, word: &str, count: usize) -> Vec<Value> {
    eventually(&format!("{count} times {word}"), || {
        Some(events(project, word)).filter(|events| events.len() >= count)
    })
}

/// Waits until the command has written so many lines; they are JSON.
fn told(project: &Project<'_>, count: usize) -> Vec<Value> {
    let lines = until_lines(project, "told", count);
    lines.iter().map(|line| serde_json::from_str(line).expect("lines of JSON")).collect()
}

fn until_lines(project: &Project<'_>, file: &str, count: usize) -> Vec<String> {
    eventually(&format!("{count} lines in {file}"), || {
        let text = project.read(file);
        let whole = text.ends_with('\n') && text.lines().count() >= count;
        whole.then(|| text.lines().map(str::to_owned).collect())
    })
}

fn pids(project: &Project<'_>, count: usize) -> Vec<i32> {
    let lines = until_lines(project, "pids", count);
    lines.iter().map(|line| line.parse().expect("a pid")).collect()
}

fn alive(pids: &[i32]) -> Vec<i32> {
    pids.iter().copied().filter(|&pid| kernel::is_alive(pid)).collect()
}

#[test]
fn giving_up_and_recovering_are_told_as_the_events_that_they_are() {
    let home = Home::new();
    let project = home.project_with("shop", TOLD, &format!("[services.web]\n{FRAIL}"));
    project.locald(["up"]).fails(1);
    let first = told(&project, 1);
    assert_eq!(first, events(&project, "gave-up"));
    assert_eq!((&first[0]["service"], &first[0]["project"]), (&"web".into(), &"shop".into()));
    project.write("good", "");
    project.locald(["start", "web"]).ok();
    assert_eq!(told(&project, 2)[1..], events(&project, "recovered"));
    // Well as it is, it has nothing to recover from.
    project.locald(["restart"]).ok();
    project.locald(["stop"]).ok();
    project.locald(["start"]).ok();
    fs::remove_file(project.path("good")).expect("it is there");
    project.locald(["restart"]).fails(1);
    let words: Vec<String> = told(&project, 3).iter().map(|it| it["event"].to_string()).collect();
    assert_eq!(words, ["\"gave-up\"", "\"recovered\"", "\"gave-up\""]);
    project.locald(["down"]).ok();
    assert_eq!(project.lines("told").len(), 3, "an ordinary stop is nobody's news");
}

#[test]
fn a_failing_check_is_told_and_so_is_its_end() {
    let home = Home::new();
    let check = "health_check = { command = \"test ! -e bad\", interval = \"20ms\", retries = 2 }";
    let services =
        format!("[services.web]\ntype = \"worker\"\ncommand = \"sleep 1000\"\n{check}\n");
    let project = home.project_with("shop", TOLD, &services);
    project.up();
    project.write("bad", "");
    assert_eq!(told(&project, 1), events(&project, "unhealthy"));
    fs::remove_file(project.path("bad")).expect("it is there");
    assert_eq!(told(&project, 2)[1..], events(&project, "recovered"));
}

#[test]
fn it_runs_in_the_projects_folder_with_the_projects_environment() {
    let home = Home::new();
    let head = "env = { MINE = \"${services.api.port}\", ITS = \"no\" }\nenv_file = \"some.env\"\n\
                on_event = [\"./tell\", \"${project.name}\", \"a b\", \"${env.OF_FILE}\"]";
    let services = format!(
        "[services.web]\n{FRAIL}env = {{ ITS = \"yes\" }}\n[services.api]\n\
         command = \"sleep 1000\"\nport = 4123\nautostart = false\nhealth_check = \"true\"\n"
    );
    let services = services.replace("[services.web]\n", "[services.web]\nworkdir = \"below\"\n");
    let project = home.project_with("shop", head, &services).with("below/x", "");
    let project = project.with("some.env", "OF_FILE=filed\n").with(
        "tell",
        "#!/bin/sh\necho \"$PWD|$#|$1|$2|$3|$MINE|$ITS|$LOCALD_PROJECT|${LOCALD_SERVICE-none}\" > told\n",
    );
    let run = "chmod +x tell";
    home.program("/bin/sh").args(["-c", run]).within(project.dir()).ok();
    project.locald(["up", "web"]).fails(1);
    let line = until_lines(&project, "told", 1).remove(0);
    let dir = project.dir().canonicalize().expect("it is there");
    assert_eq!(line, format!("{}|3|shop|a b|filed|4123|no|shop|none", dir.display()));
}

#[test]
fn one_that_hangs_holds_nobody_up_and_is_killed_with_all_it_started() {
    let home = Home::new();
    let head = "on_event = \"sleep 1000 & echo $! >> pids; echo $$$$ >> pids; wait\"";
    let services: Vec<String> = (0..40).map(|n| format!("[services.s{n}]\n{FRAIL}")).collect();
    let well = "[services.well]\ntype = \"worker\"\ncommand = \"sleep 1000\"\n";
    let project = home.project_with("shop", head, &(services.concat() + well));
    project.locald(["up"]).fails(1);
    until_events(&project, "gave-up", 40);
    // Four run, thirty-two wait, and the oldest of the others are told by nobody.
    let dropped = until_events(&project, "on-event-dropped", 4);
    assert!(dropped[0]["detail"].as_str().is_some_and(|text| text.contains("too many wait")));
    let first = pids(&project, 8);
    assert_eq!(alive(&first), first);
    // Meanwhile everything goes on as ever.
    project.locald(["restart", "well"]).ok();
    assert_eq!(project.lines("pids").len(), 8, "no more than four at a time");
    let failed = until_events(&project, "on-event-failed", 4);
    let why = failed[0]["detail"].as_str().expect("a reason");
    assert!(why.contains("`on_event`") && why.contains("did not end within 10 s"), "{why}");
    let gone = kernel::gone_within(Duration::from_secs(20), || alive(&first));
    assert_eq!(gone, Vec::<i32>::new());
    let second = pids(&project, 16);
    assert_eq!(events(&project, "on-event-dropped").len(), 4);
    // The project's end is theirs.
    project.locald(["down"]).ok();
    let left = kernel::gone_within(Duration::from_secs(5), || alive(&second));
    assert_eq!(left, Vec::<i32>::new());
}

#[test]
fn none_outlives_its_daemon_however_that_ends() {
    let home = Home::new();
    let head = "on_event = \"sleep 1000 & echo $! >> pids; echo $$$$ >> pids; wait\"";
    let project = home.project_with("shop", head, &format!("[services.web]\n{FRAIL}"));
    let gone = |pids: &[i32]| {
        let left = kernel::gone_within(Duration::from_secs(20), || alive(pids));
        assert_eq!(left, Vec::<i32>::new());
    };
    project.locald(["up"]).fails(1);
    let killed = pids(&project, 2);
    kernel::kill(home.daemon_pid(), Signal::SIGKILL);
    gone(&killed);
    eventually("another daemon", || (project.locald(["restart"]).run().code() == 1).then_some(()));
    let stopped = pids(&project, 4);
    home.locald(["server", "stop"]).ok();
    gone(&stopped);
}

#[test]
fn one_that_fails_is_an_event_and_no_more() {
    let home = Home::new();
    let head = "on_event = [\"./none\"]";
    let project = home.project_with("shop", head, &format!("[services.web]\n{FRAIL}"));
    project.locald(["up"]).fails(1);
    let failed = until_events(&project, "on-event-failed", 1);
    let why = failed[0]["detail"].as_str().expect("a reason");
    assert!(why.contains("no such program: ./none"), "{why}");
    let text = project.read("locald.toml");
    let exits = "on_event = \"cat >> told; echo some words; echo no >&2; exit 7\"";
    project.write("locald.toml", text.replace(head, exits));
    // It is read when it is needed, and an edit is in effect before a command that follows it.
    project.locald(["restart"]).fails(1);
    let failed = until_events(&project, "on-event-failed", 2);
    let why = failed[1]["detail"].as_str().expect("a reason");
    assert!(why.contains("exited 7: no"), "{why}");
    project.locald(["restart"]).fails(1);
    until_events(&project, "on-event-failed", 3);
    assert_eq!(told(&project, 2).len(), 2, "its own failure is not told");
    let log = home.locald(["server", "logs"]).ok();
    assert!(log.stdout.contains("some words"), "{log}");
}

#[test]
fn an_edit_of_it_takes_effect_at_once_and_restarts_nobody() {
    let home = Home::new();
    let other = "[services.other]\ntype = \"worker\"\ncommand = \"sleep 1000\"\n";
    let services = format!("[services.web]\n{FRAIL}{other}");
    let project = home.project_with("shop", "", &services);
    project.locald(["up"]).fails(1);
    let pid = project.service("other").pid();
    let notifier = |there: bool| {
        eventually("the notifier comes or goes", || {
            let tree = project.locald(["tree"]).ok();
            (tree.stdout.contains("notifier") == there).then_some(())
        });
    };
    notifier(false);
    let text = project.read("locald.toml");
    project
        .write("locald.toml", text.replace("[services.web]", &format!("{TOLD}\n[services.web]")));
    notifier(true);
    project.locald(["restart", "web"]).fails(1);
    assert_eq!(told(&project, 1).len(), 1, "only what happens from then on");
    project.write("locald.toml", &text);
    notifier(false);
    project.locald(["restart", "web"]).fails(1);
    until_events(&project, "gave-up", 3);
    assert_eq!(project.service("other").pid(), pid);
    assert_eq!(project.lines("told").len(), 1);
}

#[test]
fn what_the_notifier_has_not_told_survives_it() {
    let home = Home::new();
    home.locald(["server", "start"]).env("LOCALD_FAULTS", "1000").ok();
    let project = home.project_with("shop", TOLD, &format!("[services.web]\n{FRAIL}"));
    project.write("good", "");
    project.up();
    let pid = project.service("web").pid();
    for _ in 0..5 {
        let body = "{\"actor\":\"projects/project:shop/notifier\"}";
        eventually("the notifier lives", || {
            let status = http::shaky_daemon(&home.socket(), "POST", "/v1/fault", body);
            (status == Some(204)).then_some(())
        });
    }
    assert_eq!(project.service("web").pid(), pid);
    fs::remove_file(project.path("good")).expect("it is there");
    kernel::kill(pid, Signal::SIGKILL);
    assert_eq!(told(&project, 1), until_events(&project, "gave-up", 1));
}

#[test]
fn mistakes_in_it_are_found_with_all_others() {
    let home = Home::new();
    let wrong = |value: &str, text: &str| {
        let head = format!("on_event = {value}");
        let project = home.project_with("shop", &head, &format!("[services.web]\n{FRAIL}"));
        project.locald(["check"]).fails(4).complains(text).complains("on_event");
    };
    wrong("\"\"", "cannot be empty");
    wrong("[]", "names no program");
    wrong("3", "a string or a list of strings");
    wrong("\"echo ${services.wbe.port}\"", "unknown service `wbe`");
    wrong("\"echo ${services.web.port}\"", "has no port");
}
