//! Those who do not speak HTTP as one should.

use std::io::{Read as _, Write as _};

use super::shop;
use crate::support::{Home, front::Front};

#[test]
fn shapes_that_two_readers_could_read_differently_are_refused() {
    let home = Home::new();
    let project = shop(&home);
    let front = Front::of(&home);
    let shapes = [
        ("no host", "GET / HTTP/1.1\r\n\r\n"),
        ("two hosts", "GET / HTTP/1.1\r\nHost: shop.localhost\r\nHost: other.localhost\r\n\r\n"),
        ("userinfo", "GET / HTTP/1.1\r\nHost: a@shop.localhost\r\n\r\n"),
        (
            "both framings",
            "POST /record HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 4\r\n\
             Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "two lengths",
            "POST /record HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 4\r\n\
             Content-Length: 5\r\n\r\nabcde",
        ),
        (
            "a list of lengths",
            "POST /record HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 4, 5\r\n\r\nabcde",
        ),
        (
            "a signed length",
            "POST /record HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: +4\r\n\r\nabcd",
        ),
        (
            "a space before the colon",
            "POST /record HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length : 4\r\n\r\nabcd",
        ),
        ("a folded line", "GET / HTTP/1.1\r\nHost: shop.localhost\r\nX-A: 1\r\n  2\r\n\r\n"),
        (
            "an encoding of its own",
            "POST /record HTTP/1.1\r\nHost: shop.localhost\r\nTransfer-Encoding: chunked, x\r\n\r\n\
             0\r\n\r\n",
        ),
    ];
    for (what, shape) in shapes {
        let answer = front.ask(shape);
        assert!(matches!(answer.status, 400 | 501), "{what}: {answer:?}");
    }
    assert!(project.lines("posts").is_empty(), "{:?}", project.lines("posts"));
    assert_eq!(front.get("shop.localhost", "/").body, "web /");
}

#[test]
fn garbage_and_giants_harm_nobody() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let daemon = home.daemon_pid();
    let giant = "x".repeat(1 << 20);
    let giant = format!("GET / HTTP/1.1\r\nHost: shop.localhost\r\nX-Giant: {giant}\r\n\r\n");
    let zeros = vec![0; 70_000];
    for bytes in [giant.as_bytes(), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", &zeros] {
        let mut stream = front.connect();
        // It may be refused before all of it is sent.
        let _refused = stream.write_all(bytes);
        let _half = stream.shutdown(std::net::Shutdown::Write);
        let _reset = stream.read_to_end(&mut Vec::new());
    }
    assert_eq!(front.get("shop.localhost", "/").body, "web /");
    assert_eq!(home.daemon_pid(), daemon);
}
