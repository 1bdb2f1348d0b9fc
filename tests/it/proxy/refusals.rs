//! What is refused, by the proxy and by services, and what goes wrong in the middle.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{shop, web};
use crate::support::{DEADLINE, Home, front::Front, http};

#[test]
fn a_connection_is_for_the_host_of_its_certificate() {
    let home = Home::new();
    let _shop = shop(&home);
    home.project("other", &web("web", "")).up();
    let front = Front::of(&home);
    for protocol in ["--http1.1", "--http2"] {
        let run = front.curl("shop.localhost", "/").arg(protocol);
        let run = run.args(["-H", "Host: other.localhost", "-w", " %{http_code}"]).ok();
        assert!(run.stdout.ends_with(" 421"), "{run}");
        assert!(!run.stdout.contains("web /"), "{run}");
    }
    // Not so where nothing has been certified.
    assert_eq!(front.get("other.localhost", "/").body, "web /");
}

#[test]
fn a_loop_ends_after_five_rounds() {
    let home = Home::new();
    let project = shop(&home);
    let front = Front::of(&home);
    let host = format!("shop.localhost:{}", front.http);
    let answer = front.get(&host, "/raw/loop");
    assert_eq!(answer.status, 508);
    assert!(answer.json()["detail"].as_str().unwrap_or_default().contains("changeOrigin"));
    let count = || project.locald(["requests", "--json"]).ok().stdout.matches("/raw/loop").count();
    crate::support::eventually("five rounds", || (count() == 5).then_some(()));
}

/// A service that reads on for a while, and one that is gone at once: sending there fails.
#[test]
fn a_refusal_reaches_a_client_that_still_sends() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    for path in ["/raw/early", "/raw/slam"] {
        for _ in 0..5 {
            refused_while_it_sends(&front, path);
        }
        let body = "x".repeat(4 << 20);
        for protocol in ["--http1.1", "--http2"] {
            let run = front.curl("shop.localhost", path).args([protocol, "-w", " %{http_code}"]);
            let run = run.args(["--data-binary", "@-"]).stdin(body.clone()).run();
            assert_eq!(run.stdout, "too much 413", "{path} {run}");
        }
    }
}

fn refused_while_it_sends(front: &Front<'_>, path: &str) {
    let mut stream = front.connect();
    let size: u64 = 1 << 30;
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: {size}\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("the proxy reads");
    let mut writer = stream.try_clone().expect("a descriptor");
    let answered = Arc::new(AtomicBool::new(false));
    let enough = answered.clone();
    let sending = std::thread::spawn(move || {
        let piece = vec![b'x'; 64 << 10];
        let mut pieces = 0..size / (64 << 10);
        let sends = |_: &u64| !enough.load(Ordering::Acquire) && writer.write_all(&piece).is_ok();
        pieces.by_ref().take_while(sends).count()
    });
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\r\n\r\ntoo much") {
        stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error} after {text}"));
        text.push(byte[0].into());
    }
    answered.store(true, Ordering::Release);
    assert!(text.starts_with("HTTP/1.1 413 "), "{text}");
    assert!((sending.join().expect("no panic") as u64) < size / (64 << 10), "all of it was taken");
}

#[test]
fn nonsense_from_a_service_is_a_bad_gateway_and_a_broken_answer_looks_broken() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let answer = front.get("shop.localhost", "/raw/garbage");
    assert_eq!((answer.status, &answer.json()["service"]), (502, &"web".into()));
    for path in ["/raw/truncated", "/raw/unfinished"] {
        // 18: a transfer that ended too early; 92: a stream that was taken back.
        let by_http1 = front.curl("shop.localhost", path).arg("--http1.1").run();
        assert!([18, 56].contains(&by_http1.code()), "{by_http1}");
        assert_eq!(front.curl("shop.localhost", path).arg("--http2").run().code(), 92, "{path}");
        let mut stream = front.connect();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: shop.localhost\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        let ended = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(ended.is_err() || !text.ends_with("0\r\n\r\n"), "{text}");
    }
    assert_eq!(front.get("shop.localhost", "/").body, "web /");
}

#[test]
fn nobody_else_can_connect() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let mut listening = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let table = std::fs::read_to_string(table).unwrap_or_default();
        for line in table.lines().skip(1) {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            let (address, port) = words[1].split_once(':').expect("the kernel's format");
            let port = u16::from_str_radix(port, 16).expect("a port");
            if words[3] == "0A" && [front.http, front.https].contains(&port) {
                listening.push(address.to_owned());
            }
        }
    }
    let loopback = ["0100007F", "00000000000000000000000001000000"];
    assert!(listening.len() >= 2, "{listening:?}");
    assert!(listening.iter().all(|address| loopback.contains(&&**address)), "{listening:?}");
}

#[test]
fn ipv6_is_listened_on_as_well() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return; // the machine has none
    }
    let mut stream = TcpStream::connect(("::1", front.http)).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
        .write_all(b"GET /head HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let head = http::read(stream).unwrap().body.to_ascii_lowercase();
    assert!(head.contains("x-forwarded-for: ::1\r\n"), "{head}");
    assert!(head.contains("for=\"[::1]\""), "{head}");
    let url = format!("https://shop.localhost:{}/", front.https);
    let ca = home.path().join("data/ca/root.pem");
    let resolve = format!("shop.localhost:{}:[::1]", front.https);
    let curl = home.program("curl").args(["-sS", "--resolve", &resolve, &url, "--cacert"]).arg(ca);
    assert_eq!(curl.ok().stdout, "web /");
}
