//! Crashes and restarts: restart types, backoff, giving up, and restarts by people.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{Home, kernel, svc};

#[test]
fn a_killed_service_is_replaced_and_the_cause_is_known() {
    let home = Home::new();
    let web = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{web}\n"));
    project.up();
    let before = project.service("web");
    kernel::kill(before.pid(), Signal::SIGKILL);
    let after = project.until_replaced("web", before.pid());
    assert_eq!(after.restarts(), 1);
    assert_eq!(after.port(), before.port(), "the port is sticky");
    assert_eq!(after.last_exit()["signal"], "SIGKILL");
    assert!(after.last_exit()["code"].is_null());
    assert_eq!(after.last_exit()["asked"], false);
    let at = after.last_exit()["at"].as_str().expect("a time");
    assert!(at.len() == "2026-01-01T00:00:00.000Z".len() && at.ends_with('Z'), "{at}");
    assert_eq!(crate::support::http::get(after.port(), "/").body, format!("pid {}\n", after.pid()));
}

/// Whether a service with this `restart` is started again after this end.
#[track_caller]
fn ends_as(restart: &str, end: &str, state: &str, births: usize) {
    let home = Home::new();
    let project = home.project(
        "shop",
        &format!(
            "[services.w]\ntype = \"worker\"\nrestart = \"{restart}\"\nmax_restarts = 2\n\
             command = \"echo x >> born; test $(wc -l < born) -gt 1 && exec sleep 1000; {end}\"\n"
        ),
    );
    project.locald(["up"]).run();
    project.until(&format!("{state} after {births} births"), |p| {
        p.is("w", state) && project.lines("born").len() == births
    });
    assert_eq!(project.lines("born").len(), births, "{restart} after {end}");
}

#[test]
fn always_restarts_after_every_end() {
    ends_as("always", "exit 0", "healthy", 2);
    ends_as("always", "exit 1", "healthy", 2);
    ends_as("always", "kill -KILL $$$$", "healthy", 2);
}

#[test]
fn on_failure_restarts_after_failures_only() {
    ends_as("on-failure", "exit 0", "stopped", 1);
    ends_as("on-failure", "exit 1", "healthy", 2);
    ends_as("on-failure", "kill -SEGV $$$$", "healthy", 2);
}

#[test]
fn never_restarts_never() {
    ends_as("never", "exit 0", "stopped", 1);
    ends_as("never", "exit 1", "failed", 1);
    ends_as("never", "kill -KILL $$$$", "failed", 1);
}

#[test]
fn too_many_restarts_give_up_with_cause_count_and_what_to_do() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\nmax_restarts = 3\nrestart_window = \"60s\"\n\
         command = \"echo x >> born; echo going under; exit 4\"\n",
    );
    project.locald(["up"]).fails(1);
    assert_eq!(project.lines("born").len(), 4, "the start and three restarts");
    let service = project.service("w");
    assert_eq!(service.state(), "failed");
    assert!(service.reason().contains('4'), "{service:?}");
    let why = project.locald(["why", "w"]).ok();
    let why = why.says("failed").says("exited with code 4").says("going under");
    assert!(why.stdout.contains("locald restart") || why.stdout.contains("locald start"), "{why}");
    let json = project.locald(["why", "w", "--json"]).ok().json();
    assert_eq!(json["service"], "w");
    assert_eq!(json["state"], "failed");
    assert_eq!(json["exits"].as_array().map(Vec::len), Some(4), "{json:#}");
    assert_eq!(project.status().state(), "failed", "all gave up");
}

#[test]
fn starts_that_fail_count_as_well() {
    let home = Home::new();
    let project =
        home.project("shop", "[services.w]\nmax_restarts = 2\ncommand = [\"./no-such-program\"]\n");
    let output = project.locald(["up"]).fails(1).and_clearly();
    output.complains("no-such-program");
    assert_eq!(project.service("w").state(), "failed");
}

#[test]
fn a_restart_by_a_person_clears_the_counters() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\ntype = \"worker\"\nmax_restarts = 1\n\
         command = \"test -e ok && exec sleep 1000; exit 1\"\n\
         health_check = \"test -e ok\"\n",
    );
    project.locald(["up"]).fails(1);
    project.write("ok", "");
    project.locald(["restart", "w"]).ok();
    let service = project.service("w");
    assert_eq!((service.state(), service.restarts()), ("healthy", 0));
    // The whole budget is there again.
    kernel::kill(service.pid(), Signal::SIGKILL);
    project.until_replaced("w", service.pid());
}

#[test]
fn backoff_grows_and_is_shown() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\nbackoff = { initial = \"100ms\", factor = 1000.0, max = \"1000s\" }\n\
         command = \"exit 1\"\n",
    );
    project.locald(["up", "--no-wait"]).ok();
    let status = project.until("it is patient", |p| {
        let w = p.service("w");
        w.state() == "backoff" && w.restarts() == 1
    });
    let service = status.service("w");
    assert!(service.reason().contains("exited with code 1"), "{service:?}");
    assert!(service.maybe_pid().is_none());
    assert_eq!(status.state(), "degraded");
    project.locald(["why", "w"]).ok().says("backoff");
}

#[test]
fn a_stop_during_backoff_is_immediate_and_final() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\nbackoff = { initial = \"600s\", max = \"600s\" }\ncommand = \"exit 1\"\n",
    );
    project.locald(["up", "--no-wait"]).ok();
    project.until_state("w", "backoff");
    let stop = project.locald(["stop", "w"]).ok();
    assert!(stop.took < Duration::from_secs(5), "{stop}");
    assert_eq!(project.service("w").state(), "stopped");
}

#[test]
fn a_restart_skips_the_backoff() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\ntype = \"worker\"\nbackoff = { initial = \"600s\", max = \"600s\" }\n\
         command = \"test -e ok && exec sleep 1000; exit 1\"\n\
         health_check = \"test -e ok\"\n",
    );
    project.locald(["up", "--no-wait"]).ok();
    project.until_state("w", "backoff");
    project.write("ok", "");
    project.locald(["restart", "w"]).ok();
    assert_eq!(project.service("w").state(), "healthy");
}

#[test]
fn concurrent_restarts_yield_one_process() {
    let home = Home::new();
    let web = svc(["pid=last", "listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{web}\n"));
    project.up();
    let clients: Vec<_> = (0..4).map(|_| project.locald(["restart", "web"]).start()).collect();
    for client in clients {
        client.end().exits(0);
    }
    let web = project.service("web");
    assert_eq!(web.state(), "healthy");
    let copies: Vec<_> =
        home.processes().into_iter().filter(|p| p.command.contains("pid=last")).collect();
    assert_eq!(copies.iter().map(|p| p.pid).collect::<Vec<_>>(), [web.pid()], "{copies:?}");
}

#[test]
fn a_restart_of_something_that_starts_yields_one_process() {
    let home = Home::new();
    let web = svc(["gate=gate", "listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{web}\n"));
    project.gate("gate");
    project.locald(["up", "--no-wait"]).ok();
    let first = project.until("it runs", |p| p.service("web").maybe_pid().is_some());
    let restart = project.locald(["restart", "web"]).start();
    let first = first.service("web").pid();
    project.until("another one runs", |p| {
        p.service("web").maybe_pid().is_some_and(|pid| pid != first)
    });
    project.open("gate");
    restart.end().exits(0);
    let web = project.service("web");
    assert_eq!(
        kernel::processes_with("LOCALD_SERVICE", "web".as_ref())
            .iter()
            .filter(|p| { home.processes().iter().any(|other| other.pid == p.pid) })
            .count(),
        1
    );
    // Everything works afterwards.
    project.locald(["stop", "web"]).ok();
    assert!(!kernel::is_alive(web.pid()));
}

#[test]
fn stop_beats_restart() {
    let home = Home::new();
    let web = svc(["append=born:x", "block=SIGTERM", "listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\nstop_timeout = \"1s\"\n{web}\n"));
    project.up();
    let mut watch = project.locald(["status", "--watch", "--json"]).stream();
    let restart = project.locald(["restart", "web"]).start();
    watch.find("the restart is under way", |line| line.contains("\"stopping\""));
    project.locald(["stop", "web"]).ok();
    // It is not coming, and whoever waits for it is told.
    restart.end().exits(1).and_clearly();
    assert_eq!(project.service("web").state(), "stopped");
    assert_eq!(project.lines("born").len(), 1);
}

#[test]
fn a_restart_of_everything_stops_in_reverse_and_starts_in_order() {
    let home = Home::new();
    let noted = |name: &str| {
        svc([
            &format!("append=order:start {name}"),
            &format!("on-term=order:stop {name}"),
            "listen",
            "forever",
        ])
    };
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{}\ndepends_on = [\"db\"]\n[services.db]\n{}\n",
            noted("web"),
            noted("db")
        ),
    );
    project.up();
    project.locald(["restart"]).ok();
    let order = project.lines("order");
    let wanted = ["start db", "start web", "stop web", "stop db", "start db", "start web"];
    assert_eq!(order, wanted);
}

#[test]
fn the_restart_of_one_leaves_its_dependents_unless_told_otherwise() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.db]\n{listen}\n\
             [services.web]\n{listen}\ndepends_on = [\"db\"]\n\
             [services.bound]\n{listen}\ndepends_on = [{{ service = \"db\", bond = \"always\" }}]\n"
        ),
    );
    project.up();
    let pid = |name: &str| project.service(name).pid();
    let (db, web, bound) = (pid("db"), pid("web"), pid("bound"));
    project.locald(["restart", "db"]).ok();
    assert_ne!(pid("db"), db);
    assert_eq!(pid("web"), web, "planned restarts do not spread");
    let again = project.until_replaced("bound", bound).pid();
    project.locald(["restart", "db", "--cascade"]).ok();
    assert_ne!(pid("web"), web, "unless they are told to");
    project.until_replaced("bound", again);
}

#[test]
fn an_essential_service_that_gives_up_stops_the_project() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{listen}\n\
             [services.db]\nessential = true\nmax_restarts = 1\ncommand = \"exit 1\"\n"
        ),
    );
    project.locald(["up"]).fails(1).complains("db");
    let status = project.until("the project has ended", |p| p.is("web", "stopped"));
    assert_eq!(status.state(), "failed");
    assert_eq!(status.states(), "web=stopped db=failed");
}

#[test]
fn an_unwanted_exit_is_replaced_quickly() {
    let home = Home::new();
    let web = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{web}\n"));
    project.up();
    let mut events = project.locald(["events", "-f", "--json"]).stream();
    let web = project.service("web").pid();
    let killed = Instant::now();
    kernel::kill(web, Signal::SIGKILL);
    events.find("it is healthy again", |line| {
        line.contains("healthy") && !line.contains("unhealthy") && {
            project.service("web").maybe_pid() != Some(web)
        }
    });
    assert!(killed.elapsed() < Duration::from_secs(5), "{:?}", killed.elapsed());
}
