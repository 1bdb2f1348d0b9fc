//! Services that misbehave, restart, or listen elsewhere.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{io::AsyncWriteExt as _, net::TcpListener, time::sleep};

use super::world::{Peer, World, backend, up, within};

const GET: &str = "GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn garbage_is_a_bad_gateway() {
    for garbage in [
        "",
        "garbage\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: br\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: y\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    ] {
        let world = World::with(move |mut peer| async move {
            peer.head().await;
            peer.send(garbage).await;
        })
        .await;
        let answer = world.ask(GET).await;
        assert!(answer.starts_with("HTTP/1.1 502 "), "{garbage:?}: {answer}");
        assert!(answer.contains("application/problem+json"), "{garbage:?}: {answer}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_a_bad_gateway() {
    let world = World::with(|mut peer| async move {
        peer.head().await;
        peer.send(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1 << 20))).await;
    })
    .await;
    assert!(world.ask(GET).await.starts_with("HTTP/1.1 502 "));
}

#[tokio::test]
async fn connections_are_used_again_but_not_beyond_a_life() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = connections.clone();
    let serve = move |mut peer: Peer| {
        let number = counter.fetch_add(1, Ordering::Relaxed);
        async move {
            while !peer.head().await.is_empty() {
                peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}")).await;
            }
        }
    };
    let world = World::new().await;
    let port = backend(serve).await;
    up(&world.web, 1, port);
    let mut client = world.client().await;
    let mut numbers = Vec::new();
    for round in 0..6 {
        if round == 3 {
            up(&world.web, 2, port);
        }
        client.send("GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n").await;
        client.head().await;
        numbers.push(client.exactly(1).await);
    }
    assert_eq!(numbers, ["0", "0", "0", "1", "1", "1"]);
}

#[tokio::test]
async fn a_connection_that_died_while_waiting_costs_nobody_anything() {
    let world = World::with(|mut peer| async move {
        peer.head().await;
        peer.send(OK).await;
        sleep(Duration::from_millis(20)).await;
    })
    .await;
    let mut client = world.client().await;
    for method in ["GET", "POST", "GET", "POST"] {
        client.send(format!("{method} / HTTP/1.1\r\nHost: app.localhost\r\n\r\n")).await;
        assert!(client.head().await.starts_with("HTTP/1.1 200"), "{method}");
        client.exactly(2).await;
        sleep(Duration::from_millis(60)).await;
    }
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let world = World::with(move |mut peer| {
        let counter = counter.clone();
        async move {
            peer.head().await;
            counter.fetch_add(1, Ordering::Relaxed);
        }
    })
    .await;
    let answer = world.ask("POST / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    assert_eq!(asked.swap(0, Ordering::Relaxed), 1);
    assert!(world.ask(GET).await.starts_with("HTTP/1.1 502 "));
    assert_eq!(asked.load(Ordering::Relaxed), 2, "a GET may be asked twice, not for ever");
}

#[tokio::test]
async fn a_service_may_listen_on_ipv6_only() {
    let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
    let world = World::new().await;
    up(&world.web, 1, listener.local_addr().expect("an address").port());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut peer = Peer::new(stream);
        peer.head().await;
        peer.send(OK).await;
    });
    assert!(world.ask(GET).await.ends_with("ok"));
}

#[tokio::test]
async fn a_service_that_refuses_for_a_moment_is_waited_for() {
    let world = World::new().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    up(&world.web, 1, address.port());
    let later = tokio::spawn(async move {
        sleep(Duration::from_millis(200)).await;
        let listener = TcpListener::bind(address).await.expect("the port is free");
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut peer = Peer::new(stream);
        let head = peer.head().await;
        let body = peer.exactly(3).await;
        peer.send(OK).await;
        peer.stream.shutdown().await.ok();
        assert!(within(listener.accept()).await.is_err() || head.is_empty(), "asked twice: {body}");
    });
    let post = "POST / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc";
    assert!(world.ask(post).await.ends_with("ok"));
    later.abort();
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_a_bad_gateway_that_says_so() {
    let world = World::new().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    up(&world.web, 1, listener.local_addr().expect("an address").port());
    drop(listener);
    let answer = world.ask(GET).await;
    assert!(
        answer.starts_with("HTTP/1.1 502 ") && answer.contains("127.0.0.1 nor [::1]"),
        "{answer}"
    );
    assert!(
        answer.contains("\"last_exit\":\"code 7\"") && answer.contains("<last line>"),
        "{answer}"
    );
}

#[tokio::test]
async fn our_own_ports_are_never_dialled() {
    let world = World::new().await;
    up(&world.web, 1, world.http.port());
    let answer = world.ask(GET).await;
    assert!(answer.starts_with("HTTP/1.1 508 ") && answer.contains("changeOrigin"), "{answer}");
}

#[tokio::test]
async fn a_loop_ends() {
    let world = World::new().await;
    let http = world.http;
    let hops = Arc::new(AtomicUsize::new(0));
    let counter = hops.clone();
    // A dev server that sends everything back to where it came from.
    let port = backend(move |mut peer| {
        let counter = counter.clone();
        async move {
            let head = peer.head().await;
            if head.is_empty() {
                return;
            }
            assert!(counter.fetch_add(1, Ordering::Relaxed) < 20, "it goes on");
            let next = tokio::net::TcpStream::connect(http).await.expect("it listens");
            let mut next = Peer::new(next);
            next.send(head.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).await;
            let answer = next.rest().await;
            peer.send(answer).await;
        }
    })
    .await;
    up(&world.web, 1, port);
    let answer = world.ask(GET).await;
    assert!(answer.starts_with("HTTP/1.1 508 "), "{answer}");
    assert_eq!(hops.load(Ordering::Relaxed), 5);
}
