//! HTTP/2, from clients and to services.

use std::{future::poll_fn, time::Duration};

use bytes::Bytes;
use h2::{client::SendRequest, ext::Protocol};
use http::{HeaderMap, Method, Request, Version};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::sleep,
};

use super::world::{World, within};

pub(super) async fn open(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> SendRequest<Bytes> {
    let (send, connection) = within(h2::client::handshake(io)).await.expect("HTTP/2");
    tokio::spawn(connection);
    within(send.ready()).await.expect("a stream")
}

pub(super) async fn plain(world: &World) -> SendRequest<Bytes> {
    open(TcpStream::connect(world.http).await.expect("it listens")).await
}

pub(super) fn get(path: &str) -> Request<()> {
    let uri = format!("http://app.localhost{path}");
    Request::builder().version(Version::HTTP_2).uri(uri).body(()).expect("a request")
}

pub(super) async fn ask(
    send: &mut SendRequest<Bytes>,
    request: Request<()>,
) -> (u16, HeaderMap, String, Option<HeaderMap>) {
    let (answer, _) = send.send_request(request, true).expect("a stream");
    read(answer).await
}

async fn read(answer: h2::client::ResponseFuture) -> (u16, HeaderMap, String, Option<HeaderMap>) {
    let (parts, mut body) = within(answer).await.expect("an answer").into_parts();
    let mut text = Vec::new();
    while let Some(data) = within(body.data()).await {
        let data = data.expect("a body");
        body.flow_control().release_capacity(data.len()).expect("capacity");
        text.extend_from_slice(&data);
    }
    let trailers = within(body.trailers()).await.expect("trailers");
    (parts.status.as_u16(), parts.headers, String::from_utf8_lossy(&text).into_owned(), trailers)
}

#[tokio::test]
async fn requests_and_answers_go_through() {
    let world = World::with(|mut peer| async move {
        loop {
            let head = peer.head().await;
            if head.is_empty() {
                return;
            }
            let answer = format!("HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nConnection: X\r\nX: y\r\nContent-Length: {}\r\n\r\n{head}", head.len());
            peer.send(answer).await;
        }
    })
    .await;
    let stream = world.tls("app.localhost", &["h2", "http/1.1"]).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let mut send = open(stream).await;
    let request = Request::builder()
        .version(Version::HTTP_2)
        .uri("https://app.localhost:99/a%2Fb/../c?d")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("te", "trailers")
        .body(())
        .expect("a request");
    let (status, headers, seen, _) = ask(&mut send, request).await;
    assert_eq!(status, 200);
    assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
    assert!(headers.get("x").is_none() && headers.get("connection").is_none(), "{headers:?}");
    for part in [
        "GET /a%2Fb/../c?d HTTP/1.1\r\nHost: app.localhost:99\r\n",
        "\r\ncookie: a=1; b=2\r\n",
        "\r\nTE: trailers\r\n",
        "\r\nX-Forwarded-Proto: https\r\n",
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    let (status, ..) = ask(
        &mut send,
        Request::get("https://other.localhost/")
            .version(Version::HTTP_2)
            .body(())
            .expect("a request"),
    )
    .await;
    assert_eq!(status, 421);
}

#[tokio::test]
async fn doubtful_authorities_are_refused() {
    let world = World::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let mut send = plain(&world).await;
    for (host, status) in [("other.localhost", 400), ("app.localhost", 200), ("APP.localhost", 200)]
    {
        let mut request = get("/");
        request.headers_mut().insert("host", host.parse().expect("a value"));
        assert_eq!(ask(&mut send, request).await.0, status, "{host}");
    }
    let mut request = get("/");
    *request.uri_mut() = "http://me@app.localhost/".parse().expect("a URI");
    assert_eq!(ask(&mut send, request).await.0, 400);
}

#[tokio::test]
async fn bodies_and_trailers_go_both_ways() {
    let world = World::with(|mut peer| async move {
        let head = peer.head().await;
        assert!(head.contains("Transfer-Encoding: chunked"), "{head}");
        let body = peer.until("0\r\n").await + &peer.head().await;
        assert!(body.contains("x-up: 1"), "{body}");
        peer.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n").await;
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Down: 2\r\n\r\n").await;
    })
    .await;
    let mut send = plain(&world).await;
    let request = Request::post("http://app.localhost/")
        .version(Version::HTTP_2)
        .body(())
        .expect("a request");
    let (answer, mut body) = send.send_request(request, false).expect("a stream");
    body.send_data(Bytes::from_static(b"hello"), false).expect("sent");
    let mut trailers = HeaderMap::new();
    trailers.insert("x-up", "1".parse().expect("a value"));
    body.send_trailers(trailers).expect("sent");
    let mut answer = answer;
    let hints = within(poll_fn(|cx| answer.poll_informational(cx))).await;
    let hints = hints.expect("hints").expect("hints");
    assert_eq!(
        (hints.status().as_u16(), &hints.headers()["link"]),
        (103, &"</x>".parse().unwrap())
    );
    let (status, _, text, trailers) = read(answer).await;
    assert_eq!((status, &*text), (200, "abc"));
    assert_eq!(trailers.expect("trailers")["x-down"], "2");
}

#[tokio::test]
async fn framing_is_exact() {
    for (method, answer, length) in [
        (Method::GET, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", Some("3")),
        (Method::HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Some("3")),
        (Method::HEAD, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", None),
        (Method::GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", Some("9")),
        (Method::GET, "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", None),
        (Method::GET, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Some("0")),
    ] {
        let world = World::answering(answer).await;
        let mut send = plain(&world).await;
        // Twice: whatever is too little or too much shows in the second.
        for _ in 0..2 {
            let mut request = get("/");
            *request.method_mut() = method.clone();
            let (_, headers, body, trailers) = ask(&mut send, request).await;
            let stated = headers.get("content-length").map(|value| value.to_str().expect("text"));
            assert_eq!(stated, length, "{method} {answer:?}");
            assert_eq!(
                body,
                answer.split("\r\n\r\n").nth(1).expect("a body"),
                "{method} {answer:?}"
            );
            assert!(trailers.is_none() && !headers.contains_key("transfer-encoding"));
        }
    }
}

#[tokio::test]
async fn large_heads_pass_and_giants_do_not() {
    let world = World::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let mut send = plain(&world).await;
    let mut request = get("/");
    request.headers_mut().insert("x-large", "x".repeat(63 * 1024).parse().expect("a value"));
    assert_eq!(ask(&mut send, request).await.0, 200);
    let mut request = get("/");
    request.headers_mut().insert("x-giant", "x".repeat(1 << 20).parse().expect("a value"));
    let (answer, _) = send.send_request(request, true).expect("a stream");
    match within(answer).await {
        Ok(answer) => assert_eq!(answer.status(), 431),
        Err(error) => assert!(error.is_reset() || error.is_go_away() || error.is_io(), "{error}"),
    }
    let mut send = plain(&world).await;
    assert_eq!(ask(&mut send, get("/")).await.0, 200);
}

#[tokio::test]
async fn so_many_streams_are_taken_at_a_time() {
    let world = World::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let stream = TcpStream::connect(world.http).await.expect("it listens");
    let (send, mut connection) = within(h2::client::handshake(stream)).await.expect("HTTP/2");
    let mut pings = connection.ping_pong().expect("the first to ask");
    let mut pong = std::pin::pin!(pings.ping(h2::Ping::opaque()));
    // Its settings come before.
    within(poll_fn(|cx| {
        let _open = std::pin::Pin::new(&mut connection).poll(cx);
        pong.as_mut().poll(cx)
    }))
    .await
    .expect("it lives");
    assert_eq!(connection.max_concurrent_send_streams(), 250);
    drop(send);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_reset() {
    let world = World::with(|mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").await;
    })
    .await;
    let mut send = plain(&world).await;
    let (answer, _) = send.send_request(get("/"), true).expect("a stream");
    let mut body = within(answer).await.expect("an answer").into_body();
    let mut last = within(body.data()).await.expect("something");
    while last.is_ok() {
        last = within(body.data()).await.expect("an error, not an end");
    }
    assert!(last.expect_err("broken").is_reset());
}

#[tokio::test]
async fn a_websocket_goes_from_http2_to_http1() {
    let world = World::with(|mut peer| async move {
        let head = peer.head().await;
        assert!(head.starts_with("GET /ws HTTP/1.1\r\n") && head.contains("\r\nUpgrade: websocket\r\n"), "{head}");
        let key = head.split("Sec-WebSocket-Key: ").nth(1).and_then(|rest| rest.split("\r\n").next()).expect("a key");
        let accept = crate::proxy::websocket::accept(key.as_bytes());
        let accept = if head.contains("x-lie") { "wrong".to_owned() } else { accept };
        peer.send(format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: chat\r\n\r\n")).await;
        let said = peer.exactly(5).await;
        peer.send(said).await;
    })
    .await;
    for lie in [false, true] {
        let mut send = open(world.tls("app.localhost", &["h2"]).await.expect("a handshake")).await;
        while !send.is_extended_connect_protocol_enabled() {
            tokio::task::yield_now().await;
        }
        let mut request = Request::builder()
            .method(Method::CONNECT)
            .version(Version::HTTP_2)
            .uri("https://app.localhost/ws")
            .header("sec-websocket-version", "13");
        if lie {
            request = request.header("x-lie", "1");
        }
        let mut request = request.body(()).expect("a request");
        request.extensions_mut().insert(Protocol::from_static("websocket"));
        let (answer, mut body) = send.send_request(request, false).expect("a stream");
        body.send_data(Bytes::from_static(b"hello"), lie).expect("sent");
        if lie {
            assert_eq!(within(answer).await.expect("an answer").status(), 502);
            continue;
        }
        let answer = within(answer).await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["sec-websocket-protocol"], "chat");
        assert!(!answer.headers().contains_key("sec-websocket-accept"));
        let mut echo = answer.into_body();
        assert_eq!(within(echo.data()).await.expect("data").expect("data"), "hello");
    }
}

#[tokio::test]
async fn a_flood_of_resets_leaves_the_connection_alive() {
    let world = World::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let mut send = plain(&world).await;
    for _ in 0..1000 {
        send = within(send.ready()).await.expect("it lives");
        let (answer, mut stream) = send.send_request(get("/"), false).expect("a stream");
        stream.send_reset(h2::Reason::CANCEL);
        drop(answer);
    }
    // While the flood is worked off a stream may be refused, which clients try again by themselves.
    for _ in 0..200 {
        send = within(send.ready()).await.expect("it lives");
        let (answer, _) = send.send_request(get("/"), true).expect("a stream");
        match within(answer).await {
            Ok(answer) => return assert_eq!(answer.status(), 200),
            Err(error) => assert_eq!(error.reason(), Some(h2::Reason::REFUSED_STREAM)),
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("refused for ever");
}

#[tokio::test]
async fn the_service_decides_whether_a_client_continues() {
    let world = World::with(|mut peer| async move {
        let head = peer.head().await.to_ascii_lowercase();
        assert!(head.contains("\r\nexpect: 100-continue\r\n"), "{head}");
        if head.starts_with("post /no ") {
            peer.send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n").await;
            peer.rest().await;
            return;
        }
        peer.send("HTTP/1.1 100 Continue\r\n\r\n").await;
        let body = peer.exactly(3).await;
        peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{body}")).await;
    })
    .await;
    let mut send = plain(&world).await;
    let post = |path| {
        let mut request = get(path);
        *request.method_mut() = Method::POST;
        let fields = request.headers_mut();
        fields.insert("expect", "100-continue".parse().expect("a value"));
        fields.insert("content-length", "3".parse().expect("a value"));
        request
    };
    let (mut answer, mut body) = send.send_request(post("/yes"), false).expect("a stream");
    let told = poll_fn(|cx| answer.poll_informational(cx));
    let told = within(told).await.expect("it is told first").expect("a head");
    assert_eq!(told.status(), 100);
    body.send_data(Bytes::from_static(b"abc"), true).expect("sent");
    let (status, _, text, _) = read(answer).await;
    assert_eq!((status, &*text), (200, "abc"));
    let mut send = within(send.ready()).await.expect("a stream");
    let (answer, body) = send.send_request(post("/no"), false).expect("a stream");
    assert_eq!(read(answer).await.0, 417);
    drop(body);
}
