//! Signals to the daemon: everything stops in order, and nothing is left.

use nix::sys::signal::Signal;

use crate::support::{Home, kernel, svc, svc::ends_in_order};

#[track_caller]
fn ends_well_on(signal: Signal) {
    let home = Home::new();
    let deaf = svc(["block=SIGTERM", "orphan=setsid+block=SIGTERM+forever", "listen", "forever"]);
    let deaf = format!("[services.s]\nstop_timeout = \"300ms\"\n{deaf}\n");
    let project = home.project("shop", &[ends_in_order(), deaf].concat());
    let daemon = home.locald(["server", "start", "--foreground"]).start();
    crate::support::eventually("it serves", || {
        (home.locald(["server", "status"]).run().code() == 0).then_some(())
    });
    project.up();
    daemon.signal(signal);
    daemon.end().exits(0);
    assert_eq!(project.lines("order"), ["web", "db"]);
    assert_eq!(home.processes(), [], "nothing is left behind");
    assert!(!home.socket().exists());
}

#[test]
fn sigterm_stops_everything_in_order() {
    ends_well_on(Signal::SIGTERM);
}

#[test]
fn sigint_stops_everything_in_order() {
    ends_well_on(Signal::SIGINT);
}

#[test]
fn server_stop_stops_everything_in_order() {
    let home = Home::new();
    let project = home.project("shop", &ends_in_order());
    project.up();
    home.stop_daemon();
    assert_eq!(project.lines("order"), ["web", "db"]);
    assert_eq!(home.processes(), []);
}

#[test]
fn a_signal_during_a_start_ends_it() {
    let home = Home::new();
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{0}\ndepends_on = [\"db\"]\n[services.db]\n{1}\n",
            svc(["append=born:web", "listen", "forever"]),
            svc(["forever"])
        ),
    );
    project.locald(["up", "--no-wait"]).ok();
    project.until("db runs", |p| p.service("db").maybe_pid().is_some());
    let up = project.locald(["up"]).start();
    kernel::kill(home.daemon_pid(), Signal::SIGTERM);
    let up = up.end();
    assert!([1, 3].contains(&up.code()), "{up}");
    up.and_clearly();
    let left = kernel::gone_within(crate::support::DEADLINE, || home.processes());
    assert_eq!(left, []);
    assert_eq!(project.read("born"), "");
}

#[test]
fn a_hangup_does_not_end_the_daemon() {
    let home = Home::new();
    home.locald(["server", "start"]).ok();
    let pid = home.daemon_pid();
    for signal in [Signal::SIGHUP, Signal::SIGPIPE] {
        kernel::kill(pid, signal);
    }
    assert_eq!(home.daemon_pid(), pid);
}
