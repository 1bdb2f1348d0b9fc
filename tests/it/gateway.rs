//! The socket API, for those who use it and those who misuse it.

use std::{
    io::{Read as _, Write as _},
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
};

use crate::support::{Home, eventually, http, kernel, svc};

/// A home whose daemon runs one service.
fn running(home: &Home) -> crate::support::Project<'_> {
    let project =
        home.project("shop", &format!("[services.web]\n{}\n", svc(["listen", "forever"])));
    project.up();
    project
}

/// The daemon is still the same and still answers.
#[track_caller]
fn unharmed(home: &Home, daemon: i32, web: i32) {
    let status = home.status();
    assert_eq!(status.daemon_pid(), daemon);
    assert_eq!(status.project("shop").service("web").pid(), web);
    assert_eq!(status.project("shop").service("web").state(), "healthy");
}

#[test]
fn anybody_with_curl_can_ask() {
    let home = Home::new();
    let project = running(&home);
    let answer = http::daemon(&home.socket(), "GET", "/v1/status", "");
    assert_eq!(answer.status, 200);
    assert!(answer.head.to_ascii_lowercase().contains("application/json"), "{answer:?}");
    let status = answer.json();
    assert_eq!(status["projects"][0]["name"], "shop");
    assert_eq!(status["daemon"]["pid"], home.daemon_pid());
    assert_eq!(status["daemon"]["socket"], home.socket().to_str().unwrap());
    assert!(status["daemon"]["heart"].is_i64());
    let version = http::daemon(&home.socket(), "GET", "/v1/version", "").json();
    assert!(version["protocol"].is_u64() && version["version"].is_string(), "{version}");
    let tree = http::daemon(&home.socket(), "GET", "/v1/tree?all=true", "").json();
    assert_eq!(tree["name"], "locald");
    drop(project);
}

#[test]
fn the_shapes_are_those_of_the_contract() {
    let home = Home::new();
    let project = running(&home);
    let status = home.status();
    let keys = |value: &serde_json::Value| {
        let mut keys: Vec<String> = value.as_object().expect("an object").keys().cloned().collect();
        keys.sort();
        keys
    };
    let sorted = |text: &str| {
        let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        words.sort();
        words
    };
    let value = status.value();
    assert_eq!(keys(value), ["daemon", "projects"]);
    assert_eq!(keys(&value["daemon"]), sorted("pid version uptime_s socket http https heart"));
    assert_eq!(keys(&value["projects"][0]), sorted("name path domain state config_error services"));
    assert_eq!(
        keys(&value["projects"][0]["services"][0]),
        sorted(
            "name type state pid port url restarts uptime_s last_exit reason depends_on waiting_for"
        )
    );
    assert_eq!(value["projects"][0]["domain"], "shop.localhost");
    assert!(value["projects"][0]["config_error"].is_null());
    let web = &value["projects"][0]["services"][0];
    assert!(web["last_exit"].is_null() && web["reason"].is_null(), "{web:#}");
    assert_eq!(web["type"], "exec");
    let events = project.locald(["events", "--json"]).ok().json_lines();
    let seqs: Vec<u64> =
        events.iter().map(|event| event["seq"].as_u64().expect("a number")).collect();
    assert!(!seqs.is_empty());
    assert_eq!(keys(&events[0]), sorted("seq at project service event detail"));
    let all = project.locald(["events", "--all", "--json"]).ok().json_lines();
    let all: Vec<u64> = all.iter().map(|event| event["seq"].as_u64().expect("a number")).collect();
    assert!(all.windows(2).all(|pair| pair[1] == pair[0] + 1), "no gaps: {all:?}");
}

#[test]
fn errors_have_a_body_for_programs_and_people() {
    let home = Home::new();
    running(&home);
    let socket = home.socket();
    for (method, path, body) in [
        ("GET", "/v1/nothing", ""),
        ("GET", "/", ""),
        ("POST", "/v1/status", ""),
        ("DELETE", "/v1/up", ""),
        ("POST", "/v1/up", "not json"),
        ("POST", "/v1/up", "{}"),
        ("POST", "/v1/up", "{\"dir\": 7}"),
        ("POST", "/v1/up", "{\"dir\": \"relative\"}"),
        ("POST", "/v1/restart", "{\"dir\": \"/nowhere\"}"),
        ("GET", "/v1/why?dir=/nowhere&service=x", ""),
        ("GET", "/v1/why", ""),
        ("GET", "/v1/logs?dir=/nowhere&lines=x", ""),
    ] {
        let answer = http::daemon(&socket, method, path, body);
        assert!((400..500).contains(&answer.status), "{method} {path}: {answer:?}");
        let json = answer.json();
        let error = &json["error"];
        assert!(error["code"].is_string() && error["message"].is_string(), "{path}: {json}");
        assert!(error.as_object().expect("an object").contains_key("help"), "{path}: {json}");
    }
}

#[test]
fn garbage_is_refused_and_harms_nobody() {
    let home = Home::new();
    let project = running(&home);
    let (daemon, web) = (home.daemon_pid(), project.service("web").pid());
    for garbage in [
        &b"\0\x01\x02\xff\xfe\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET /v1/status HTTP/9.9\r\n\r\n",
        b"POST /v1/up HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"POST /v1/up HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        let mut stream = http::connect(&home.socket());
        stream.write_all(garbage).expect("it is taken");
        stream.shutdown(std::net::Shutdown::Write).expect("it is open");
        let mut answer = Vec::new();
        // Closed, with or without a word.
        drop(stream.read_to_end(&mut answer));
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{garbage:?}");
    }
    unharmed(&home, daemon, web);
}

#[test]
fn ten_megabytes_are_refused_without_being_kept() {
    let home = Home::new();
    let project = running(&home);
    let (daemon, web) = (home.daemon_pid(), project.service("web").pid());
    let before = kernel::resident_kib(daemon);
    for head in [
        "POST /v1/up HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: 10485760\r\n\r\n",
        "POST /v1/up HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\na00000\r\n",
    ] {
        let mut stream = http::connect(&home.socket());
        stream.write_all(head.as_bytes()).expect("it is taken");
        let body = vec![b'['; 10 << 20];
        // Refused before all of it is sent, most likely.
        drop(stream.write_all(&body));
        drop(stream.shutdown(std::net::Shutdown::Write));
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let long = format!("GET /v1/status?{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(4 << 20));
    let mut stream = http::connect(&home.socket());
    drop(stream.write_all(long.as_bytes()));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    assert!(!answer.starts_with(b"HTTP/1.1 2"));
    unharmed(&home, daemon, web);
    let grown = kernel::resident_kib(daemon).saturating_sub(before);
    assert!(grown < 16 << 10, "the daemon has grown by {grown} KiB");
}

#[test]
fn half_open_and_abandoned_connections_are_no_burden() {
    let home = Home::new();
    let project = running(&home);
    let (daemon, web) = (home.daemon_pid(), project.service("web").pid());
    let half: Vec<_> = (0..200)
        .map(|n| {
            let mut stream = http::connect(&home.socket());
            if n % 2 == 0 {
                stream.write_all(b"POST /v1/up HTTP/1.1\r\nhost: x\r\ncontent-le").expect("taken");
            }
            stream
        })
        .collect();
    unharmed(&home, daemon, web);
    // Followers that never read.
    let deaf: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = http::connect(&home.socket());
            let dir = project.dir().canonicalize().expect("it is there");
            let request = format!(
                "GET /v1/logs?follow=true&dir={} HTTP/1.1\r\nhost: x\r\n\r\n",
                dir.display()
            );
            stream.write_all(request.as_bytes()).expect("taken");
            stream
        })
        .collect();
    unharmed(&home, daemon, web);
    drop(half);
    drop(deaf);
    unharmed(&home, daemon, web);
}

#[test]
fn the_socket_and_its_folder_are_for_their_owner() {
    let home = Home::new();
    running(&home);
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    };
    assert_eq!(mode(&home.socket()), 0o600);
    for dir in ["run", "state"] {
        assert_eq!(mode(&home.path().join(dir)), 0o700, "{dir}");
    }
    assert_eq!(mode(&home.state_dir().join("state.json")), 0o600);
}

#[test]
fn a_daemon_of_another_protocol_is_named_with_what_to_do() {
    let home = Home::new();
    home.write("run/x", "");
    let listener = UnixListener::bind(home.socket()).expect("a short path");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            drop(stream.read(&mut request));
            let body = "{\"version\":\"9.9.9\",\"protocol\":99,\"pid\":1}";
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    let output = home.locald(["status"]).fails(3).and_clearly();
    output.complains("99").complains("9.9.9").complains("locald server upgrade");
    std::fs::remove_dir_all(home.path().join("run")).expect("it is ours");
}

#[test]
fn what_is_no_daemon_is_told_so() {
    let home = Home::new();
    home.write("run/x", "");
    let listener = UnixListener::bind(home.socket()).expect("a short path");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            drop(stream.write_all(b"220 mail.example.com ESMTP\r\n"));
        }
    });
    home.locald(["status"]).fails(3).and_clearly();
    std::fs::remove_dir_all(home.path().join("run")).expect("it is ours");
}

#[test]
fn watchers_see_every_state_that_lasts() {
    let home = Home::new();
    let project = running(&home);
    let mut watch = project.locald(["status", "--watch", "--json"]).stream();
    let first = watch.line().expect("the state as it is");
    assert!(first.contains("\"healthy\""), "{first}");
    project.locald(["stop"]).ok();
    watch.find("it is stopped", |line| line.contains("\"state\":\"stopped\""));
    project.locald(["start"]).ok();
    watch.find("it is healthy", |line| line.contains("\"state\":\"healthy\""));
}

#[test]
fn who_asks_a_daemon_that_is_about_to_end_is_answered() {
    let home = Home::new();
    let stubborn = svc(["block=SIGTERM", "listen", "forever"]);
    let project =
        home.project("shop", &format!("[services.web]\nstop_timeout = \"3s\"\n{stubborn}\n"));
    project.up();
    let stop = home.locald(["server", "stop"]).start();
    eventually("it stops", || (project.service("web").state() == "stopping").then_some(()));
    // Many, since what goes wrong here goes wrong at times; and by a client that comes again if it must.
    for _ in 0..30 {
        let answer = http::daemon(&home.socket(), "GET", "/v1/version", "");
        assert_eq!(answer.status, 200, "{answer:?}");
        home.locald(["status"]).ok().says("stopping");
    }
    stop.end().exits(0);
    assert_eq!(home.processes(), []);
}
