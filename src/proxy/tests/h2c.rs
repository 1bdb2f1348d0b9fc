//! Services that speak HTTP/2 without TLS: said by the configuration, or found out.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use futures_util::future::join_all;
use h2::{Reason, ext, server::SendResponse};
use http::{HeaderMap, Method, Request, Response, Version, request::Parts};
use tokio::io::AsyncReadExt as _;

use super::{
    http2::{ask, get, plain},
    world::{Peer, World, backend, within},
};
use crate::{
    core::plan::Protocol,
    os::traffic::{Phase, State},
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// `web` runs on this port, and this is said of it.
pub(super) fn says(world: &World, port: u16, protocol: Protocol) {
    world.web.publish(Phase { state: State::Up, life: 1, port, protocol });
}

pub(super) fn call(path: &str) -> Request<()> {
    let request = Request::post(format!("http://app.localhost{path}")).version(Version::HTTP_2);
    let request = request.header("te", "trailers").header("content-type", "application/grpc+proto");
    request.body(()).expect("a request")
}

/// A service of HTTP/2 only; `tunnels`: also WebSocket.
pub(super) async fn service(peer: Peer, tunnels: bool) {
    let mut builder = h2::server::Builder::new();
    if tunnels {
        builder.enable_connect_protocol();
    }
    let Ok(mut connection) = builder.handshake::<_, Bytes>(peer.stream).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        let (parts, body) = request.into_parts();
        tokio::spawn(answer(parts, body, respond));
    }
}

async fn answer(parts: Parts, mut body: h2::RecvStream, mut respond: SendResponse<Bytes>) {
    let mut response = Response::builder();
    match parts.uri.path() {
        "/refused" => return respond.send_reset(Reason::ENHANCE_YOUR_CALM),
        "/hints" => {
            let hints = Response::builder().status(103).header("link", "</x>").body(());
            respond.send_informational(hints.expect("an answer")).expect("sent");
        }
        _ => {}
    }
    for name in ["te", "host", "sec-websocket-key", "sec-websocket-protocol"] {
        if let Some(value) = parts.headers.get(name) {
            response = response.header(format!("x-{name}"), value);
        }
    }
    let protocol = parts.extensions.get::<ext::Protocol>().map_or("none", ext::Protocol::as_str);
    let response = response.header("x-protocol", protocol).body(()).expect("an answer");
    let mut send = respond.send_response(response, false).expect("sent");
    while let Some(Ok(data)) = body.data().await {
        body.flow_control().release_capacity(data.len()).expect("capacity");
        if data == "take it back" {
            return send.send_reset(Reason::ENHANCE_YOUR_CALM);
        }
        send.send_data(data, false).expect("sent");
    }
    // Those that came come back as well.
    let came = body.trailers().await.ok().flatten();
    let mut trailers = came.unwrap_or_default();
    trailers.insert("grpc-status", "0".parse().expect("a value"));
    send.send_trailers(trailers).expect("sent");
}

/// A service of HTTP/1 that counts who greets it by HTTP/2.
async fn http1(mut peer: Peer, greeted: Arc<AtomicUsize>) {
    let mut first = [0; 14];
    if within(peer.stream.read_exact(&mut first)).await.is_err() {
        return;
    }
    if first == PREFACE {
        greeted.fetch_add(1, Ordering::Relaxed);
        return peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    }
    peer.head().await;
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nh1").await;
}

async fn counted() -> (u16, Arc<AtomicUsize>) {
    let greeted = Arc::new(AtomicUsize::new(0));
    let count = greeted.clone();
    (backend(move |peer| http1(peer, count.clone())).await, greeted)
}

#[tokio::test]
async fn grpc_goes_through_while_both_sides_talk() {
    for protocol in [Protocol::H2c, Protocol::Auto] {
        let world = World::new().await;
        says(&world, backend(|peer| service(peer, false)).await, protocol);
        let mut send = plain(&world).await;
        for _ in 0..2 {
            let (answer, mut body) = send.send_request(call("/call"), false).expect("a stream");
            body.send_data(Bytes::from_static(b"one"), false).expect("sent");
            let answer = within(answer).await.expect("an answer");
            assert_eq!(answer.headers()["x-te"], "trailers");
            let mut echo = answer.into_body();
            assert_eq!(within(echo.data()).await.expect("data").expect("data"), "one");
            body.send_data(Bytes::from_static(b"two"), true).expect("sent");
            assert_eq!(within(echo.data()).await.expect("data").expect("data"), "two");
            assert!(within(echo.data()).await.is_none());
            let trailers = within(echo.trailers()).await.expect("trailers").expect("trailers");
            assert_eq!(trailers["grpc-status"], "0");
        }
    }
}

#[tokio::test]
async fn a_service_of_http2_only_is_found_out_by_its_first_answer() {
    let world = World::new().await;
    says(&world, backend(|peer| service(peer, false)).await, Protocol::Auto);
    let answer = world.ask("GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n");
    let answer = answer.await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("grpc-status: 0"), "{answer}");
    let told = World::new().await;
    says(&told, backend(|peer| service(peer, false)).await, Protocol::Http);
    let answer = told.ask("GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n");
    let answer = answer.await;
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("h2c"), "{answer}");
}

#[tokio::test]
async fn trailers_go_up_from_clients_of_either_version() {
    let world = World::new().await;
    says(&world, backend(|peer| service(peer, false)).await, Protocol::H2c);
    let answer = world.ask(
        "POST / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\nHost: evil\r\n\r\n",
    );
    let answer = answer.await;
    assert!(answer.contains("\r\nx-sum: 7\r\n") && !answer.contains("evil"), "{answer}");
    let mut send = plain(&world).await;
    let (answer, mut body) = send.send_request(call("/call"), false).expect("a stream");
    body.send_data(Bytes::from_static(b"one"), false).expect("sent");
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "8".parse().expect("a value"));
    body.send_trailers(trailers).expect("sent");
    let mut echo = within(answer).await.expect("an answer").into_body();
    assert_eq!(within(echo.data()).await.expect("data").expect("data"), "one");
    let trailers = within(echo.trailers()).await.expect("trailers").expect("trailers");
    assert_eq!(
        (&trailers["x-sum"], &trailers["grpc-status"]),
        (&"8".parse().unwrap(), &"0".parse().unwrap())
    );
}

#[tokio::test]
async fn a_service_of_http1_is_tried_once_per_life_and_only_for_grpc() {
    let world = World::new().await;
    let (port, greeted) = counted().await;
    says(&world, port, Protocol::Auto);
    let mut send = plain(&world).await;
    let seen = || greeted.load(Ordering::Relaxed);
    assert_eq!((ask(&mut send, get("/")).await.2, seen()), ("h1".to_owned(), 0));
    let mut web = call("/");
    let media = "application/grpc-web".parse().expect("a value");
    web.headers_mut().insert("content-type", media);
    assert_eq!((ask(&mut send, web).await.2, seen()), ("h1".to_owned(), 0));
    for _ in 0..3 {
        assert_eq!((ask(&mut send, call("/")).await.2, seen()), ("h1".to_owned(), 1));
    }
    world.web.publish(Phase { life: 2, ..world.web.now() });
    assert_eq!((ask(&mut send, call("/")).await.2, seen()), ("h1".to_owned(), 2));
    says(&world, port, Protocol::Http);
    world.web.publish(Phase { life: 3, ..world.web.now() });
    assert_eq!((ask(&mut send, call("/")).await.2, seen()), ("h1".to_owned(), 2));
}

#[tokio::test]
async fn a_service_that_was_said_to_speak_http2_and_does_not_is_named() {
    let world = World::new().await;
    let (port, _) = counted().await;
    says(&world, port, Protocol::H2c);
    let mut send = plain(&world).await;
    let (status, _, body, _) = ask(&mut send, get("/")).await;
    assert!(status == 502 && body.contains("does not speak HTTP/2"), "{status} {body}");
}

#[tokio::test]
async fn a_hundred_first_requests_share_a_connection() {
    let world = World::new().await;
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    let port = backend(move |peer| {
        count.fetch_add(1, Ordering::Relaxed);
        service(peer, false)
    });
    says(&world, port.await, Protocol::H2c);
    // One connection of one client is one worker's.
    let send = plain(&world).await;
    let asks = (0..100).map(|_| {
        let mut send = send.clone();
        async move { ask(&mut send, get("/")).await.0 }
    });
    assert_eq!(join_all(asks).await, [200; 100]);
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_reason_of_a_reset_arrives() {
    let world = World::new().await;
    says(&world, backend(|peer| service(peer, false)).await, Protocol::H2c);
    let mut send = plain(&world).await;
    let (answer, _body) = send.send_request(call("/refused"), false).expect("a stream");
    let error = within(answer).await.expect_err("a reset");
    assert_eq!(error.reason(), Some(Reason::ENHANCE_YOUR_CALM));
    let (answer, mut body) = send.send_request(call("/call"), false).expect("a stream");
    body.send_data(Bytes::from_static(b"one"), false).expect("sent");
    let mut echo = within(answer).await.expect("an answer").into_body();
    assert_eq!(within(echo.data()).await.expect("data").expect("data"), "one");
    body.send_data(Bytes::from_static(b"take it back"), false).expect("sent");
    let error = within(echo.data()).await.expect("no clean end").expect_err("a reset");
    assert_eq!(error.reason(), Some(Reason::ENHANCE_YOUR_CALM));
    // Who speaks HTTP/1.1 sees that it is not complete.
    let mut old = world.client().await;
    let head = "POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 12\r\n\r\n";
    old.send(head).await;
    // A reset takes an answer along that is not on its way yet.
    assert!(old.head().await.starts_with("HTTP/1.1 200 "));
    old.send("take it back").await;
    assert!(old.broken().await.is_some());
    // Who does not speak gRPC gets a page.
    let (status, _, page, _) = ask(&mut send, get("/refused")).await;
    assert!(status == 502 && page.contains("ENHANCE_YOUR_CALM"), "{status} {page}");
}

#[tokio::test]
async fn early_hints_arrive() {
    let world = World::new().await;
    says(&world, backend(|peer| service(peer, false)).await, Protocol::H2c);
    let request = "GET /hints HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n";
    let answer = world.ask(request).await;
    let (hints, rest) = answer.split_once("\r\n\r\n").expect("two heads");
    assert!(hints.starts_with("HTTP/1.1 103 ") && hints.contains("link: </x>"), "{answer}");
    assert!(rest.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn websockets_of_either_version_become_tunnels_of_http2() {
    let world = World::new().await;
    says(&world, backend(|peer| service(peer, true)).await, Protocol::H2c);
    let mut client = world.client().await;
    client
        .send(
            "GET /ws HTTP/1.1\r\nHost: app.localhost\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: chat\r\n\r\nearly",
        )
        .await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    for part in ["Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Upgrade: websocket"] {
        assert!(head.contains(part), "{part}: {head}");
    }
    assert!(head.contains("x-protocol: websocket"), "{head}");
    assert!(head.contains("x-sec-websocket-protocol: chat"), "{head}");
    assert!(!head.contains("x-sec-websocket-key"), "{head}");
    assert_eq!(client.exactly(5).await, "early");
    client.send("more").await;
    assert_eq!(client.exactly(4).await, "more");
    let mut send = plain(&world).await;
    let mut request = get("/ws");
    *request.method_mut() = Method::CONNECT;
    request.extensions_mut().insert(ext::Protocol::from_static("websocket"));
    let (answer, mut body) = send.send_request(request, false).expect("a stream");
    let answer = within(answer).await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-protocol"]),
        (200, &"websocket".parse().expect("a value"))
    );
    body.send_data(Bytes::from_static(b"hello"), false).expect("sent");
    assert_eq!(within(answer.into_body().data()).await.expect("data").expect("data"), "hello");
}

#[tokio::test]
async fn a_websocket_that_the_service_has_no_way_for_is_refused() {
    let world = World::new().await;
    says(&world, backend(|peer| service(peer, false)).await, Protocol::H2c);
    let mut client = world.client().await;
    client
        .send(
            "GET /ws HTTP/1.1\r\nHost: app.localhost\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
    assert!(client.until("RFC 8441").await.contains("WebSockets"));
}

#[tokio::test]
async fn a_call_that_is_given_up_is_given_up_at_the_service() {
    let world = World::new().await;
    let (told, mut gone) = tokio::sync::mpsc::channel(1);
    let port = backend(move |peer| {
        let told = told.clone();
        async move {
            let mut connection = h2::server::handshake(peer.stream).await.expect("HTTP/2");
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                let told = told.clone();
                told.send(None).await.expect("the test waits");
                tokio::spawn(async move {
                    let reason = std::future::poll_fn(|cx| respond.poll_reset(cx)).await;
                    told.send(reason.ok()).await.expect("the test waits");
                });
            }
        }
    });
    says(&world, port.await, Protocol::H2c);
    let mut send = plain(&world).await;
    let (answer, mut body) = send.send_request(call("/"), false).expect("a stream");
    body.send_data(Bytes::from_static(b"one"), false).expect("sent");
    assert_eq!(within(gone.recv()).await, Some(None), "it has come");
    body.send_reset(Reason::CANCEL);
    drop(answer);
    assert_eq!(within(gone.recv()).await, Some(Some(Reason::CANCEL)));
}
