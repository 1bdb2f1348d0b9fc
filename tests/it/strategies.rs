//! OTP's strategies on the graph, and bonds per edge.

use nix::sys::signal::Signal;

use crate::support::{Home, Project, kernel, svc};

/// `web` needs `api` needs `db`; `alone` needs nobody. Each writes down its births and its asked ends.
fn shop<'a>(home: &'a Home, strategy: &str, bond: &str) -> Project<'a> {
    let noted = |name: &str, need: &str| {
        let command = svc([
            &format!("append=order:start {name}"),
            &format!("on-term=order:stop {name}"),
            "listen",
            "forever",
        ]);
        let needs = match (need, bond) {
            ("", _) => String::new(),
            (need, "") => format!("\"{need}\""),
            (need, bond) => format!("{{ service = \"{need}\", bond = \"{bond}\" }}"),
        };
        format!("[services.{name}]\n{command}\ndepends_on = [{needs}]\n")
    };
    let services =
        noted("web", "api") + &noted("api", "db") + &noted("db", "") + &noted("alone", "");
    let project = home.project_with("shop", &format!("strategy = \"{strategy}\""), &services);
    project.up();
    project
}

/// What happens after a crash of the service, up to everybody's health.
fn after_crash(project: &Project<'_>, name: &str) -> Vec<String> {
    let before = project.lines("order").len();
    let pid = project.service(name).pid();
    kernel::kill(pid, Signal::SIGKILL);
    project.until("it is back, and all are well", |status| {
        status.services().iter().all(|s| s.state() == "healthy")
            && status.service(name).maybe_pid().is_some_and(|new| new != pid)
    });
    project.lines("order")[before..].to_vec()
}

#[test]
fn one_for_one_concerns_only_the_crashed() {
    let home = Home::new();
    let project = shop(&home, "one_for_one", "");
    assert_eq!(after_crash(&project, "db"), ["start db"]);
    assert_eq!(after_crash(&project, "web"), ["start web"]);
}

#[test]
fn rest_for_one_takes_the_dependents_down_in_reverse_and_back_in_order() {
    let home = Home::new();
    let project = shop(&home, "rest_for_one", "");
    assert_eq!(
        after_crash(&project, "db"),
        ["stop web", "stop api", "start db", "start api", "start web"]
    );
    assert_eq!(after_crash(&project, "api"), ["stop web", "start api", "start web"]);
    assert_eq!(after_crash(&project, "web"), ["start web"]);
}

#[test]
fn one_for_all_takes_all() {
    let home = Home::new();
    let project = shop(&home, "one_for_all", "");
    let order = after_crash(&project, "web");
    let of = |word: &str| -> Vec<&str> {
        order.iter().filter_map(|line| line.strip_prefix(word)).collect()
    };
    let at = |line: &str| order.iter().position(|seen| seen == line);
    assert!(at("stop api") < at("stop db"), "{order:?}");
    assert!(at("start db") < at("start api") && at("start api") < at("start web"), "{order:?}");
    assert_eq!(of("stop ").len(), 3, "all but the crashed are told: {order:?}");
    assert_eq!(of("start ").len(), 4, "{order:?}");
    let (last_stop, first_start) = (
        order.iter().rposition(|line| line.starts_with("stop")),
        order.iter().position(|line| line.starts_with("start")),
    );
    assert!(last_stop < first_start, "down first, then up: {order:?}");
}

#[test]
fn a_bond_overrides_the_strategy() {
    let home = Home::new();
    let project = shop(&home, "one_for_one", "crash");
    assert_eq!(
        after_crash(&project, "db"),
        ["stop web", "stop api", "start db", "start api", "start web"]
    );
    let home = Home::new();
    let project = shop(&home, "rest_for_one", "loose");
    assert_eq!(after_crash(&project, "db"), ["start db"]);
}

#[test]
fn a_task_that_has_completed_is_not_run_again_after_crashes() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    for strategy in ["rest_for_one", "one_for_all"] {
        let project = home.project_with(
            strategy,
            &format!("strategy = \"{strategy}\""),
            &format!(
                "[services.web]\n{listen}\ndepends_on = [\"seed\"]\n\
                 [services.seed]\ntype = \"task\"\ncommand = \"echo x >> runs\"\n"
            ),
        );
        project.up();
        let pid = project.service("web").pid();
        kernel::kill(pid, Signal::SIGKILL);
        project.until_replaced("web", pid);
        assert_eq!(project.lines("runs").len(), 1, "{strategy}");
        project.locald(["down"]).ok();
    }
}

#[test]
fn a_flapping_dependency_breaks_and_mends_its_dependents() {
    let home = Home::new();
    let project = shop(&home, "rest_for_one", "");
    for _ in 0..3 {
        assert_eq!(
            after_crash(&project, "db"),
            ["stop web", "stop api", "start db", "start api", "start web"]
        );
    }
    let status = project.status();
    assert_eq!(status.service("db").restarts(), 3);
    assert!(status.service("alone").restarts() == 0, "{status:?}");
}

#[test]
fn those_behind_one_that_gave_up_wait_with_it_and_loose_ones_run_on() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{listen}\ndepends_on = [\"db\"]\n\
             [services.loose]\n{listen}\ndepends_on = [{{ service = \"db\", bond = \"loose\" }}]\n\
             [services.db]\nmax_restarts = 0\n{listen}\n"
        ),
    );
    project.up();
    let loose = project.service("loose").pid();
    kernel::kill(project.service("db").pid(), Signal::SIGKILL);
    let status = project
        .until("db has given up and web waits", |p| p.is("db", "failed") && p.is("web", "waiting"));
    assert_eq!(status.service("web").waiting_for(), ["db"]);
    assert_eq!(status.service("loose").pid(), loose);
    assert_eq!(status.state(), "degraded");
}

#[test]
fn those_whose_dependency_was_stopped_return_when_it_is_started() {
    let home = Home::new();
    let project = shop(&home, "rest_for_one", "");
    project.locald(["stop", "db"]).ok();
    let status = project.status();
    assert_eq!(status.states(), "web=waiting api=waiting db=stopped alone=healthy");
    project.locald(["start", "db"]).ok();
    project.until("all are back", |p| p.services().iter().all(|s| s.state() == "healthy"));
}
