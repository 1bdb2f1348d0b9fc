//! Ordinary users: locald needs no privileges, and keeps users apart.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
};

use crate::support::{Home, http, kernel, skip};

/// Another user than that of the home.
const STRANGER: u32 = 54_322;

#[test]
fn an_ordinary_user_needs_nothing_more() {
    let home = Home::of_ordinary_user();
    if home.user().is_none() {
        skip("only root can become another user; run as an ordinary user anyway");
    }
    let listen = home.svc(["listen", "forever"]);
    let stubborn =
        home.svc(["block=SIGTERM", "orphan=setsid+block=SIGTERM+forever", "listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{listen}\ndepends_on = [\"db\"]\n[services.db]\n{listen}\n\
             [services.s]\nstop_timeout = \"300ms\"\n{stubborn}\n"
        ),
    );
    project.up();
    let pid = project.service("db").pid();
    kernel::kill(pid, nix::sys::signal::Signal::SIGKILL);
    project.until_replaced("db", pid);
    project.until_state("web", "healthy");
    project.locald(["stop"]).ok();
    assert_eq!(project.status().state(), "stopped");
}

#[test]
fn another_user_cannot_command_the_daemon() {
    if !kernel::am_root() {
        return skip("only root can become another user");
    }
    let home = Home::of_ordinary_user();
    let listen = home.svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.up();
    // Even if modes let them in.
    let open = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("we are root");
    };
    open(&home.path().join("run"), 0o755);
    open(&home.socket(), 0o666);
    let script = format!("exec {} status --all --json", home.binary().display());
    let output = home.program("/bin/sh").args(["-c", &script]).run_by(STRANGER).run();
    assert_ne!(output.code(), 0, "{output}");
    assert!(!output.stdout.contains("shop"), "{output}");
    // We are root here, and another user than the daemon's all the same.
    let mut stream = http::connect(&home.socket());
    drop(stream.write_all(b"GET /v1/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(!answer.contains("shop"), "{answer}");
    assert_eq!(project.service("web").state(), "healthy");
    open(&home.path().join("run"), 0o700);
}

#[test]
fn another_user_cannot_pretend_to_be_the_daemon() {
    if !kernel::am_root() {
        return skip("only root can become another user");
    }
    let home = Home::of_ordinary_user();
    // Ours, that is root's: for the home's user a stranger's.
    let socket = home.path().join("foreign.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).expect("a short path");
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).expect("it is ours");
    let heard = std::thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return String::new() };
        let mut text = String::new();
        drop(stream.read_to_string(&mut text));
        text
    });
    let status = home.locald(["status"]).env("LOCALD_SOCKET", &socket);
    status.fails(3).and_clearly();
    assert_eq!(heard.join().expect("it only listens"), "", "not a word is said to a stranger");
}
