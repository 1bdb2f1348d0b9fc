//! What passes through, and what is changed on the way.

use std::io::{Read as _, Write as _};

use super::shop;
use crate::support::{Front, Home};

#[test]
fn who_asks_is_told_by_us_and_not_by_the_client() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let host = format!("shop.localhost:{}", front.http);
    let head = front
        .ask(format!(
            "GET /head HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: 6.6.6.6\r\n\
             X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\n\
             Forwarded: for=6.6.6.6\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nX-Kept: 1\r\n\
             X-Kept: 2\r\nProxy-Connection: keep-alive\r\n\r\n"
        ))
        .body
        .to_ascii_lowercase();
    let of = |name: &str| -> Vec<&str> {
        let fields = head.lines().filter_map(|line| line.split_once(": "));
        fields.filter(|(known, _)| *known == name).map(|(_, value)| value).collect()
    };
    assert_eq!(of("host"), [&*host]);
    assert_eq!(of("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(of("x-forwarded-proto"), ["http"]);
    assert_eq!(of("x-forwarded-host"), [&*host]);
    assert_eq!(of("x-forwarded-port"), [front.http.to_string()]);
    assert_eq!(of("x-kept"), ["1", "2"]);
    assert!(of("forwarded")[0].starts_with("for=127.0.0.1;"), "{head}");
    assert!(of("x-hop").is_empty() && of("proxy-connection").is_empty(), "{head}");
    assert!(!head.contains("6.6.6.6") && !head.contains("evil"), "{head}");
}

#[test]
fn an_answer_stays_as_it_is() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let answer = front.get("shop.localhost", "/x");
    assert_eq!(answer.field("set-cookie"), ["a=1", "b=2"]);
    assert_eq!(answer.field("content-length"), ["6"]);
    let own = front.visit("shop.localhost", "/mine");
    assert_eq!((own.status, &*own.body), (502, "the app's own 502"));
    let head = "HEAD /x HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n";
    let head = front.ask(head);
    assert_eq!((head.status, &*head.body), (200, ""));
    assert_eq!(head.field("content-length"), ["6"]);
    let cached = front.get("shop.localhost", "/not-modified");
    assert_eq!((cached.status, &*cached.body), (304, ""));
    assert_eq!(cached.field("etag"), ["\"a\""]);
}

#[test]
fn trailers_arrive() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let mut stream = front.connect();
    stream
        .write_all(
            b"GET /trailers HTTP/1.1\r\nHost: shop.localhost\r\nTE: trailers\r\n\
              Connection: TE, close\r\n\r\n",
        )
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let text = text.to_ascii_lowercase();
    assert!(text.contains("hello") && text.ends_with("0\r\nx-sum: 5\r\n\r\n"), "{text}");
}

#[test]
fn a_connection_serves_several_requests_to_several_services() {
    let home = Home::new();
    let _shop = shop(&home);
    home.project("other", &super::web("web", "")).up();
    let front = Front::of(&home);
    let mut stream = front.connect();
    for (host, path) in [("shop", "/1"), ("other", "/2"), ("shop", "/3")] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}.localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        let expected = format!("\r\n\r\nweb {path}");
        let mut byte = [0];
        while !text.ends_with(&expected) {
            stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error} after {text}"));
            text.push(byte[0].into());
        }
    }
}

#[test]
fn bodies_of_any_framing_reach_the_service() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let big = "x".repeat(8 << 20);
    let answer = front.post("shop.localhost", "/length", &big);
    assert_eq!(answer.body, big.len().to_string());
    let mut chunked = b"POST /length HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\
                        Transfer-Encoding: chunked\r\n\r\n"
        .to_vec();
    for chunk in ["a", "bc", "def"] {
        chunked.extend(format!("{:x}\r\n{chunk}\r\n", chunk.len()).bytes());
    }
    chunked.extend(b"0\r\n\r\n");
    assert_eq!(front.ask(chunked).body, "6");
}

#[test]
fn a_client_that_asks_first_is_told_to_continue() {
    let home = Home::new();
    let _shop = shop(&home);
    let mut stream = Front::of(&home).connect();
    stream
        .write_all(
            b"POST /length HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\
              Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        )
        .unwrap();
    let mut interim = String::new();
    let mut byte = [0];
    while !interim.ends_with("\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        interim.push(byte[0].into());
    }
    assert!(interim.starts_with("HTTP/1.1 100 "), "{interim}");
    stream.write_all(b"hello").unwrap();
    assert_eq!(crate::support::http::read(stream).unwrap().body, "5");
}

#[test]
fn an_event_arrives_while_the_answer_is_open() {
    let home = Home::new();
    let _shop = shop(&home);
    let mut stream = Front::of(&home).connect();
    stream.write_all(b"GET /sse HTTP/1.1\r\nHost: shop.localhost\r\n\r\n").unwrap();
    let mut text = String::new();
    let mut byte = [0];
    // The service writes nothing more and does not close: what comes, came at once.
    while !text.contains("data: first\n\n") {
        stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error} after {text}"));
        text.push(byte[0].into());
    }
    assert!(text.to_ascii_lowercase().contains("content-type: text/event-stream"), "{text}");
}

#[test]
fn a_websocket_passes_both_ways() {
    let home = Home::new();
    let _shop = shop(&home);
    let mut stream = Front::of(&home).connect();
    stream
        .write_all(
            b"GET /ws HTTP/1.1\r\nHost: shop.localhost\r\nConnection: Upgrade\r\n\
              Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .unwrap();
    let mut head = String::new();
    let mut byte = [0];
    while !head.ends_with("\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error} after {head}"));
        head.push(byte[0].into());
    }
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    for size in [1, 125, 70_000] {
        let sent: Vec<u8> = (0..size).map(|n: u32| n.to_le_bytes()[0]).collect();
        let mut writer = stream.try_clone().unwrap();
        let copy = sent.clone();
        let writing = std::thread::spawn(move || writer.write_all(&copy));
        let mut came = vec![0; sent.len()];
        stream.read_exact(&mut came).unwrap();
        writing.join().unwrap().unwrap();
        assert!(came == sent, "{size} bytes came back changed");
    }
}
