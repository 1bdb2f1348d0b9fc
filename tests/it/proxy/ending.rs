//! What becomes of requests when the daemon is told to end.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use super::shop;
use crate::support::{Home, eventually, front::Front, http};

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
