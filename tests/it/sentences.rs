//! `events` and `why` in words that a person understands: what happened, and because of what.

use nix::sys::signal::Signal;

use crate::support::{Home, Project, eventually, kernel, svc};

fn service(name: &str, steps: &str, more: &str) -> String {
    format!("[services.{name}]\n{steps}\n{more}\n")
}

fn why(project: &Project<'_>, name: &str) -> String {
    project.locald(["why", name]).ok().stdout
}

/// The sentences of a service's events of this kind.
fn told(project: &Project<'_>, service: &str, event: &str) -> Vec<String> {
    let events = project.locald(["events", "--json"]).ok().json_lines();
    let ours = events.iter().filter(|one| one["service"] == service && one["event"] == event);
    ours.map(|one| one["detail"].as_str().unwrap_or_default().to_owned()).collect()
}

#[track_caller]
fn has(text: &str, part: &str) {
    assert!(text.contains(part), "no {part:?} in: {text}");
}

#[test]
fn a_silent_watchdog_was_not_asked_for() {
    let home = Home::new();
    let steps = svc(["notify=READY=1", "forever"]);
    let project =
        home.project("shop", &service("s", &steps, "watchdog = \"200ms\"\nmax_restarts = 0"));
    project.locald(["up"]).run();
    let last = project.until_state("s", "failed");
    assert_eq!(last.last_exit()["asked"], false, "{last:?}");
    let exits = told(&project, "s", "exited");
    assert_eq!(exits, ["killed by SIGABRT (no WATCHDOG=1 within 200 ms)"]);
    let why = why(&project, "s");
    has(&why, "(no WATCHDOG=1 within 200 ms)");
    has(&why, "1 failure within 1m 0s, and more than 0 are too many");
    assert!(!why.contains("as asked") && !why.contains("0 times"), "{why}");
}

#[test]
fn a_kill_by_somebody_else_is_told_as_such_and_what_it_took_along() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let services = service("db", &listen, "")
        + &service("api", &listen, "depends_on = [\"db\"]")
        + &service("web", &listen, "depends_on = [\"api\"]");
    let project = home.project("shop", &services);
    project.up();
    let web = project.service("web").pid();
    kernel::kill(project.service("db").pid(), Signal::SIGKILL);
    project.until_replaced("web", web);
    let exits = told(&project, "db", "exited");
    has(&exits[0], "killed by SIGKILL (");
    // Another test may have the kernel run out of memory.
    has(&exits[0], "memory");
    has(&why(&project, "db"), "Started again by itself after: killed by SIGKILL");
    for name in ["api", "web"] {
        assert_eq!(told(&project, name, "stopping"), ["taken along: db has failed"]);
        has(&why(&project, name), "Taken along: db has failed");
        has(&told(&project, name, "starting")[1], "db has failed");
    }
    // What a person does is told as that, and of others too.
    project.locald(["stop", "db"]).ok();
    assert_eq!(told(&project, "db", "stopping"), ["stopped by a person"]);
    has(&told(&project, "api", "stopping")[1], "db is stopped");
    project.locald(["restart", "db"]).ok();
    project.until_state("web", "healthy");
    assert_eq!(told(&project, "db", "starting")[2], "restarted by a person");
}

#[test]
fn a_stop_that_took_force_says_so() {
    let home = Home::new();
    let deaf = svc(["block=SIGTERM", "listen", "forever"]);
    let project = home.project("shop", &service("s", &deaf, "stop_timeout = \"100ms\""));
    project.up();
    project.locald(["stop"]).ok();
    let stopped = told(&project, "s", "stopped");
    assert_eq!(stopped, ["killed by SIGKILL (it did not stop within 100ms of SIGTERM)"]);
}

#[test]
fn a_task_that_fails_is_not_said_to_be_restarted() {
    let home = Home::new();
    let good = "type = \"task\"\ncommand = \"exit 0\"";
    let bad = "type = \"task\"\ncommand = \"test -e good\"";
    let services = service("good", good, "") + &service("bad", bad, "depends_on = [\"good\"]");
    let project = home.project("shop", &services);
    project.locald(["up"]).fails(1);
    has(&told(&project, "good", "completed")[0], "exited with code 0 after ");
    has(&told(&project, "bad", "gave-up")[0], "a task is not run again by itself");
    let text = why(&project, "bad");
    has(&text, "bad has failed: exited with code 1");
    has(&text, "It is not started again by itself: `locald restart bad` does that.");
    assert!(!text.contains("failure"), "{text}");
    project.write("good", "");
    project.locald(["restart", "bad"]).ok();
    let text = why(&project, "bad");
    has(&text, "bad has completed.");
    has(&text, "Restarted by a person.");
}

#[test]
fn edits_saves_dependencies_and_daemons_are_causes() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let text = |mark: &str| {
        service("web", &listen, &format!("env = {{ MARK = \"{mark}\" }}\ndepends_on = [\"db\"]"))
            + &service("db", &listen, "autostart = false\nwatch = [\"src\"]")
    };
    let project = home.project("shop", &text("one")).with("src/a", "1");
    project.up();
    has(&why(&project, "web"), "Started by a person.");
    has(&why(&project, "db"), "Started for web.");
    has(&told(&project, "web", "healthy")[0], "after ");
    let (web, db) = (project.service("web").pid(), project.service("db").pid());
    let whole = format!("[project]\nname = \"shop\"\n{}", text("two"));
    project.write("locald.toml", whole);
    project.until_replaced("web", web);
    has(&why(&project, "web"), "Restarted by an edit of its configuration.");
    eventually("its files are watched", || {
        project.locald(["tree"]).ok().stdout.contains("watches 2 folders").then_some(())
    });
    project.write("src/a", "2");
    project.until_replaced("db", db);
    has(&why(&project, "db"), "Restarted, since src/a has changed.");
    home.locald(["server", "restart"]).ok();
    project.until_state("web", "healthy");
    has(&why(&project, "web"), "Started again with the daemon.");
    let all = project.locald(["events", "--all"]).ok().stdout;
    has(&all, "the daemon ends, told to by");
}

#[test]
fn an_essential_service_is_named_by_those_it_takes_along() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let vital = service(
        "vital",
        &svc(["listen", "gate=gate", "exit=3"]),
        "essential = true\nmax_restarts = 0",
    );
    let project = home.project("shop", &(vital + &service("other", &listen, "")));
    project.gate("gate");
    project.up();
    project.open("gate");
    project.until_state("other", "stopped");
    let text = eventually("it says why", || {
        let text = why(&project, "other");
        text.contains("which is essential").then_some(text)
    });
    has(&text, "Stopped: vital, which is essential, gave up.");
}
