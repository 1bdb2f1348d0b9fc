//! Too much at once: names, descriptors, connections that say nothing.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::shop;
use crate::support::{
    DEADLINE, Home, eventually,
    front::Front,
    kernel::{activity, resident_kib},
};

/// What a client says first when it asks for a name.
fn hello(config: &Arc<ClientConfig>, name: &str) -> Vec<u8> {
    let name = name.to_owned().try_into().expect("a name");
    let mut client = ClientConnection::new(config.clone(), name).expect("a sound configuration");
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).expect("memory has room");
    bytes
}

#[test]
fn a_scan_of_ten_thousand_names_costs_little() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    assert_eq!(front.curl("shop.localhost", "/").ok().stdout, "web /");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let roots = config.with_root_certificates(RootCertStore::empty());
    let config = Arc::new(roots.with_no_client_auth());
    let pid = home.daemon_pid();
    let before = resident_kib(pid);
    let (start, mut refused) = (Instant::now(), 0);
    for nth in 0..10_000 {
        let mut stream = TcpStream::connect(("127.0.0.1", front.https)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(&hello(&config, &format!("scan-{nth}.localhost"))).unwrap();
        // A handshake begins with 22, an alert with 21.
        let mut first = [0];
        stream.read_exact(&mut first).unwrap();
        refused += u32::from(first[0] == 21);
        if nth % 1000 == 0 {
            // Names with a route are not kept waiting.
            assert_eq!(front.curl("shop.localhost", "/").ok().stdout, "web /");
        }
    }
    let grown = resident_kib(pid).saturating_sub(before);
    assert!(refused > 5_000, "only {refused} were refused");
    assert!(grown < 24 << 10, "{grown} KiB");
    assert!(start.elapsed() < DEADLINE, "{:?}", start.elapsed());
}

#[test]
fn without_descriptors_it_refuses_politely_and_recovers() {
    let home = Home::new();
    let locald = home.binary().display();
    let script = format!("ulimit -n 256 && exec {locald} server start");
    home.program("sh").args(["-c", &script]).ok();
    let pid = home.daemon_pid();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let mut crowd = Vec::new();
    let mut refused = 0;
    for _ in 0..400 {
        let mut stream = front.connect();
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut text = [0; 12];
        if stream.read_exact(&mut text).is_ok() {
            assert_eq!(&text, b"HTTP/1.1 503");
            refused += 1;
        } else {
            crowd.push(stream);
        }
    }
    assert!(refused > 200 && crowd.len() > 50, "{refused} refused, {} taken", crowd.len());
    // The daemon itself has descriptors left, and it does not spin.
    let (ticks, _) = activity(pid);
    let until = Instant::now() + Duration::from_secs(1);
    while Instant::now() < until {
        home.status();
        thread::sleep(Duration::from_millis(100));
    }
    let spent = activity(pid).0 - ticks;
    assert!(spent < 50, "{spent} of 100 ticks");
    drop(crowd);
    eventually("it recovers", || {
        let mut stream = front.connect();
        let asked = stream
            .write_all(b"GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n");
        let answer = asked.and_then(|()| crate::support::http::read(stream));
        answer.ok().filter(|answer| answer.status == 200)
    });
    assert_eq!(home.daemon_pid(), pid);
}

#[test]
fn tunnels_leave_room_for_the_rest() {
    let home = Home::new();
    let locald = home.binary().display();
    let script = format!("ulimit -n 256 && exec {locald} server start");
    home.program("sh").args(["-c", &script]).ok();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let open = || {
        let mut stream = front.connect();
        let head = "GET /ws HTTP/1.1\r\nHost: shop.localhost\r\nConnection: Upgrade\r\n\
                    Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = [0; 12];
        stream.read_exact(&mut text).unwrap();
        (String::from_utf8_lossy(&text).into_owned(), stream)
    };
    let all: Vec<_> = (0..80).map(|_| open()).collect();
    let count = |status| all.iter().filter(|(text, _)| text.ends_with(status)).count();
    let (tunnels, refused) = (count("101"), count("503"));
    assert_eq!(tunnels + refused, 80, "{all:?}");
    assert!(tunnels > 20 && refused > 20, "{tunnels} tunnels, {refused} refused");
    assert_eq!(front.get("shop.localhost", "/").body, "web /");
    drop(all);
    eventually("there is room again", || open().0.ends_with("101").then_some(()));
}

#[test]
fn a_thousand_half_open_connections_keep_nobody_waiting() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let mut open = Vec::new();
    // There is room for all: of handshakes beyond 256 on one thread the oldest would give way.
    for nth in 0..1000 {
        let (port, begun): (_, &[u8]) = match nth % 4 {
            0 => (front.https, b"\x16\x03\x01"),
            _ => (front.http, b"GET / HTTP/1.1\r\nHost: shop.loc"),
        };
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(begun).unwrap();
        open.push(stream);
    }
    // What counts is what is served while they are there, not after they have been sent away.
    let all_open = || open.iter().all(is_open);
    let mut served = 0;
    while served < 200 {
        assert_eq!(front.get("shop.localhost", "/").body, "web /");
        if served % 50 == 0 {
            // Handshakes that mean it are not crowded out.
            assert_eq!(front.curl("shop.localhost", "/").ok().stdout, "web /");
        }
        if !all_open() {
            break;
        }
        served += 1;
    }
    assert!(served >= 10, "only {served} were served while all were open");
}

/// Whether nothing has come, the end included.
fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("a socket option");
    stream.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}
