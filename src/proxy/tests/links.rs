//! Connections of HTTP/2 to services, which end and have limits of their own; what becomes of bodies then.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::Response;
use tokio::io::AsyncReadExt as _;

use super::{
    h2c::{call, says, service},
    http2::{ask, get, plain},
    world::{Peer, World, backend, within},
};
use crate::core::plan::Protocol;

const POST: &str = "POST / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\
                    Content-Length: 5\r\n\r\nhello";

#[tokio::test]
async fn a_first_request_with_a_body_is_sent_again_by_http2() {
    let long = "x".repeat(1 << 20);
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    for (what, head, body) in [
        ("short", "Content-Length: 5".to_owned(), "hello".to_owned()),
        ("long", format!("Content-Length: {}", long.len()), long.clone()),
        (
            "in chunks",
            "Transfer-Encoding: chunked".to_owned(),
            chunk("hel") + &chunk("lo") + "0\r\n\r\n",
        ),
        ("in long chunks", "Transfer-Encoding: chunked".to_owned(), chunk(&long) + "0\r\n\r\n"),
    ] {
        let world = World::new().await;
        says(&world, backend(|peer| service(peer, false)).await, Protocol::Auto);
        let ask = format!(
            "POST / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n{head}\r\n\r\n{body}"
        );
        let answer = world.ask(&ask).await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n"),
            "{what}: {}",
            &answer[..300.min(answer.len())]
        );
        let sent = if what.contains("long") { 1 << 20 } else { 5 };
        let echoed: usize = chunks(&answer).iter().map(|chunk| chunk.len()).sum();
        assert_eq!(echoed, sent, "{what}");
        if sent == 5 {
            assert_eq!(chunks(&answer).concat(), "hello", "{what}");
        }
    }
}

/// The chunks of an answer.
fn chunks(answer: &str) -> Vec<&str> {
    let (_, mut rest) = answer.split_once("\r\n\r\n").expect("a head");
    let mut chunks = Vec::new();
    while let Some((size, more)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a size");
        if size == 0 {
            break;
        }
        chunks.push(&more[..size]);
        rest = &more[size + 2..];
    }
    chunks
}

/// Speaks HTTP/2 as far as a first request, of which it says that it has not begun with it.
async fn goodbye(mut peer: Peer) {
    peer.send(frame(4, 0, &[])).await;
    within(peer.stream.read_exact(&mut [0; 24])).await.expect("a preface");
    loop {
        let mut head = [0; 9];
        if within(peer.stream.read_exact(&mut head)).await.is_err() {
            return;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        within(peer.stream.read_exact(&mut payload)).await.expect("a frame");
        match (head[3], head[4]) {
            (4, 0) => peer.send(frame(4, 1, &[])).await,
            (6, 0) => peer.send(frame(6, 1, &payload)).await,
            // The last stream that it has to do with is 0, and that is no error.
            (1, _) => peer.send(frame(7, 0, &[0; 8])).await,
            _ => {}
        }
    }
}

fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short one");
    [&[0, 0, length, kind, flags, 0, 0, 0, 0], payload].concat()
}

#[tokio::test]
async fn what_a_service_that_says_goodbye_has_not_begun_is_asked_again() {
    for by_grpc in [false, true] {
        let world = World::new().await;
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        let port = backend(move |peer| {
            let first = count.fetch_add(1, Ordering::Relaxed) == 0;
            async move { if first { goodbye(peer).await } else { service(peer, false).await } }
        });
        says(&world, port.await, Protocol::H2c);
        if by_grpc {
            let mut send = plain(&world).await;
            let (answer, mut body) = send.send_request(call("/call"), false).expect("a stream");
            body.send_data(Bytes::from_static(b"one"), true).expect("sent");
            let mut echo = within(answer).await.expect("an answer").into_body();
            assert_eq!(within(echo.data()).await.expect("data").expect("data"), "one");
        } else {
            let answer = world.ask(POST).await;
            assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("hello"), "{answer}");
        }
        assert_eq!(connections.load(Ordering::Relaxed), 2);
    }
}

/// Services end connections every now and then, as those of gRPC do by their age.
#[tokio::test]
async fn connections_that_end_in_peace_lose_nothing() {
    let world = World::new().await;
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    let port = backend(move |peer| {
        count.fetch_add(1, Ordering::Relaxed);
        async move {
            let mut connection = h2::server::handshake(peer.stream).await.expect("HTTP/2");
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                connection.graceful_shutdown();
                let answer = Response::new(());
                respond.send_response(answer, true).expect("sent");
            }
        }
    });
    says(&world, port.await, Protocol::H2c);
    let send = plain(&world).await;
    for round in 0..10 {
        let asks = (0..10).map(|_| {
            let mut send = send.clone();
            async move { ask(&mut send, get("/")).await.0 }
        });
        assert_eq!(join_all(asks).await, [200; 10], "{round}");
    }
    assert!(connections.load(Ordering::Relaxed) >= 10);
}

#[tokio::test]
async fn a_service_that_takes_one_request_at_a_time_gets_them_one_by_one() {
    let world = World::new().await;
    let under_way = Arc::new(AtomicUsize::new(0));
    let port = backend(move |peer| {
        let under_way = under_way.clone();
        async move {
            let mut builder = h2::server::Builder::new();
            let builder = builder.max_concurrent_streams(1);
            let mut connection = builder.handshake::<_, Bytes>(peer.stream).await.expect("HTTP/2");
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                assert_eq!(under_way.fetch_add(1, Ordering::SeqCst), 0, "more than one");
                let under_way = under_way.clone();
                tokio::spawn(async move {
                    let mut body = request.into_body();
                    while let Some(Ok(_)) = body.data().await {}
                    under_way.fetch_sub(1, Ordering::SeqCst);
                    respond.send_response(Response::new(()), true).expect("sent");
                });
            }
        }
    });
    says(&world, port.await, Protocol::H2c);
    let mut send = plain(&world).await;
    // The first one lasts until the others have been asked.
    let (first, mut body) = send.send_request(call("/"), false).expect("a stream");
    body.send_data(Bytes::from_static(b"one"), false).expect("sent");
    let others: Vec<_> = (0..20)
        .map(|_| {
            let (answer, mut body) = send.send_request(call("/"), false).expect("a stream");
            body.send_data(Bytes::from_static(b"one"), true).expect("sent");
            answer
        })
        .collect();
    body.send_data(Bytes::from_static(b"two"), true).expect("sent");
    assert_eq!(within(first).await.expect("an answer").status(), 200);
    for answer in join_all(others).await {
        assert_eq!(answer.expect("an answer").status(), 200);
    }
}
