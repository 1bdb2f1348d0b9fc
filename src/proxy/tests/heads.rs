//! What is refused, and what a service gets to see of a request and a client of an answer.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::world::{Peer, World};

/// A service that answers with the head that it got.
async fn echo(mut peer: Peer) {
    loop {
        let head = peer.head().await;
        if head.is_empty() {
            return;
        }
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{head}", head.len());
        peer.send(answer).await;
    }
}

#[expect(clippy::too_many_lines, reason = "it is a table")]
#[tokio::test]
async fn shapes_that_two_could_read_as_two_things_are_refused() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let world = World::with(move |mut peer| {
        let counter = counter.clone();
        async move {
            peer.head().await;
            counter.fetch_add(1, Ordering::Relaxed);
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        }
    })
    .await;
    let host = "Host: app.localhost\r\n";
    for (status, request) in [
        ("400", "GET / HTTP/1.1\r\n\r\n".to_owned()),
        ("400", "GET / HTTP/1.0\r\n\r\n".to_owned()),
        ("400", format!("GET / HTTP/1.1\r\n{host}{host}\r\n")),
        ("400", format!("GET / HTTP/1.1\r\n{host}Host: other.localhost\r\n\r\n")),
        ("400", "GET / HTTP/1.1\r\nHost: me@app.localhost\r\n\r\n".into()),
        ("400", "GET / HTTP/1.1\r\nHost: app.localhost:x\r\n\r\n".into()),
        ("400", "GET / HTTP/1.1\r\nHost: app localhost\r\n\r\n".into()),
        ("400", format!("GET http://me@app.localhost/ HTTP/1.1\r\n{host}\r\n")),
        ("400", format!("GET ftp://app.localhost/ HTTP/1.1\r\n{host}\r\n")),
        ("400", format!("GET app.localhost HTTP/1.1\r\n{host}\r\n")),
        ("405", "CONNECT app.localhost:80 HTTP/1.1\r\nHost: app.localhost:80\r\n\r\n".into()),
        (
            "400",
            format!(
                "POST / HTTP/1.1\r\n{host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
            ),
        ),
        (
            "400",
            format!("POST / HTTP/1.1\r\n{host}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
        ),
        ("400", format!("POST / HTTP/1.1\r\n{host}Content-Length: 3, 3\r\n\r\nabc")),
        ("400", format!("POST / HTTP/1.1\r\n{host}Content-Length: +3\r\n\r\nabc")),
        ("400", format!("POST / HTTP/1.1\r\n{host}Content-Length: 0x3\r\n\r\nabc")),
        ("400", format!("POST / HTTP/1.1\r\n{host}Content-Length:\r\n\r\n")),
        ("400", format!("POST / HTTP/1.1\r\n{host}Content-Length: 99999999999999999999\r\n\r\n")),
        ("400", format!("POST / HTTP/1.1\r\n{host}Transfer-Encoding: gzip, chunked\r\n\r\n")),
        ("400", format!("POST / HTTP/1.1\r\n{host}Transfer-Encoding: xchunked\r\n\r\n")),
        (
            "400",
            format!(
                "POST / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n"
            ),
        ),
        ("400", format!("POST / HTTP/1.1\r\n{host}Transfer-Encoding:\x0bchunked\r\n\r\n")),
        ("400", format!("POST / HTTP/1.0\r\n{host}Transfer-Encoding: chunked\r\n\r\n")),
        ("400", format!("POST / HTTP/1.1\r\n{host}Transfer-Encoding : chunked\r\n\r\n")),
        ("400", format!("GET / HTTP/1.1\r\n{host}X: a\r\n b\r\n\r\n")),
        ("400", format!("GET / HTTP/1.1\r\n{host} X: a\r\n\r\n")),
        ("400", format!("GET / HTTP/1.1\r\n{host}: a\r\n\r\n")),
        ("400", format!("GET / HTTP/1.1\r\n{host}X: a\0b\r\n\r\n")),
        ("400", format!("GET / HTTP/1.1\r\n{host}X: a\rb\r\n\r\n")),
        ("400", format!("GET / HTTP/1.1\n{host}\r\n")),
        ("400", format!("GET / HTTP/1.1\r\n{host}X: a\n\r\n")),
        ("400", "GET / HTTP/1.1\nHost: app.localhost\n\n".into()),
        ("505", format!("GET / HTTP/3.1\r\n{host}\r\n")),
        ("431", format!("GET / HTTP/1.1\r\n{host}X: {}\r\n\r\n", "x".repeat(1 << 20))),
        ("431", format!("GET / HTTP/1.1\r\n{host}{}\r\n", "X: y\r\n".repeat(201))),
    ] {
        let answer = world.ask(&request).await;
        let shown = &request[..request.len().min(150)];
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:?}: {answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{shown:?}: {answer}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0, "none has reached the service");
}

#[tokio::test]
async fn a_service_sees_the_request_and_who_asked() {
    let world = World::with(echo).await;
    let mut client = world.client().await;
    client
        .send(
            "GET /a%2Fb/../c//d?x=%20 HTTP/1.1\r\nHost: app.localhost:8080\r\nAccept-Encoding: br\r\nX-One: 1\r\n\
             x-Two: a\r\nX-One: 2\r\nConnection: keep-alive, X-Secret, Close-Not\r\nX-Secret: s\r\nKeep-Alive: 5\r\n\
             Proxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\
             X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: gopher\r\nX-Forwarded-Host: evil\r\n\
             X-Forwarded-Port: 1\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-Server: kept\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n",
        )
        .await;
    client.head().await;
    let seen = client.head().await;
    let expected = "GET /a%2Fb/../c//d?x=%20 HTTP/1.1\r\nHost: app.localhost:8080\r\nAccept-Encoding: br\r\nX-One: 1\r\n\
         x-Two: a\r\nX-One: 2\r\nX-Forwarded-Server: kept\r\nCookie: a=1\r\nCookie: b=2\r\nTE: trailers\r\n\
         X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: app.localhost:8080\r\n\
         X-Forwarded-Port: 8080\r\nForwarded: for=127.0.0.1;host=\"app.localhost:8080\";proto=http\r\n\
         x-locald-hops: 1\r\n\r\n";
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn an_absolute_target_wins_over_the_host() {
    let world = World::with(echo).await;
    for (target, path) in [
        ("http://app.localhost:81/x?y", "/x?y"),
        ("HTTP://APP.localhost:81", "/"),
        ("http://app.localhost:81?q", "/?q"),
    ] {
        let mut client = world.client().await;
        client.send(format!("GET {target} HTTP/1.1\r\nHost: nobody.example\r\n\r\n")).await;
        client.head().await;
        let seen = client.head().await;
        assert!(seen.starts_with(&format!("GET {path} HTTP/1.1\r\n")), "{seen}");
        assert!(seen.to_lowercase().contains("\r\nhost: app.localhost:81\r\n"), "{seen}");
        assert!(!seen.contains("nobody.example"), "{seen}");
    }
}

#[tokio::test]
async fn an_answer_loses_what_is_only_about_the_connection() {
    let world = World::answering(
        "HTTP/1.1 299 Very Fine\r\nSet-Cookie: a=1\r\nX-B: b\r\nSet-Cookie: b=2\r\nConnection: X-Hop, keep-alive\r\n\
         X-Hop: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\nContent-Length: 2\r\nServer: x\r\n\r\nok",
    )
    .await;
    let mut client = world.client().await;
    client.send("GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n").await;
    let expected = "HTTP/1.1 299 Very Fine\r\nSet-Cookie: a=1\r\nX-B: b\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\nServer: x\r\n\r\n";
    assert_eq!(client.head().await, expected);
    assert_eq!(client.exactly(2).await, "ok");
}

#[tokio::test]
async fn large_heads_pass() {
    let world = World::with(|mut peer| async move {
        let size = peer.head().await.len();
        peer.send(format!(
            "HTTP/1.1 200 OK\r\nX-Size: {size}\r\nX: {}\r\nContent-Length: 0\r\n\r\n",
            "y".repeat(32 * 1024)
        ))
        .await;
    })
    .await;
    let mut client = world.client().await;
    client
        .send(format!(
            "GET / HTTP/1.1\r\nHost: app.localhost\r\nX: {}\r\n\r\n",
            "x".repeat(63 * 1024)
        ))
        .await;
    let head = client.head().await;
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\nX-Size: 6") && head.len() > 32 * 1024,
        "{}",
        &head[..100.min(head.len())]
    );
}

#[tokio::test]
async fn requests_sent_at_once_are_answered_in_order() {
    let world = World::with(echo).await;
    let mut client = world.client().await;
    let request = |n: u32| format!("\r\nGET /{n} HTTP/1.1\r\nHost: app.localhost\r\n\r\n");
    client.send((0..20).map(request).collect::<String>()).await;
    for n in 0..20 {
        client.head().await;
        assert!(client.head().await.starts_with(&format!("GET /{n} ")));
    }
}

#[tokio::test]
async fn old_clients_get_what_they_understand() {
    let world = World::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    )
    .await;
    let answer =
        world.ask("GET / HTTP/1.0\r\nHost: app.localhost\r\nConnection: keep-alive\r\n\r\n").await;
    assert_eq!(answer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
    let world = World::answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc").await;
    let mut client = world.client().await;
    for _ in 0..2 {
        client
            .send("GET / HTTP/1.0\r\nHost: app.localhost\r\nConnection: keep-alive\r\n\r\n")
            .await;
        assert!(client.until("\r\n\r\nabc").await.contains("Connection: keep-alive"));
    }
    let answer = world.ask("GET / HTTP/1.0\r\nHost: app.localhost\r\n\r\n").await;
    assert!(answer.ends_with("Connection: close\r\n\r\nabc"), "{answer}");
}
