//! Stopping: in reverse, patiently, and not over before everything is gone.

use std::time::Duration;

use crate::support::{Home, kernel, svc};

#[test]
fn everything_stops_in_reverse_order() {
    let home = Home::new();
    let noted = |name: &str, need: &str| {
        let command = svc([&format!("on-term=order:{name}"), "listen", "forever"]);
        format!("[services.{name}]\n{command}\ndepends_on = [{need}]\n")
    };
    let services = noted("db", "")
        + &noted("api", "\"db\"")
        + &noted("web", "\"api\", \"cache\"")
        + &noted("cache", "");
    let project = home.project("shop", &services);
    project.up();
    project.locald(["stop"]).ok();
    let order = project.lines("order");
    let at = |name: &str| order.iter().position(|line| line == name).expect("it was told");
    assert!(at("web") < at("api") && at("api") < at("db"), "{order:?}");
    assert!(at("web") < at("cache"), "{order:?}");
    assert_eq!(project.status().state(), "stopped");
    assert_eq!(project.service("db").last_exit()["asked"], true);
    assert!(project.service("db").maybe_pid().is_none());
}

#[test]
fn one_service_takes_those_that_are_bonded_to_it_down_first() {
    let home = Home::new();
    let noted = |name: &str| svc([&format!("on-term=order:{name}"), "listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.db]\n{}\n[services.web]\n{}\ndepends_on = [\"db\"]\n[services.other]\n{}\n",
            noted("db"),
            noted("web"),
            noted("other")
        ),
    );
    project.up();
    let other = project.service("other").pid();
    project.locald(["stop", "db"]).ok();
    assert_eq!(project.lines("order"), ["web", "db"]);
    assert_eq!(project.status().states(), "db=stopped web=waiting other=healthy");
    assert_eq!(project.service("other").pid(), other);
}

#[test]
fn independent_services_stop_in_parallel() {
    let home = Home::new();
    let stubborn = svc(["block=SIGTERM", "listen", "forever"]);
    let services = (0..4).fold(String::new(), |text, n| {
        text + &format!("[services.s{n}]\nstop_timeout = \"1s\"\n{stubborn}\n")
    });
    let project = home.project("shop", &services);
    project.up();
    let stop = project.locald(["stop"]).ok();
    assert!(stop.took < Duration::from_millis(3500), "four times one second at once: {stop}");
}

#[test]
fn who_ignores_the_signal_is_killed_after_the_timeout_and_not_before() {
    let home = Home::new();
    let stubborn = svc(["block=SIGTERM", "listen", "forever"]);
    let project =
        home.project("shop", &format!("[services.s]\nstop_timeout = \"700ms\"\n{stubborn}\n"));
    project.up();
    let pid = project.service("s").pid();
    let stop = project.locald(["stop"]).ok();
    assert!(stop.took >= Duration::from_millis(700), "{stop}");
    assert!(!kernel::is_alive(pid));
    assert_eq!(project.service("s").last_exit()["signal"], "SIGKILL");
}

#[test]
fn the_stop_signal_is_the_configured_one() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.s]\ntype = \"worker\"\nstop_signal = \"SIGINT\"\n\
         command = \"trap 'echo int > got; exit 0' INT; trap 'echo term > got; exit 0' TERM; \
         echo > ready; while :; do sleep 0.05; done\"\nhealth_check = \"test -e ready\"\n",
    );
    project.up();
    project.locald(["stop"]).ok();
    assert_eq!(project.read("got"), "int\n");
}

/// Whatever the service leaves behind is gone when `stop` returns.
#[track_caller]
fn leaves_nobody(steps: [&str; 3]) {
    let home = Home::new();
    let project =
        home.project("shop", &format!("[services.s]\nstop_timeout = \"300ms\"\n{}\n", svc(steps)));
    project.up();
    let pid = || project.read("child").trim().parse::<i32>().expect("the child wrote its pid");
    crate::support::eventually("the child runs", || {
        (!project.read("child").is_empty()).then_some(())
    });
    let child = pid();
    assert!(kernel::is_alive(child));
    project.locald(["stop"]).ok();
    assert!(!kernel::is_alive(child), "{}", kernel::command(child));
}

#[test]
fn a_grandchild_that_ignores_the_signal_is_gone_as_well() {
    leaves_nobody(["spawn=block=SIGTERM+pid=child+forever", "listen", "forever"]);
}

#[test]
fn a_grandchild_in_a_session_of_its_own_is_gone_as_well() {
    leaves_nobody(["spawn=setsid+block=SIGTERM+pid=child+forever", "listen", "forever"]);
}

#[test]
fn a_daemonised_grandchild_is_gone_as_well() {
    leaves_nobody(["orphan=setsid+block=SIGTERM+pid=child+forever", "listen", "forever"]);
}

#[test]
fn a_grandchild_of_a_shell_is_gone_as_well() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.s]\ntype = \"worker\"\nstop_timeout = \"300ms\"\n\
         command = \"(trap '' TERM HUP; sh -c 'echo $$$$ > child; sleep 1000; sleep 1000') & wait\"\n",
    );
    project.up();
    let child = crate::support::eventually("the child runs", || {
        project.read("child").trim().parse::<i32>().ok()
    });
    project.locald(["stop"]).ok();
    assert!(!kernel::is_alive(child));
}

#[test]
fn a_crash_of_the_leader_leaves_nobody_of_its_session_behind() {
    let home = Home::new();
    let project = home.project(
        "shop",
        &format!(
            "[services.s]\nrestart = \"never\"\nstop_timeout = \"300ms\"\n{}\n",
            svc(["spawn=setsid+block=SIGTERM+pid=child+forever", "listen", "gate=gate", "exit=3"])
        ),
    );
    project.gate("gate");
    project.up();
    let child = crate::support::eventually("the child runs", || {
        project.read("child").trim().parse::<i32>().ok()
    });
    project.open("gate");
    let service = project.until_state("s", "failed");
    assert_eq!(service.last_exit()["code"], 3);
    assert!(!kernel::is_alive(child), "{}", kernel::command(child));
}

#[test]
fn an_orphan_that_holds_the_output_open_does_not_block_the_end() {
    let home = Home::new();
    for tty in [true, false] {
        let project = home.project(
            &format!("tty-{tty}"),
            &format!(
                "[services.s]\ntype = \"worker\"\nrestart = \"never\"\ntty = {tty}\n\
                 stop_timeout = \"300ms\"\ncommand = \"sleep 1000 & read x < gate; exit 5\"\n"
            ),
        );
        project.gate("gate");
        project.up();
        project.open("gate");
        assert_eq!(project.until_state("s", "failed").last_exit()["code"], 5);
    }
}

#[test]
fn a_service_whose_output_nobody_has_read_yet_still_stops() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.s]\ntype = \"worker\"\ncommand = \"while :; do echo full full full; done\"\n",
    );
    project.up();
    project.locald(["stop"]).ok();
    assert_eq!(project.service("s").state(), "stopped");
}

#[test]
fn a_start_during_a_stop_waits_for_its_end_and_both_succeed() {
    let home = Home::new();
    let command = svc(["block=SIGTERM", "append=born:x", "listen", "forever"]);
    let project =
        home.project("shop", &format!("[services.s]\nstop_timeout = \"1s\"\n{command}\n"));
    project.up();
    let old = project.service("s").pid();
    let mut watch = project.locald(["status", "--watch", "--json"]).stream();
    let stop = project.locald(["stop", "s"]).start();
    watch.find("it is stopping", |line| line.contains("\"stopping\""));
    project.locald(["start", "s"]).ok();
    stop.end().exits(0);
    let new = project.service("s");
    assert_eq!(new.state(), "healthy");
    assert!(new.pid() != old && !kernel::is_alive(old));
    assert_eq!(project.lines("born").len(), 2);
}

#[test]
fn a_stopped_service_stays_stopped() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project =
        home.project("shop", &format!("[services.a]\n{listen}\n[services.b]\n{listen}\n"));
    project.up();
    project.locald(["stop", "a"]).ok();
    // Whatever happens to others.
    project.locald(["restart", "b"]).ok();
    assert_eq!(project.status().states(), "a=stopped b=healthy");
    project.locald(["stop", "a"]).ok();
    assert_eq!(project.service("a").last_exit()["asked"], true);
}

#[test]
fn an_exit_after_the_stop_signal_is_no_failure_whatever_its_code() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.s]\ntype = \"worker\"\nrestart = \"on-failure\"\n\
         command = \"trap 'exit 9' TERM; echo > ready; while :; do sleep 0.05; done\"\n\
         health_check = \"test -e ready\"\n",
    );
    project.up();
    project.locald(["stop"]).ok();
    let service = project.service("s");
    assert_eq!(service.state(), "stopped");
    assert_eq!(
        (&service.last_exit()["code"], &service.last_exit()["asked"]),
        (&9.into(), &true.into())
    );
}
