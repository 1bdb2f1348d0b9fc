//! More than fits into memory.

use std::{
    io::{Read as _, Write as _},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use super::shop;
use crate::support::{Home, front::Front, kernel::resident_kib};

const SIZE: u64 = 1 << 30;
/// Buffers of ours, and of the allocator.
const FLAT: u64 = 24 << 10;
/// What memory may still grow by when an eighth has passed.
const FLATTER: u64 = 4 << 10;

/// The most that the daemon's memory has grown by while something was done.
fn growth(home: &Home, act: impl FnOnce()) -> u64 {
    let pid = home.daemon_pid();
    let (before, most, done) = (resident_kib(pid), AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                most.fetch_max(resident_kib(pid), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(5));
            }
        });
        act();
        done.store(true, Ordering::Release);
    });
    most.into_inner().saturating_sub(before)
}

#[test]
fn a_gigabyte_passes_both_ways_at_once_in_constant_memory() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let pid = home.daemon_pid();
    let mut stream = front.connect();
    let head = "POST /raw/mirror HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n";
    write!(stream, "{head}Content-Length: {SIZE}\r\n\r\n").unwrap();
    let mut writer = stream.try_clone().unwrap();
    let upload = thread::spawn(move || {
        let piece = vec![b'x'; 1 << 20];
        (0..SIZE >> 20).try_for_each(|_| writer.write_all(&piece))
    });
    let mut byte = [0];
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error} after {head}"));
        head.push(byte[0].into());
    }
    let mut piece = vec![0; 1 << 20];
    let (mut early, mut most) = (0, 0);
    for nth in 0..SIZE >> 20 {
        stream.read_exact(&mut piece).unwrap();
        let now = resident_kib(pid);
        if nth < SIZE >> 23 {
            early = now.max(early);
        }
        most = now.max(most);
    }
    assert_eq!(stream.read(&mut byte).unwrap(), 0, "more than was sent");
    upload.join().unwrap().unwrap();
    assert!(most < early + FLATTER, "{early} KiB, then {most} KiB");
}

#[test]
fn half_a_gigabyte_passes_through_tls_in_constant_memory() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    // What is needed once is not held against it.
    front.curl("shop.localhost", "/").ok();
    let size = SIZE / 2;
    let body = home.path().join("body");
    std::fs::File::create(&body).unwrap().set_len(size).unwrap();
    for protocol in ["--http1.1", "--http2"] {
        let grown = growth(&home, || {
            let run = front.curl("shop.localhost", &format!("/raw/give/{size}")).arg(protocol);
            let run = run.args(["-o", "/dev/null", "-w", "%{size_download}"]).ok();
            assert_eq!(run.stdout, size.to_string());
        });
        assert!(grown < FLAT, "{protocol} down: {grown} KiB");
        let grown = growth(&home, || {
            let run =
                front.curl("shop.localhost", "/raw/take").args([protocol, "-X", "POST", "-T"]);
            assert_eq!(run.arg(&body).ok().stdout, size.to_string());
        });
        assert!(grown < FLAT, "{protocol} up: {grown} KiB");
    }
}

#[test]
fn clients_that_stop_reading_cost_little_and_nobody_else_anything() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    front.get("shop.localhost", "/");
    let grown = growth(&home, || {
        let mut stalled = Vec::new();
        for _ in 0..8 {
            let mut stream = front.connect();
            let give = format!("/raw/give/{}", 1_u64 << 30);
            write!(stream, "GET {give} HTTP/1.1\r\nHost: shop.localhost\r\n\r\n").unwrap();
            stream.read_exact(&mut vec![0; 1 << 20]).unwrap();
            stalled.push(stream);
        }
        for _ in 0..50 {
            assert_eq!(front.get("shop.localhost", "/x").body, "web /x");
        }
        // They come back, and what they get goes on where it stopped.
        for stream in &mut stalled {
            let mut more = vec![0; 1 << 20];
            stream.read_exact(&mut more).unwrap();
            assert!(more.iter().all(|&byte| byte == b'x'));
        }
    });
    assert!(grown < FLAT, "{grown} KiB");
}
