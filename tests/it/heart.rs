//! The daemon dies, and nothing is lost: the heart keeps what the next one goes on with.

use std::{
    fs,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::support::{
    Home, ProjectStatus, eventually, front::Front, http, kernel, svc, svc::ends_in_order,
};

/// Two services and what they were, once the project is up.
const SHOP: [&str; 2] = ["web", "db"];

fn shop() -> String {
    let listen = svc(["listen", "forever"]);
    format!(
        "[services.web]\n{listen}\ndepends_on = [\"db\"]\n[services.db]\n{listen}\n\
         [services.seed]\ntype = \"task\"\n{}\n",
        svc(["append=seeded:x"])
    )
}

/// Kills the daemon and waits for the next one, which it returns.
#[track_caller]
pub(crate) fn replaced(home: &Home, signal: Signal) -> i32 {
    let old = home.daemon_pid();
    kernel::kill(old, signal);
    eventually("there is another one", || Some(home.daemon_pid()).filter(|new| *new != old))
}

#[test]
fn services_survive_every_death_of_the_daemon() {
    let home = Home::new();
    let project = home.project("shop", &shop());
    project.up();
    let heart = home.status().heart().expect("there is a heart");
    let before = SHOP.map(|name| (project.service(name).pid(), project.service(name).port()));
    for signal in [Signal::SIGKILL, Signal::SIGABRT] {
        replaced(&home, signal);
        assert_eq!(home.status().heart(), Some(heart));
        let after = SHOP.map(|name| (project.service(name).pid(), project.service(name).port()));
        assert_eq!(after, before, "after {signal}");
        assert_eq!(project.status().states(), "web=healthy db=healthy seed=completed");
    }
    assert_eq!(project.lines("seeded"), ["x"], "a task that has run does not run again");
    assert_eq!(SHOP.map(|name| project.service(name).restarts()), [0, 0]);
    home.stop_daemon();
    assert_eq!(home.processes(), []);
}

#[test]
fn an_end_after_the_daemons_is_known_with_its_code() {
    let home = Home::new();
    let worker = |gate: &str, code: &str| {
        format!("type = \"worker\"\nrestart = \"never\"\n{}", svc([gate, code]))
    };
    let project = home.project(
        "shop",
        &format!(
            "[services.a]\n{}\n[services.b]\ntty = false\n{}\n",
            worker("gate=one", "exit=7"),
            worker("gate=two", "exit=8")
        ),
    );
    project.gate("one");
    project.gate("two");
    project.up();
    replaced(&home, Signal::SIGKILL);
    project.open("one");
    project.open("two");
    let ended = project.until("both have ended", |p| p.is("a", "failed") && p.is("b", "failed"));
    assert_eq!(ended.service("a").last_exit()["code"], 7);
    assert_eq!(ended.service("b").last_exit()["code"], 8);
}

#[test]
fn an_end_without_a_daemon_is_known_with_its_code() {
    let home = Home::new();
    let project = home.project(
        "shop",
        &format!(
            "[services.a]\ntype = \"worker\"\nrestart = \"on-failure\"\n{}\n",
            svc(["append=born:x", "forever"])
        ),
    );
    project.up();
    let (daemon, service) = (home.daemon_pid(), project.service("a").pid());
    kernel::kill(daemon, Signal::SIGKILL);
    kernel::kill(service, Signal::SIGKILL);
    let after = project.until_replaced("a", service);
    assert_eq!((after.restarts(), &after.last_exit()["signal"]), (1, &"SIGKILL".into()));
}

#[test]
fn counters_and_what_has_given_up_are_as_before() {
    let home = Home::new();
    let project = home.project(
        "shop",
        &format!(
            "[services.lost]\ntype = \"worker\"\nmax_restarts = 2\n\
             health_check = {{ type = \"notify\" }}\n\
             backoff = {{ initial = \"1ms\" }}\n{}\n[services.hurt]\n{}\n",
            svc(["append=tried:x", "exit=3"]),
            svc(["listen", "forever"])
        ),
    );
    project.locald(["up"]).fails(1);
    let first = project.until_state("hurt", "healthy").pid();
    kernel::kill(first, Signal::SIGKILL);
    project.until_replaced("hurt", first);
    project.until_state("hurt", "healthy");
    project.until_state("lost", "failed");
    let (reason, tried) = (project.service("lost").reason().to_owned(), project.lines("tried"));
    replaced(&home, Signal::SIGKILL);
    let status = project.status();
    assert_eq!(status.states(), "lost=failed hurt=healthy");
    assert_eq!(status.service("lost").reason(), reason);
    assert_eq!(status.service("hurt").restarts(), 1);
    assert_eq!(status.service("hurt").last_exit()["signal"], "SIGKILL");
    assert_eq!(project.lines("tried"), tried, "given up is given up");
}

#[test]
fn what_is_known_of_an_earlier_life_harms_no_later_one() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.up();
    // What is wanted is told with what runs; the next process is no news of that kind.
    project.locald(["start"]).ok();
    let first = project.service("web").pid();
    kernel::kill(first, Signal::SIGKILL);
    let second = project.until_replaced("web", first).pid();
    replaced(&home, Signal::SIGKILL);
    let after = project.service("web");
    assert_eq!((after.pid(), after.restarts(), after.state()), (second, 1, "healthy"));
    assert!(kernel::is_alive(second));
}

#[test]
fn who_looks_first_sees_all_that_runs() {
    let home = Home::new();
    let sleeper =
        |n: u32| format!("[services.s{n}]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n");
    let project = home.project("many", &(0..40).map(sleeper).collect::<String>());
    project.up();
    let all = || project.status().services().iter().map(|one| one.pid()).collect::<Vec<_>>();
    let before = all();
    kernel::kill(home.daemon_pid(), Signal::SIGKILL);
    assert_eq!(all(), before);
}

#[test]
fn connections_made_meanwhile_are_served() {
    let home = Home::new();
    let project =
        home.project("shop", &format!("[services.web]\n{}\n", svc(["web=hello", "forever"])));
    project.up();
    let front = Front::of(&home);
    for _ in 0..5 {
        kernel::kill(home.daemon_pid(), Signal::SIGKILL);
        let answer = front.get("shop.localhost", "/");
        assert_eq!(answer.status, 200, "{answer:?}");
        let status = http::daemon(&home.socket(), "GET", "/v1/status", "");
        assert_eq!(status.json()["projects"][0]["services"][0]["state"], "healthy");
    }
}

/// As much as a shell can count, as long as the test lasts.
const COUNT: &str = "i=0; while [ $i -lt 5000000 ]; do echo \"n $i\"; i=$((i+1)); done; sleep 1000";

#[test]
fn a_hundred_deaths_in_a_row_lose_nothing() {
    let home = Home::new();
    home.write("config/config.toml", "[logs]\nmax_size = \"1GB\"\n");
    let count = format!("type = \"worker\"\ncommand = '{COUNT}'\n");
    let services =
        format!("{}[services.tty]\n{count}[services.pipe]\ntty = false\n{count}", shop());
    let project = home.project("shop", &services);
    project.up();
    let names = ["web", "db", "tty", "pipe"];
    let before = names.map(|name| project.service(name).pid());
    let began = Instant::now();
    for _ in 0..100 {
        replaced(&home, Signal::SIGKILL);
    }
    let each = began.elapsed() / 100;
    assert_eq!(names.map(|name| project.service(name).pid()), before);
    assert!(each < Duration::from_secs(1), "{each:?} a death");
    project.locald(["stop"]).ok();
    for name in ["tty", "pipe"] {
        let log = fs::read_to_string(home.state_dir().join(format!("logs/shop/{name}.log")));
        let log = log.expect("it is there");
        let said: Vec<&str> = log.lines().map(|line| line.get(29..).unwrap_or(line)).collect();
        assert!(said.len() > 1000, "{} lines of {name}", said.len());
        for (nth, line) in said.iter().enumerate() {
            assert_eq!(*line, format!("n {nth}"), "of {name}");
        }
    }
}

#[test]
fn a_heart_that_dies_is_missed_by_nobody_but_said() {
    let home = Home::new();
    let project = home.project("shop", &shop());
    project.up();
    let daemon = home.daemon_pid();
    let before = SHOP.map(|name| project.service(name).pid());
    kernel::kill(home.status().heart().expect("there is one"), Signal::SIGKILL);
    eventually("it is said", || home.status().heart().is_none().then_some(()));
    assert_eq!(home.daemon_pid(), daemon);
    assert_eq!(SHOP.map(|name| project.service(name).pid()), before);
    home.stop_daemon();
    assert_eq!(home.processes(), []);
}

#[test]
fn sigterm_to_the_heart_is_an_orderly_end() {
    let home = Home::new();
    let project = home.project("shop", &ends_in_order());
    project.up();
    kernel::kill(home.status().heart().expect("there is one"), Signal::SIGTERM);
    let left = kernel::gone_within(crate::support::DEADLINE, || home.processes());
    assert_eq!(left, []);
    assert_eq!(project.lines("order"), ["web", "db"]);
    assert!(!home.socket().exists());
}

#[test]
fn when_both_die_orphans_are_stopped_and_what_was_wanted_starts() {
    let home = Home::new();
    // A terminal that goes away takes its service along; pipes do not.
    let services = SHOP.iter().fold(shop(), |text, name| {
        text.replace(&format!("[services.{name}]\n"), &format!("[services.{name}]\ntty = false\n"))
    });
    let project = home.project("shop", &services);
    project.up();
    let before = SHOP.map(|name| project.service(name).pid());
    eventually("it is written down", || {
        let state = fs::read_to_string(home.state_dir().join("state.json")).ok()?;
        before.iter().all(|pid| state.contains(&pid.to_string())).then_some(())
    });
    kill_both(&home);
    assert!(before.iter().all(|&pid| kernel::is_alive(pid)), "they are orphans now");
    home.locald(["server", "start"]).ok();
    project.until("all is up again", |p| p.is("web", "healthy") && p.is("db", "healthy"));
    assert!(before.iter().all(|&pid| !kernel::is_alive(pid)), "the orphans are gone");
}

#[test]
fn a_pid_that_is_somebody_elses_by_now_is_left_alone() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\ntty = false\n{listen}\n"));
    project.up();
    let pid = project.service("web").pid();
    eventually("it is written down", || {
        let state = fs::read_to_string(home.state_dir().join("state.json")).ok()?;
        state.contains(&pid.to_string()).then_some(())
    });
    kill_both(&home);
    // As if the number had been given to another process.
    let stranger = home.program("sleep").args(["1000"]).start();
    let file = home.state_dir().join("state.json");
    let state = fs::read_to_string(&file).expect("it is there");
    let with = |pid: i32| format!("\"pid\": {pid}");
    assert!(state.contains(&with(pid)));
    fs::write(&file, state.replace(&with(pid), &with(stranger.pid()))).expect("room");
    home.locald(["server", "start"]).ok();
    assert!(kernel::is_alive(stranger.pid()), "it has not been signalled");
    stranger.signal(Signal::SIGKILL);
    kernel::kill(pid, Signal::SIGKILL);
    project.until_state("web", "healthy");
}

#[test]
fn a_daemon_that_cannot_begin_ends_in_order_and_says_so() {
    let home = Home::new();
    let project = home.project("shop", &shop());
    project.up();
    let heart = home.status().heart().expect("there is one");
    // Every next one fails before it serves.
    home.write("config/config.toml", "no such thing = [\n");
    kernel::kill(home.daemon_pid(), Signal::SIGKILL);
    let left = kernel::gone_within(Duration::from_secs(20), || home.processes());
    assert_eq!(left, [], "the heart ({heart}) and everything it kept have ended");
    home.locald(["status"]).fails(3).complains("five times in a row");
    fs::remove_file(home.path().join("config/config.toml")).expect("it is ours");
    project.up();
}

/// The heart first, so that nobody starts another daemon.
fn kill_both(home: &Home) {
    let (daemon, heart) = (home.daemon_pid(), home.status().heart().expect("there is one"));
    kernel::kill(heart, Signal::SIGKILL);
    kernel::kill(daemon, Signal::SIGKILL);
    eventually("both are gone", || {
        (!kernel::is_alive(heart) && !kernel::is_alive(daemon)).then_some(())
    });
}

#[test]
fn what_a_service_notifies_while_there_is_no_daemon_is_heard() {
    let home = Home::new();
    let steps = svc(["gate=gate", "notify=READY=1", "append=said:x", "forever"]);
    let project = home.project(
        "shop",
        &format!("[services.a]\n{steps}\nhealth_check = {{ type = \"notify\" }}\n"),
    );
    project.gate("gate");
    project.locald(["up", "--no-wait"]).ok();
    let running = project.until("it runs", |p| p.service("a").maybe_pid().is_some());
    let pid = running.service("a").pid();
    let heart = home.status().heart().expect("there is a heart");
    // It starts no other daemon meanwhile.
    kernel::kill(heart, Signal::SIGSTOP);
    kernel::kill(home.daemon_pid(), Signal::SIGKILL);
    project.open("gate");
    eventually("it has been said", || (project.lines("said") == ["x"]).then_some(()));
    kernel::kill(heart, Signal::SIGCONT);
    let after = project.until_state("a", "healthy");
    assert_eq!((after.pid(), after.restarts()), (pid, 0));
}

#[test]
fn a_process_goes_on_also_when_it_could_not_be_launched_now() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.a]\n{listen}\nenv_file = \"a.env\"\n"));
    project.write("a.env", "X=1\n");
    project.up();
    let pid = project.service("a").pid();
    fs::remove_file(project.path("a.env")).expect("it is there");
    project.until("it is missed", |status| !status.0["config_error"].is_null());
    replaced(&home, Signal::SIGKILL);
    let after = project.until_state("a", "healthy");
    assert_eq!((after.pid(), after.restarts()), (pid, 0));
}

#[test]
fn what_is_wrong_in_the_configuration_by_now_stops_nothing() {
    let home = Home::new();
    let project = home.project("shop", &shop());
    project.up();
    let before = SHOP.map(|name| project.service(name).pid());
    project.write("locald.toml", "[project\n");
    let wrong = |status: &ProjectStatus| !status.0["config_error"].is_null();
    project.until("it is seen", wrong);
    replaced(&home, Signal::SIGKILL);
    project.until("it is seen again", wrong);
    assert_eq!(SHOP.map(|name| project.service(name).pid()), before);
    project.write("locald.toml", format!("[project]\nname = \"shop\"\n{}", shop()));
    let mended = project.until("it is mended", |status| !wrong(status));
    assert_eq!(mended.states(), "web=healthy db=healthy seed=completed");
    assert_eq!(SHOP.map(|name| project.service(name).pid()), before);
}

#[test]
fn an_edit_while_there_is_no_daemon_is_an_edit_like_any_other() {
    let home = Home::new();
    let project = home.project("shop", &shop());
    project.up();
    let (web, db) = (project.service("web").pid(), project.service("db").pid());
    let heart = home.status().heart().expect("there is a heart");
    kernel::kill(heart, Signal::SIGSTOP);
    kernel::kill(home.daemon_pid(), Signal::SIGKILL);
    let edited =
        shop().replace("depends_on = [\"db\"]\n", "depends_on = [\"db\"]\nenv = { A = \"1\" }\n");
    project.write("locald.toml", format!("[project]\nname = \"shop\"\n{edited}"));
    kernel::kill(heart, Signal::SIGCONT);
    project.until_replaced("web", web);
    assert_eq!(project.until_state("db", "healthy").pid(), db);
}
