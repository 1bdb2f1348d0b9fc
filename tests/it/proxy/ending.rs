//! What becomes of requests when the daemon is told to end.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use super::shop;
use crate::support::{Home, eventually, front::Front, http, svc};

#[test]
fn a_request_under_way_gets_its_answer_and_the_rest_wait_for_nothing() {
    let home = Home::new();
    let project = shop(&home);
    let front = Front::of(&home);
    project.gate("slow");
    let mut running = front.connect();
    running.write_all(b"GET /gate/slow HTTP/1.1\r\nHost: shop.localhost\r\n\r\n").unwrap();
    project.gate("slow2");
    let by_http2 = front.curl("shop.localhost", "/gate/slow2").arg("--http2").start();
    eventually("both are under way", || (project.lines("gates").len() == 2).then_some(()));
    let mut other = front.connect();
    let stop = home.locald(["server", "stop"]).start();
    // That an answer is the last one of its connection is the sign that it ends.
    eventually("it ends", || last_answer(&mut other).then_some(()));
    project.open("slow");
    project.open("slow2");
    let answer = http::read(running).unwrap();
    assert_eq!((answer.status, &*answer.body), (200, "web /gate/slow"));
    assert_eq!(answer.field("connection"), ["close"]);
    assert_eq!(by_http2.end().exits(0).stdout, "web /gate/slow2");
    stop.end().exits(0);
}

#[test]
fn who_waits_for_a_service_is_told_that_all_ends() {
    let home = Home::new();
    let _shop = shop(&home);
    let late = svc(["gate=never", "web=late", "forever"]);
    let project = home.project("late", &format!("[services.web]\n{late}\n"));
    project.gate("never");
    let up = project.locald(["up"]).start();
    project.until_state("web", "starting");
    let front = Front::of(&home);
    let mut held = front.connect();
    held.write_all(b"GET / HTTP/1.1\r\nHost: late.localhost\r\n\r\n").unwrap();
    let by_http2 =
        front.curl("late.localhost", "/").args(["--http2", "-w", " %{http_code}"]).start();
    // They are held by now: what came later, on each of the threads, has been answered.
    let handshakes = || home.locald(["tree", "--all"]).ok().stdout;
    eventually("a certificate", || handshakes().contains("1 certificates cached").then_some(()));
    for _ in 0..8 {
        assert_eq!(front.get("shop.localhost", "/").body, "web /");
    }
    let stop = home.stop_daemon();
    let answer = http::read(held).unwrap();
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.json()["detail"], "locald is stopping");
    assert_eq!((answer.field("connection"), answer.field("retry-after").len()), (vec!["close"], 1));
    let by_http2 = by_http2.end().exits(0).stdout;
    assert!(by_http2.contains("locald is stopping") && by_http2.ends_with(" 503"), "{by_http2}");
    // It is not waited for: it would be in vain.
    assert!(stop.took < Duration::from_secs(8), "{:?}", stop.took);
    up.end();
}

/// Asks once more on a connection: whether that answer is said to be the last one.
fn last_answer(stream: &mut TcpStream) -> bool {
    stream.write_all(b"GET /x HTTP/1.1\r\nHost: shop.localhost\r\n\r\n").expect("it reads");
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\r\n\r\nweb /x") {
        stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error} after {text}"));
        text.push(byte[0].into());
    }
    text.to_ascii_lowercase().contains("connection: close")
}

#[test]
fn what_never_ends_does_not_hold_up_the_end() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let mut events = front.connect();
    events.write_all(b"GET /sse HTTP/1.1\r\nHost: shop.localhost\r\n\r\n").unwrap();
    let mut socket = front.connect();
    socket
        .write_all(
            b"GET /ws HTTP/1.1\r\nHost: shop.localhost\r\nConnection: Upgrade\r\n\
              Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .unwrap();
    for stream in [&mut events, &mut socket] {
        stream.read_exact(&mut [0; 12]).unwrap();
    }
    let idle = front.connect();
    let stop = home.stop_daemon();
    assert!(stop.took < Duration::from_secs(5), "{:?}", stop.took);
    drop(idle);
}
