//! Dependencies: who starts after whom, and on what condition.

use crate::support::{Home, Project, svc};

/// A service that writes down when it starts and when it is ready.
fn noted(name: &str, needs: &[&str]) -> String {
    let command = svc([
        &format!("append=order:start {name}"),
        "sleep=10",
        &format!("append=order:ready {name}"),
        "listen",
        "forever",
    ]);
    let needs: Vec<String> = needs.iter().map(|need| format!("\"{need}\"")).collect();
    format!("[services.{name}]\n{command}\ndepends_on = [{}]\n", needs.join(", "))
}

/// Each starts after all it needs is ready.
#[track_caller]
fn in_order(project: &Project<'_>, edges: &[(&str, &str)]) {
    let order = project.lines("order");
    let at = |what: &str| {
        let found = order.iter().position(|line| line == what);
        found.unwrap_or_else(|| panic!("no {what:?} in {order:?}"))
    };
    for (from, to) in edges {
        let (ready, start) = (at(&format!("ready {to}")), at(&format!("start {from}")));
        assert!(ready < start, "{from} started before {to} was ready: {order:?}");
    }
}

#[test]
fn a_chain_of_eight_comes_up_link_by_link() {
    let home = Home::new();
    let names: Vec<String> = (0..8).map(|n| format!("s{n}")).collect();
    let mut text = noted("s7", &[]);
    for pair in names.windows(2).rev() {
        text = noted(&pair[0], &[&pair[1]]) + &text;
    }
    let project = home.project("chain", &text);
    project.up();
    let edges: Vec<_> = names.windows(2).map(|p| (p[0].as_str(), p[1].as_str())).collect();
    in_order(&project, &edges);
}

#[test]
fn a_rhombus_and_fans_come_up_in_order() {
    let home = Home::new();
    let edges = [
        ("top", "left"),
        ("top", "right"),
        ("left", "base"),
        ("right", "base"),
        ("f1", "top"),
        ("f2", "top"),
        ("all", "f1"),
        ("all", "f2"),
        ("all", "base"),
    ];
    let names = ["all", "f1", "f2", "top", "left", "right", "base"];
    let text = names.iter().fold(String::new(), |text, name| {
        let needs: Vec<&str> = edges.iter().filter(|e| e.0 == *name).map(|e| e.1).collect();
        text + &noted(name, &needs)
    });
    let project = home.project("rhombus", &text);
    project.up();
    in_order(&project, &edges);
    assert_eq!(project.lines("order").len(), 2 * names.len(), "each once");
}

#[test]
fn independent_services_start_side_by_side() {
    let home = Home::new();
    // Each waits for the other one's gate, which the other opens once it runs.
    let project = home.project(
        "pair",
        "[services.a]\ntype = \"worker\"\ncommand = \"echo > one; read x < two; sleep 1000\"\n\
         [services.b]\ntype = \"worker\"\ncommand = \"read x < one; echo > two; sleep 1000\"\n",
    );
    project.gate("one");
    project.gate("two");
    project.up();
}

#[test]
fn a_dependency_on_its_start_does_not_wait_for_its_health() {
    let home = Home::new();
    let slow = svc(["gate=gate", "listen", "forever"]);
    let web = svc(["listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{web}\n\
             depends_on = [{{ service = \"slow\", condition = \"started\" }}]\n\
             [services.slow]\n{slow}\n"
        ),
    );
    project.gate("gate");
    project.locald(["up", "--no-wait"]).ok();
    let status = project.until("web is healthy", |p| p.is("web", "healthy"));
    assert_eq!(status.states(), "web=healthy slow=starting");
    project.open("gate");
    project.locald(["wait"]).ok();
}

#[test]
fn a_dependency_on_a_task_waits_until_it_has_completed() {
    let home = Home::new();
    let web = svc(["listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{web}\ndepends_on = [\"migrate\"]\n\
             [services.migrate]\ntype = \"task\"\ncommand = \"read x < gate\"\n"
        ),
    );
    project.gate("gate");
    project.locald(["up", "--no-wait"]).ok();
    let status = project.until("migrate runs", |p| p.service("migrate").maybe_pid().is_some());
    assert!(status.is("web", "waiting"), "{status:?}");
    assert_eq!(status.service("web").waiting_for(), ["migrate"]);
    assert!(status.service("web").reason().contains("migrate"), "{status:?}");
    project.open("gate");
    project.locald(["wait"]).ok();
    assert_eq!(project.status().states(), "web=healthy migrate=completed");
}

#[test]
fn a_reference_implies_a_dependency_and_knows_the_port_before_it_runs() {
    let home = Home::new();
    let web = svc(["print-env=DATABASE_URL", "print-env=DB_HOST", "listen", "forever"]);
    let db = svc(["append=order:db", "listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{web}\n\
             env = {{ DATABASE_URL = \"${{services.db.url}}/x\", DB_HOST = \"${{services.db.host}}:${{services.db.port}}\" }}\n\
             [services.db]\n{db}\n"
        ),
    );
    project.up();
    let status = project.status();
    assert_eq!(status.service("web").depends_on(), ["db"], "implied ones appear");
    let port = status.service("db").port();
    let log = project.log("web");
    assert!(log.contains(&format!("DATABASE_URL=http://127.0.0.1:{port}/x")), "{log:?}");
    assert!(
        log.iter().any(|line| {
            *line == format!("DB_HOST=127.0.0.1:{port}")
                || *line == format!("DB_HOST=localhost:{port}")
        }),
        "{log:?}"
    );
}

#[test]
fn waiting_ends_with_the_reason_when_what_is_waited_for_gives_up() {
    let home = Home::new();
    let web = svc(["listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{web}\ndepends_on = [\"db\"]\n\
             [services.db]\nmax_restarts = 1\ncommand = \"echo no disk; exit 9\"\n"
        ),
    );
    let output = project.locald(["up", "web", "--timeout", "600s"]).fails(1).and_clearly();
    output.complains("db").complains("no disk");
    let status = project.status();
    assert_eq!(status.states(), "web=waiting db=failed");
    assert_eq!(status.service("web").restarts(), 0, "no crash loop of its own");
}

#[test]
fn those_that_wait_start_by_themselves_when_it_recovers() {
    let home = Home::new();
    let web = svc(["listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{web}\ndepends_on = [\"db\"]\n\
             [services.db]\ntype = \"worker\"\nmax_restarts = 0\n\
             command = \"test -e ok && exec sleep 1000; exit 1\"\n\
             health_check = \"test -e ok\"\n"
        ),
    );
    project.locald(["up"]).fails(1);
    project.write("ok", "");
    project.locald(["restart", "db"]).ok();
    project.until_state("web", "healthy");
}

#[test]
fn a_task_runs_once_per_up_of_a_stopped_project() {
    let home = Home::new();
    let web = svc(["listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{web}\ndepends_on = [\"seed\"]\n\
             [services.seed]\ntype = \"task\"\ncommand = \"echo ran >> runs\"\n"
        ),
    );
    let runs = || project.lines("runs").len();
    project.up();
    project.up();
    project.locald(["restart", "web"]).ok();
    assert_eq!(runs(), 1, "a completed one is not run again");
    project.locald(["restart", "seed"]).ok();
    assert_eq!(runs(), 2, "but by name it is");
    project.locald(["stop"]).ok();
    project.up();
    assert_eq!(runs(), 3, "and when a stopped project comes up");
}

#[test]
fn a_long_project_comes_up_whole() {
    let home = Home::new();
    let mut text = String::new();
    for n in 0..60 {
        let needs = if n >= 10 { format!("\"s{}\"", n - 10) } else { String::new() };
        text = format!(
            "{text}[services.s{n}]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n\
             depends_on = [{needs}]\n"
        );
    }
    let project = home.project("many", &text);
    project.up();
    let status = project.status();
    assert_eq!(status.services().len(), 60);
    assert!(status.services().iter().all(|s| s.state() == "healthy"), "{}", status.states());
    let pids: std::collections::BTreeSet<i32> =
        status.services().iter().map(crate::support::ServiceStatus::pid).collect();
    assert_eq!(pids.len(), 60);
}
