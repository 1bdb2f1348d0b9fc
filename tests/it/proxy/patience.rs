//! How long the proxy waits: for heads, for handshakes, for services.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use super::{shop, web};
use crate::support::{DEADLINE, Home, Project, front::Front, http, svc};

/// A home whose proxy has so many times less patience.
fn hasty<'a>(home: &'a Home, times: &str) -> Project<'a> {
    home.locald(["server", "start"]).env("LOCALD_PROXY_HASTE", times).ok();
    shop(home)
}

#[test]
fn what_is_begun_and_not_ended_is_ended() {
    let home = Home::new();
    // Of 30 s and 15 s, 3 s and 1.5 s are left.
    let _shop = hasty(&home, "10");
    let front = Front::of(&home);
    let start = Instant::now();
    let mut head = front.connect();
    head.write_all(b"GET / HTTP/1.1\r\nHost: shop.loc").unwrap();
    let mut silent = front.connect();
    let tls = || TcpStream::connect(("127.0.0.1", front.https)).unwrap();
    let (mut handshake, mut mute) = (tls(), tls());
    handshake.write_all(b"\x16\x03\x01\x02\x00\x01").unwrap();
    // Word by word is no sooner done: the deadline is one for all of it.
    let mut dripping = tls();
    let mut drip = dripping.try_clone().unwrap();
    thread::spawn(move || {
        let hello = [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], &[7; 400]].concat();
        hello.into_iter().try_for_each(|byte| {
            thread::sleep(Duration::from_millis(100));
            drip.write_all(&[byte])
        })
    });
    let mut preface = front.connect();
    preface.write_all(b"PRI * HTTP/2.0\r\n").unwrap();
    for (what, stream) in [
        ("nothing said", &mut silent),
        ("half a handshake", &mut handshake),
        ("nothing said where TLS is spoken", &mut mute),
        ("a handshake byte by byte", &mut dripping),
        ("half a preface", &mut preface),
    ] {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let ended = stream.read_to_end(&mut Vec::new());
        // With something of it unread the end is a reset.
        let reset = |error: std::io::Error| error.kind() == ErrorKind::ConnectionReset;
        assert!(ended.map_or_else(reset, |count| count == 0), "{what}");
    }
    let answer = http::read(head).unwrap();
    assert_eq!(answer.status, 408, "{answer:?}");
    let took = start.elapsed();
    assert!((Duration::from_secs(3)..Duration::from_secs(12)).contains(&took), "{took:?}");
    // Nobody else is in a hurry.
    assert_eq!(front.get("shop.localhost", "/").body, "web /");
}

/// Of HTTP/2: whoever does not even answer a ping is not there any more.
#[test]
fn a_connection_without_a_sign_of_life_is_closed() {
    let home = Home::new();
    // Of a minute and 20 s, 1.5 s and 0.5 s are left.
    let _shop = hasty(&home, "40");
    let front = Front::of(&home);
    let open = || {
        let mut stream = front.connect();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
        stream
    };
    let mut dead = open();
    let frame = |stream: &mut TcpStream| {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let mut frame = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        stream.read_exact(&mut frame)?;
        Ok::<_, std::io::Error>((head[3], frame))
    };
    let mut pinged = false;
    let ended = loop {
        match frame(&mut dead) {
            Ok((kind, _)) => pinged |= kind == 6,
            Err(error) => break error.kind(),
        }
    };
    assert!(pinged, "{ended:?} without having been asked");
    assert_eq!(ended, ErrorKind::UnexpectedEof);
    // One that answers is asked again, and stays: longer than the first one did.
    let mut lives = open();
    let mut pongs = 0;
    while pongs < 2 {
        let (kind, payload) = frame(&mut lives).expect("it is open");
        if kind == 6 {
            lives.write_all(&[&b"\0\0\x08\x06\x01\0\0\0\0"[..], &payload].concat()).unwrap();
            pongs += 1;
        }
    }
}

#[test]
fn a_service_that_never_answers_is_a_gateway_timeout() {
    let home = Home::new();
    // Of ten minutes, 2 s are left.
    let _shop = hasty(&home, "300");
    let front = Front::of(&home);
    let answer = front.get("shop.localhost", "/raw/silent");
    assert_eq!(answer.status, 504);
    let problem = answer.json();
    assert_eq!((&problem["service"], &problem["state"]), (&"web".into(), &"healthy".into()));
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("it has not answered in 2 s"), "{detail}");
}

#[test]
fn who_is_held_too_long_is_told() {
    let home = Home::new();
    home.write("config/config.toml", "[proxy]\nhold = \"300ms\"\n");
    let gated = svc(["gate=go", "web=web", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{gated}\n"));
    project.gate("go");
    home.locald(["server", "start"]).ok();
    let up = project.locald(["up"]).start();
    project.until_state("web", "starting");
    let front = Front::of(&home);
    let start = Instant::now();
    let answer = front.get("shop.localhost", "/");
    assert!(start.elapsed() >= Duration::from_millis(300), "{:?}", start.elapsed());
    assert_eq!(answer.status, 503);
    assert_eq!(answer.field("retry-after").len(), 1);
    assert_eq!(answer.json()["state"], "starting");
    project.open("go");
    up.end().exits(0);
    assert_eq!(front.get("shop.localhost", "/").body, "web /");
}

/// From before the project is up until its service runs, whoever reloads sees something.
#[test]
fn a_browser_that_reloads_never_sees_the_connection_fail() {
    let home = Home::new();
    let gated = svc(["gate=go", "web=web", "forever"]);
    let services = web("other", "") + &format!("[services.web]\n{gated}\n");
    home.locald(["server", "start"]).ok();
    let front = Front::of(&home);
    let project = home.project("shop", &services);
    project.gate("go");
    let mut up = None;
    let mut seen: Vec<u16> = Vec::new();
    let until = Instant::now() + DEADLINE;
    while seen.last() != Some(&200) {
        assert!(Instant::now() < until, "{seen:?}");
        // Any error of the connection, or an answer that is none, is a panic here.
        let page = front.visit("shop.localhost", "/");
        assert!(matches!(page.status, 200 | 404 | 503), "{page:?}");
        if seen.last() != Some(&page.status) {
            seen.push(page.status);
        }
        match page.status {
            404 if up.is_none() => up = Some(project.locald(["up"]).start()),
            503 if !project.path("opened").exists() => {
                project.write("opened", "");
                project.open("go");
            }
            _ => {}
        }
    }
    assert_eq!(seen, [404, 503, 200]);
    up.expect("it was begun").end().exits(0);
}
