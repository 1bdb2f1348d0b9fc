//! The daemon's program is replaced by another one, and nobody notices.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::{fs::MetadataExt as _, net::UnixListener},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use nix::sys::signal::Signal;

use crate::support::{
    Home, Project,
    command::{Output, Run},
    eventually,
    front::Front,
    http, kernel, svc,
};

/// A program of this home's own, which can be replaced.
fn installed(home: &Home) -> PathBuf {
    let own = home.path().join("bin/locald");
    fs::create_dir_all(home.path().join("bin")).expect("a new folder");
    copy(home.binary(), &own);
    own
}

/// By another process: what is open for writing here, when a neighbour of this test starts a program,
/// cannot be executed.
fn copy(from: &Path, to: &Path) {
    Run::new("cp").arg("--").arg(from).arg(to).ok();
}

/// As a package manager does it: by a rename over what runs.
fn replace(home: &Home, own: &Path) {
    let next = home.path().join("bin/next");
    copy(home.binary(), &next);
    fs::rename(next, own).expect("one folder");
}

/// The file that a process runs.
fn runs(pid: i32) -> u64 {
    fs::metadata(format!("/proc/{pid}/exe")).expect("it runs").ino()
}

fn inode(file: &Path) -> u64 {
    fs::metadata(file).expect("it is there").ino()
}

/// Two services, one without a terminal, in a home whose daemon runs a program of its own.
fn shop<'a>(home: &'a Home, own: &Path) -> Project<'a> {
    let web = svc(["web=web", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{web}\n[services.worker]\ntype = \"worker\"\ntty = false\n{}\n",
            svc(["forever"])
        ),
    );
    home.program(own).args(["up"]).within(home.path().join("p/shop")).ok();
    project
}

fn pids(project: &Project<'_>) -> [i32; 2] {
    ["web", "worker"].map(|name| project.service(name).pid())
}

fn upgrade(home: &Home, own: &Path) -> Run {
    home.program(own).args(["server", "upgrade"])
}

#[test]
fn another_program_goes_on_and_nothing_restarts() {
    let home = Home::new();
    let own = installed(&home);
    let project = shop(&home, &own);
    let (heart, services) = (home.status().heart().expect("there is one"), pids(&project));
    for round in 0..2 {
        let old = home.daemon_pid();
        replace(&home, &own);
        assert_ne!(runs(old), inode(&own));
        let said = upgrade(&home, &own).ok();
        let new = home.daemon_pid();
        said.says(&format!("(pid {old}) → locald {} (pid {new})", env!("CARGO_PKG_VERSION")));
        assert_ne!(new, old, "round {round}");
        assert!(!kernel::is_alive(old));
        assert_eq!(
            (runs(new), runs(heart)),
            (inode(&own), inode(&own)),
            "both are the new program"
        );
        assert_eq!(home.status().heart(), Some(heart), "which has become it");
        assert_eq!(pids(&project), services);
        assert_eq!(project.status().states(), "web=healthy worker=healthy");
    }
    assert_eq!(["web", "worker"].map(|name| project.service(name).restarts()), [0, 0]);
    let events = home.locald(["events"]).ok();
    events
        .says(&format!("makes way for {}; services go on", own.display()))
        .says("goes on with what ran");
    // The heart that has become another program is as good a heart.
    let old = home.daemon_pid();
    kernel::kill(old, Signal::SIGKILL);
    eventually("there is another one", || Some(home.daemon_pid()).filter(|new| *new != old));
    assert_eq!(pids(&project), services);
    kernel::kill(services[0], Signal::SIGKILL);
    project.until_replaced("web", services[0]);
    project.until_state("web", "healthy");
    home.stop_daemon();
    assert_eq!(home.processes(), []);
}

#[test]
fn requests_are_answered_all_the_while() {
    let home = Home::new();
    let own = home.binary();
    let project = shop(&home, own);
    let front = Front::of(&home);
    project.gate("slow");
    let mut slow = front.connect();
    slow.write_all(b"GET /gate/slow HTTP/1.1\r\nHost: shop.localhost\r\n\r\n").expect("it reads");
    eventually("it is under way", || (project.lines("gates").len() == 1).then_some(()));
    let over = AtomicBool::new(false);
    let asked = |over: &AtomicBool| {
        let mut count = 0;
        while !over.load(Ordering::Relaxed) {
            let answer = front.get("shop.localhost", "/");
            assert_eq!((answer.status, &*answer.body), (200, "web /"), "after {count}");
            count += 1;
        }
        count
    };
    let counts: Vec<u32> = thread::scope(|scope| {
        let askers = [(); 3].map(|()| scope.spawn(|| asked(&over)));
        let ended = rounds(&home, own, &project, slow);
        over.store(true, Ordering::Relaxed);
        let counts = askers.map(|asker| asker.join().expect("every answer is right"));
        ended.expect("the rounds are over");
        counts.into()
    });
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

/// Upgrades, first while a slow request runs. Panics are handed back so that the askers end.
fn rounds(home: &Home, own: &Path, project: &Project<'_>, slow: TcpStream) -> thread::Result<()> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let first = upgrade(home, own).start();
        eventually("it makes way", || {
            home.locald(["server", "logs"]).ok().stdout.contains("making way").then_some(())
        });
        project.open("slow");
        let answer = http::read(slow).expect("an answer");
        assert_eq!((answer.status, &*answer.body), (200, "web /gate/slow"));
        first.end().exits(0);
        for _ in 0..3 {
            upgrade(home, own).ok();
        }
    }))
}

#[test]
fn a_websocket_may_end() {
    let home = Home::new();
    let own = home.binary();
    let _shop = shop(&home, own);
    let mut socket = websocket(&Front::of(&home));
    let upgrade = upgrade(&home, own).start();
    eventually("it makes way", || {
        home.locald(["server", "logs"]).ok().stdout.contains("making way").then_some(())
    });
    let mut heard = [0; 5];
    socket.write_all(b"hello").expect("it reads");
    socket.read_exact(&mut heard).expect("it goes on");
    assert_eq!(&heard, b"hello");
    // Meanwhile others are served by the same daemon, since nothing is stopped yet.
    assert_eq!(Front::of(&home).get("shop.localhost", "/").status, 200);
    drop(socket);
    upgrade.end().exits(0);
}

fn websocket(front: &Front<'_>) -> TcpStream {
    let mut socket = front.connect();
    socket
        .write_all(
            b"GET /ws HTTP/1.1\r\nHost: shop.localhost\r\nConnection: Upgrade\r\n\
              Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .expect("it reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    socket
}

#[test]
fn without_a_daemon_or_a_heart_it_is_said_what_to_do() {
    let home = Home::new();
    let own = home.binary();
    upgrade(&home, own).fails(3).and_clearly().complains("no daemon is running");
    let project = shop(&home, own);
    let (daemon, services) = (home.daemon_pid(), pids(&project));
    kernel::kill(home.status().heart().expect("there is one"), Signal::SIGKILL);
    eventually("it is known", || home.status().heart().is_none().then_some(()));
    let refused = upgrade(&home, own).fails(1).and_clearly();
    refused.complains("no heart").complains("locald server restart");
    assert_eq!((home.daemon_pid(), pids(&project)), (daemon, services));
}

/// Asks for an upgrade as some other locald would.
fn ask(home: &Home, program: &Path, formats: &str) -> http::Answer {
    let body = serde_json::json!({ "program": program, "formats": formats }).to_string();
    http::daemon(&home.socket(), "POST", "/v1/upgrade", &body)
}

#[test]
fn what_reads_other_formats_or_is_no_program_is_refused_before_anything_is_let_go_of() {
    let home = Home::new();
    let own = home.binary();
    let project = shop(&home, own);
    let (daemon, services) = (home.daemon_pid(), pids(&project));
    let other = ask(&home, own, "line 2, heart 9");
    assert_eq!(other.status, 500, "{other:?}");
    let error = &other.json()["error"];
    assert!(error["message"].as_str().is_some_and(|text| text.contains("heart 9")), "{error}");
    assert!(error["help"].as_str().is_some_and(|text| text.contains("server restart")), "{error}");
    let formats = locald::os::keep::formats();
    let text = home.write("note.txt", "no program");
    assert_eq!(ask(&home, &text, &formats).status, 400);
    assert_eq!(ask(&home, Path::new("locald"), &formats).status, 400);
    assert_eq!((home.daemon_pid(), pids(&project)), (daemon, services));
}

#[test]
fn a_heart_that_cannot_become_the_program_goes_on_as_it_was() {
    let home = Home::new();
    let own = home.binary();
    let project = shop(&home, own);
    let (daemon, services) = (home.daemon_pid(), pids(&project));
    let heart = home.status().heart();
    let broken = home.write("bin/broken", "\0neither a script nor anything else");
    Run::new("chmod").arg("+x").arg(&broken).ok();
    assert_eq!(ask(&home, &broken, &locald::os::keep::formats()).status, 200);
    let new =
        eventually("there is another one", || Some(home.daemon_pid()).filter(|it| *it != daemon));
    assert_eq!((runs(new), home.status().heart()), (inode(own), heart));
    assert_eq!(pids(&project), services);
    home.locald(["server", "logs"]).ok().says("all goes on as it was");
}

#[test]
fn a_daemon_of_another_release_is_mentioned() {
    let home = Home::new();
    home.write("run/x", "");
    let listener = UnixListener::bind(home.socket()).expect("a short path");
    thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let version =
            format!(r#"{{"version":"0.0.9","protocol":{},"pid":1}}"#, locald::api::PROTOCOL);
        let status = r#"{"daemon":{"pid":1,"version":"0.0.9","uptime_s":1.0,"socket":"/x","http":null,"https":null,"heart":null},"projects":[]}"#;
        for body in [&*version, status] {
            drop(stream.read(&mut [0; 4096]));
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
            drop(write!(stream, "{head} {}\r\n\r\n{body}", body.len()));
        }
    });
    let status: Output = home.locald(["status", "--all"]).ok();
    status.complains("locald 0.0.9").complains("locald server upgrade");
    fs::remove_dir_all(home.path().join("run")).expect("it is ours");
}
