//! `sd_notify`: what services may say of themselves.

use crate::support::{Home, kernel, svc};

#[test]
fn ready_comes_before_the_port() {
    let home = Home::new();
    let command = svc(["gate=gate", "notify=READY=1", "forever"]);
    let project = home.project("shop", &format!("[services.s]\n{command}\n"));
    project.gate("gate");
    project.locald(["up", "--no-wait"]).ok();
    project.until("it runs", |p| p.service("s").maybe_pid().is_some());
    assert_eq!(project.service("s").state(), "starting");
    project.open("gate");
    project.locald(["wait", "--timeout", "60s"]).ok();
}

#[test]
fn with_type_notify_only_the_notification_counts() {
    let home = Home::new();
    let command = svc(["listen", "gate=gate", "notify=READY=1", "forever"]);
    let project = home.project(
        "shop",
        &format!("[services.s]\n{command}\nhealth_check = {{ type = \"notify\" }}\n"),
    );
    project.gate("gate");
    project.locald(["up", "--timeout", "500ms"]).fails(5);
    assert_eq!(project.service("s").state(), "starting", "an open port is not enough");
    project.open("gate");
    project.locald(["wait", "--timeout", "60s"]).ok();
}

#[test]
fn a_status_is_shown_in_status_and_tree() {
    let home = Home::new();
    let command =
        svc(["notify=STATUS=warming the cache\\nREADY=1\\nX_OTHER=1", "listen", "forever"]);
    let project = home.project("shop", &format!("[services.s]\n{command}\n"));
    project.up();
    let status = project.until("it says so", |p| !p.service("s").reason().is_empty());
    assert_eq!(status.service("s").reason(), "warming the cache");
    project.locald(["status"]).ok().says("warming the cache");
    project.locald(["tree"]).ok().says("warming the cache");
}

#[test]
fn garbage_harms_nobody() {
    let home = Home::new();
    let command = svc([
        "notify=",
        "notify===\\n\\n=\\nREADY",
        "notify=\u{1}\u{2}\u{fffd}",
        "notify=WATCHDOG_USEC=x\\nMAINPID=-1\\nEXTEND_TIMEOUT_USEC=99999999999999999999",
        "listen",
        "notify-barrier",
        "forever",
    ]);
    let project = home.project("shop", &format!("[services.s]\n{command}\n"));
    project.up();
    let pid = project.service("s").pid();
    project.follow("s").find_text("barrier passed");
    assert_eq!(project.service("s").pid(), pid);
    assert_eq!(project.service("s").state(), "healthy");
}

#[test]
fn strangers_are_not_believed() {
    let home = Home::new();
    let command = svc(["print-env=NOTIFY_SOCKET", "gate=gate", "forever"]);
    let project = home.project(
        "shop",
        &format!("[services.s]\n{command}\nhealth_check = {{ type = \"notify\" }}\n"),
    );
    project.gate("gate");
    project.locald(["up", "--no-wait"]).ok();
    let line = project.follow("s").find_text("NOTIFY_SOCKET=");
    let path = line.split_once('=').expect("NAME=VALUE").1.to_owned();
    let socket = std::os::unix::net::UnixDatagram::unbound().expect("a socket");
    socket.send_to(b"READY=1", &path).expect("it takes it");
    // The next one is read after the first.
    project.locald(["up", "--timeout", "500ms"]).fails(5);
    assert_eq!(project.service("s").state(), "starting", "we are not of its session");
}

#[test]
fn a_child_of_the_service_may_speak_for_it() {
    let home = Home::new();
    let command = svc(["spawn=notify=READY=1+sleep=200", "forever"]);
    let project = home.project(
        "shop",
        &format!("[services.s]\n{command}\nhealth_check = {{ type = \"notify\" }}\n"),
    );
    project.up();
}

#[test]
fn a_watchdog_that_falls_silent_is_a_crash_by_abort() {
    let home = Home::new();
    let command = svc([
        "append=born:x",
        "print-env=WATCHDOG_USEC",
        "notify=READY=1",
        "notify=WATCHDOG=1",
        "forever",
    ]);
    let project = home.project(
        "shop",
        &format!("[services.s]\nwatchdog = \"300ms\"\nmax_restarts = 1\nrestart = \"always\"\n{command}\n"),
    );
    project.up();
    let service = project.until_state("s", "failed");
    assert_eq!(service.last_exit()["signal"], "SIGABRT", "{service:?}");
    assert_eq!(project.lines("born").len(), 2);
    assert_eq!(project.log("s")[0], "WATCHDOG_USEC=300000");
    assert!(project.locald(["why", "s"]).ok().stdout.to_lowercase().contains("watchdog"));
}

#[test]
fn a_watchdog_that_is_fed_is_content() {
    let home = Home::new();
    let fed = svc(["notify=READY=1", "notify-every=50:WATCHDOG=1", "forever"]);
    let project = home.project("shop", &format!("[services.s]\nwatchdog = \"1s\"\n{fed}\n"));
    project.up();
    let pid = project.service("s").pid();
    // Twice its patience: only time can show that nothing comes of it.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let service = project.service("s");
    assert_eq!((service.state(), service.pid()), ("healthy", pid));
}

#[test]
fn a_service_may_set_its_own_watchdog_and_trigger_it() {
    let home = Home::new();
    let own = svc(["notify=READY=1\\nWATCHDOG_USEC=200000", "forever"]);
    let trigger = svc(["notify=READY=1", "gate=gate", "notify=WATCHDOG=trigger", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.own]\nrestart = \"never\"\n{own}\n\
             [services.trigger]\nrestart = \"never\"\nwatchdog = \"600s\"\n{trigger}\n"
        ),
    );
    project.gate("gate");
    project.locald(["up", "--no-wait"]).ok();
    assert_eq!(project.until_state("own", "failed").last_exit()["signal"], "SIGABRT");
    project.until_state("trigger", "healthy");
    project.open("gate");
    assert_eq!(project.until_state("trigger", "failed").last_exit()["signal"], "SIGABRT");
}

#[test]
fn a_start_can_be_extended() {
    let home = Home::new();
    // Without the extension it would have failed after 500 ms.
    let command = svc(["notify=EXTEND_TIMEOUT_USEC=60000000", "sleep=1200", "listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.s]\nmax_restarts = 0\n{command}\n\
             health_check = {{ type = \"tcp\", start_period = \"500ms\" }}\n"
        ),
    );
    project.up();
    assert_eq!(project.service("s").restarts(), 0);
}

#[test]
fn a_barrier_passes_when_all_before_it_has_been_seen() {
    let home = Home::new();
    let command = svc(["notify=READY=1\\nSTATUS=set", "notify-barrier", "forever"]);
    let project = home.project("shop", &format!("[services.s]\n{command}\n"));
    project.up();
    project.follow("s").find_text("barrier passed");
    assert_eq!(project.service("s").reason(), "set");
}

#[test]
fn the_main_pid_is_the_one_it_names_if_it_is_its_own() {
    let home = Home::new();
    let command = svc([
        "spawn=pid=child+notify=MAINPID=SELF\\nREADY=1+forever",
        "notify=MAINPID=1",
        "forever",
    ]);
    let project = home.project("shop", &format!("[services.s]\n{command}\n"));
    project.up();
    let child: i32 = project.read("child").parse().expect("it wrote its pid");
    project.until("it is known", |p| p.service("s").maybe_pid() == Some(child));
    project.locald(["stop"]).ok();
    assert!(!kernel::is_alive(child));
}

#[test]
fn reloading_and_stopping_are_shown() {
    let home = Home::new();
    let command = svc([
        "notify=READY=1",
        "gate=gate",
        "notify=RELOADING=1",
        "gate=gate",
        "notify=READY=1",
        "gate=gate",
        "notify=STOPPING=1",
        "forever",
    ]);
    let project = home.project("shop", &format!("[services.s]\n{command}\n"));
    project.gate("gate");
    project.up();
    let says = |what: &'static str| {
        let status = project.until(what, |p| p.service("s").reason().contains(what));
        assert_eq!(status.service("s").state(), "healthy");
    };
    project.open("gate");
    says("reloading");
    project.open("gate");
    project.until("it has reloaded", |p| p.service("s").reason().is_empty());
    project.open("gate");
    says("stopping");
}

#[test]
fn a_service_may_ask_for_more_time_to_stop() {
    let home = Home::new();
    let command = svc(["on-term-extend=60000000:1500", "listen", "forever"]);
    let project =
        home.project("shop", &format!("[services.s]\n{command}\nstop_timeout = \"300ms\"\n"));
    project.up();
    project.locald(["stop"]).ok();
    assert_eq!(project.log("s"), ["done in peace"], "it took five times its stop_timeout");
    assert_eq!(project.service("s").last_exit()["code"], 0);
}

#[test]
fn the_time_that_was_asked_for_ends() {
    let home = Home::new();
    let command = svc(["on-term-extend=400000:60000", "listen", "forever"]);
    let project =
        home.project("shop", &format!("[services.s]\n{command}\nstop_timeout = \"100ms\"\n"));
    project.up();
    project.locald(["stop"]).ok();
    assert_eq!(project.service("s").last_exit()["signal"], "SIGKILL");
}
