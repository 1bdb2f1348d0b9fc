//! When a service counts as healthy, and how it is found out that it no longer is.

use std::time::Duration;

use crate::support::{Home, Project, kernel, svc};

/// A service that can be made to wait, to be well and to be ill by the test.
fn web<'a>(home: &'a Home, check: &str, listen: &str) -> Project<'a> {
    let command = svc(["gate=gate", listen, "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{command}\n{check}\n"));
    project.gate("gate");
    project.locald(["up", "--no-wait"]).ok();
    project.until("it runs", |p| p.service("web").maybe_pid().is_some());
    assert_eq!(project.service("web").state(), "starting", "nothing listens yet");
    project.open("gate");
    project
}

#[test]
fn without_a_check_the_port_decides_over_ipv4_and_ipv6() {
    for listen in ["listen", "listen6"] {
        let home = Home::new();
        let project = web(&home, "", listen);
        project.locald(["wait", "--timeout", "60s"]).ok();
        assert_eq!(project.service("web").state(), "healthy", "{listen}");
    }
}

#[test]
fn a_tcp_check_works_over_ipv4_and_ipv6() {
    for listen in ["listen", "listen6"] {
        let home = Home::new();
        let project = web(&home, "health_check = { type = \"tcp\" }", listen);
        project.locald(["wait", "--timeout", "60s"]).ok();
    }
}

#[test]
fn a_quick_service_is_seen_quickly() {
    let home = Home::new();
    let project =
        home.project("shop", &format!("[services.web]\n{}\n", svc(["listen", "forever"])));
    home.locald(["server", "start"]).ok();
    let up = project.up();
    assert!(up.took < Duration::from_secs(5), "{up}");
}

#[test]
fn an_http_check_wants_a_good_status() {
    let home = Home::new();
    let project = home
        .project(
            "shop",
            &format!(
                "[services.web]\n{}\n\
                 health_check = {{ type = \"http\", path = \"/healthz?x=1\", interval = \"50ms\" }}\n",
                svc(["http=code", "forever"])
            ),
        )
        .with("code", "503");
    project.locald(["up", "--timeout", "400ms"]).fails(5).complains("web");
    assert_eq!(project.service("web").state(), "starting");
    project.write("code", "204");
    project.locald(["wait", "--timeout", "60s"]).ok();
}

#[test]
fn an_http_check_can_name_the_good_statuses() {
    let home = Home::new();
    for (status, answer) in [("[401, 418]", "418"), ("404", "404")] {
        let name = format!("on-{answer}");
        let project = home
            .project(
                &name,
                &format!(
                    "[services.web]\n{}\n\
                     health_check = {{ type = \"http\", path = \"/\", status = {status} }}\n",
                    svc(["http=code", "forever"])
                ),
            )
            .with("code", answer);
        project.up();
        project.locald(["down"]).ok();
    }
}

#[test]
fn a_command_check_runs_with_the_environment_and_the_workdir_of_the_service() {
    let home = Home::new();
    let project = home
        .project(
            "shop",
            "[services.w]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n\
             workdir = \"sub\"\nenv = { MARK = \"here\" }\n\
             health_check = \"test $MARK = here && test -e ready\"\n\
             [services.array]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n\
             health_check = { type = \"command\", command = [\"test\", \"-e\", \"sub/ready\"] }\n",
        )
        .with("sub/x", "");
    project.locald(["up", "--timeout", "400ms"]).fails(5);
    assert_eq!(project.status().states(), "w=starting array=starting");
    project.write("sub/ready", "");
    project.locald(["wait", "--timeout", "60s"]).ok();
}

#[test]
fn a_worker_is_healthy_once_it_has_lived_for_a_moment() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.good]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n\
         [services.bad]\ntype = \"worker\"\nmax_restarts = 0\ncommand = \"exit 1\"\n",
    );
    project.locald(["up"]).run();
    project
        .until("one has died and one lives", |p| p.is("bad", "failed") && p.is("good", "healthy"));
}

#[test]
fn the_start_period_bounds_a_start() {
    let home = Home::new();
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\nmax_restarts = 1\n{}\n\
             health_check = {{ type = \"tcp\", start_period = \"300ms\" }}\n",
            svc(["append=born:x", "forever"])
        ),
    );
    let up = project.locald(["up", "--timeout", "600s"]).fails(1).and_clearly();
    up.complains("web");
    assert_eq!(project.lines("born").len(), 2, "a start that takes too long has failed");
    assert_eq!(project.service("web").state(), "failed");
    assert!(project.service("web").maybe_pid().is_none());
}

#[test]
fn liveness_failures_make_it_unhealthy_and_successes_healthy() {
    let home = Home::new();
    let project = home
        .project(
            "shop",
            &format!(
                "[services.web]\n{}\n\
                 health_check = {{ type = \"http\", path = \"/\", interval = \"50ms\", retries = 2 }}\n",
                svc(["http=code", "forever"])
            ),
        )
        .with("code", "200");
    project.up();
    let pid = project.service("web").pid();
    project.write("code", "500");
    let ill = project.until("it is ill", |p| p.is("web", "unhealthy"));
    assert!(ill.service("web").reason().contains("500"), "{ill:?}");
    assert_eq!(ill.state(), "degraded");
    project.write("code", "200");
    let well = project.until_state("web", "healthy");
    assert_eq!((well.pid(), well.restarts()), (pid, 0), "by default it is not restarted for that");
}

#[test]
fn liveness_failures_can_be_a_crash() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\ntype = \"worker\"\ncommand = \"rm -f ill; exec sleep 1000\"\n\
             health_check = { command = \"test ! -e ill\", interval = \"50ms\", retries = 2, \
             on_failure = \"restart\" }\n",
    );
    project.up();
    let pid = project.service("w").pid();
    project.write("ill", "");
    let new = project.until_replaced("w", pid);
    assert_eq!(new.restarts(), 1);
    assert!(!kernel::is_alive(pid));
}

#[test]
fn a_service_that_listens_elsewhere_is_found_out() {
    let home = Home::new();
    let project = home
        .project("shop", &format!("[services.web]\n{}\n", svc(["listen-elsewhere", "forever"])));
    project.locald(["up", "--no-wait"]).ok();
    let status =
        project.until("it is found out", |p| p.service("web").reason().contains("listens"));
    let web = status.service("web");
    let log = project.log("web");
    let elsewhere = log[0].strip_prefix("elsewhere ").expect("it printed its port");
    assert_eq!(
        web.reason(),
        format!("listens on {elsewhere}, expected $PORT={}", web.port()),
        "both ports are named"
    );
    let up = project.locald(["up", "--timeout", "300ms"]).fails(5);
    up.complains("expected $PORT=");
}

#[test]
fn a_slow_check_is_cut_off() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n\
         health_check = { command = \"echo $$$$ > probe; sleep 1000\", timeout = \"200ms\" }\n",
    );
    project.locald(["up", "--timeout", "1s"]).fails(5);
    let probe: i32 = project.read("probe").trim().parse().expect("it ran");
    project.locald(["stop"]).ok();
    assert!(
        kernel::gone_within(Duration::from_secs(5), || {
            if kernel::is_alive(probe) { vec![probe] } else { Vec::new() }
        })
        .is_empty()
    );
}
