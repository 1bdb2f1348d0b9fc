//! The daemon as a program: starting, finding, refusing, ending.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
};

use crate::support::{Home, kernel, svc};

#[test]
fn start_is_idempotent_and_status_tells() {
    let home = Home::new();
    home.locald(["server", "start"]).ok().says("running");
    let pid = home.daemon_pid();
    home.locald(["server", "start"]).ok().says("already").says(&pid.to_string());
    assert_eq!(home.daemon_pid(), pid);
    home.locald(["server", "status"]).ok().says(&pid.to_string());
    home.locald(["server", "restart"]).ok();
    assert_ne!(home.daemon_pid(), pid);
    assert!(!kernel::is_alive(pid));
}

#[test]
fn in_the_foreground_it_stays_and_a_second_one_is_refused_with_the_pid_of_the_first() {
    let home = Home::new();
    let first = home.locald(["server", "start", "--foreground"]).start();
    crate::support::eventually("it serves", || {
        (home.locald(["server", "status"]).run().code() == 0).then_some(())
    });
    let pid = home.daemon_pid();
    assert_eq!(home.status().heart(), Some(first.pid()));
    let second = home.locald(["server", "start", "--foreground"]).run();
    assert!([0, 3].contains(&second.code()), "{second}");
    let said = format!("{}{}", second.stdout, second.stderr);
    assert!(said.contains(&pid.to_string()), "{second}");
    assert_eq!(home.daemon_pid(), pid);
    home.stop_daemon();
    first.end().exits(0);
}

#[test]
fn stale_sockets_and_locks_are_taken_over() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    home.write("run/x", "");
    fs::remove_file(home.path().join("run/x")).expect("it is ours");
    drop(UnixListener::bind(home.socket()).expect("a short path"));
    assert!(home.socket().exists(), "a socket without anybody behind it");
    project.up();
    assert_eq!(project.service("web").state(), "healthy");
}

#[test]
fn a_file_in_the_way_of_the_socket_is_not_removed() {
    let home = Home::new();
    home.write("run/locald.sock", "precious");
    let start = home.locald(["server", "start"]).fails(3).and_clearly();
    start.complains("locald.sock");
    assert_eq!(fs::read_to_string(home.socket()).expect("it is still there"), "precious");
    fs::remove_dir_all(home.path().join("run")).expect("it is ours");
}

#[test]
fn why_it_cannot_start_is_told() {
    let home = Home::new();
    home.write("state", "a file where a folder should be");
    let project =
        home.project("shop", "[services.w]\ntype = \"worker\"\ncommand = \"sleep 1000\"\n");
    project.locald(["up"]).fails(3).and_clearly().complains("state");
    fs::remove_file(home.path().join("state")).expect("it is ours");
    project.up();
}

#[test]
fn the_daemon_keeps_a_log() {
    let home = Home::new();
    home.locald(["server", "start"]).ok();
    let logs = home.locald(["server", "logs"]).ok();
    assert!(logs.stdout.contains(&home.daemon_pid().to_string()) || !logs.stdout.is_empty());
    assert!(home.state_dir().join("daemon.log").exists());
    home.stop_daemon();
    // Also when there is no daemon any more.
    home.locald(["server", "logs", "-n", "1"]).ok();
}

#[test]
fn everything_is_below_the_home() {
    let home = Home::new();
    let listen = svc(["print=x", "listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.up();
    crate::support::eventually("it printed", || (!project.log("web").is_empty()).then_some(()));
    for path in ["state/state.json", "state/daemon.log", "state/logs/shop", "run/locald.sock"] {
        assert!(home.path().join(path).exists(), "{path}");
    }
    for hidden in [".local", ".config"] {
        assert!(!home.path().join(hidden).exists(), "{hidden}");
    }
}

#[test]
fn without_a_locald_home_the_xdg_places_are_used() {
    let home = Home::new();
    let runtime = home.write("xr/x", "").parent().expect("a folder").to_owned();
    fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).expect("it is ours");
    let listen = svc(["print=x", "notify=READY=1", "listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    let run = |args: [&str; 2]| {
        project
            .locald(args)
            .without_env("LOCALD_HOME")
            .env("XDG_CONFIG_HOME", home.path().join("xc"))
            .env("XDG_DATA_HOME", home.path().join("xd"))
            .env("XDG_STATE_HOME", home.path().join("xs"))
            .env("XDG_RUNTIME_DIR", &runtime)
    };
    run(["up", "web"]).ok();
    crate::support::eventually("it printed", || {
        (!run(["logs", "web"]).ok().stdout.is_empty()).then_some(())
    });
    for path in [
        "xs/locald/state.json",
        "xs/locald/daemon.log",
        "xs/locald/logs/shop/web.log",
        "xr/locald.sock",
    ] {
        assert!(home.path().join(path).exists(), "{path}");
    }
    run(["server", "stop"]).ok();
    assert!(!runtime.join("locald.sock").exists());
}

#[test]
fn locald_socket_names_the_socket() {
    let home = Home::new();
    let socket = home.path().join("s");
    let run = |args: [&str; 2]| home.locald(args).env("LOCALD_SOCKET", &socket);
    run(["server", "start"]).ok();
    assert!(socket.exists());
    run(["server", "stop"]).ok();
    assert!(!socket.exists());
}
