//! HTTP/2 beyond what curl can say.

use bytes::Bytes;
use h2::{Reason, client::SendRequest, ext::Protocol};
use http::{Method, Request, Version};
use tokio::{net::TcpStream, task::yield_now, time::timeout};

use super::shop;
use crate::support::{DEADLINE, Home, front::Front};

/// Does something on one connection, by prior knowledge.
fn talk<F: Future<Output = ()>>(front: &Front<'_>, act: impl FnOnce(SendRequest<Bytes>) -> F) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let conversation = async {
        let io = TcpStream::connect(("127.0.0.1", front.http)).await.expect("the proxy listens");
        let (send, connection) = h2::client::handshake(io).await.expect("it speaks HTTP/2");
        let connection = tokio::spawn(connection);
        act(send).await;
        connection.abort();
    };
    let ended = runtime.block_on(async { timeout(DEADLINE, conversation).await });
    ended.expect("it does not take so long");
}

fn get(path: &str) -> Request<()> {
    let uri = format!("http://shop.localhost{path}");
    Request::builder().version(Version::HTTP_2).uri(uri).body(()).expect("a request")
}

#[test]
fn a_websocket_passes_both_ways() {
    let home = Home::new();
    let _shop = shop(&home);
    talk(&Front::of(&home), async |mut send| {
        while !send.is_extended_connect_protocol_enabled() {
            yield_now().await;
        }
        let (method, uri) = (Method::CONNECT, "http://shop.localhost/ws");
        let request = Request::builder().version(Version::HTTP_2).method(method).uri(uri);
        let mut request = request.header("sec-websocket-version", "13").body(()).unwrap();
        request.extensions_mut().insert(Protocol::from_static("websocket"));
        let (answer, mut up) = send.send_request(request, false).unwrap();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(!answer.headers().contains_key("sec-websocket-accept"));
        let mut down = answer.into_body();
        for size in [1, 125, 50_000_u32] {
            let sent: Vec<u8> = (0..size).map(|n| n.to_le_bytes()[0]).collect();
            up.send_data(sent.clone().into(), false).unwrap();
            let mut came = Vec::new();
            while came.len() < sent.len() {
                let piece = down.data().await.expect("it is open").unwrap();
                down.flow_control().release_capacity(piece.len()).unwrap();
                came.extend_from_slice(&piece);
            }
            assert!(came == sent, "{size} bytes came back changed");
        }
        up.send_data(Bytes::new(), true).unwrap();
        while let Some(piece) = down.data().await {
            assert_eq!(piece.unwrap(), "", "the service has closed its half");
        }
    });
}

#[test]
fn a_thousand_resets_leave_the_connection_alive() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    talk(&front, async |mut send| {
        for _ in 0..1000 {
            send = send.ready().await.expect("it lives");
            let (answer, mut stream) = send.send_request(get("/"), false).unwrap();
            stream.send_reset(Reason::CANCEL);
            drop(answer);
        }
        // A stream that is refused meanwhile is one that clients try again by themselves.
        for _ in 0..1000 {
            send = send.ready().await.expect("it lives");
            let (answer, _) = send.send_request(get("/after"), true).unwrap();
            match answer.await {
                Ok(answer) => {
                    assert_eq!(answer.status(), 200);
                    let body = answer.into_body().data().await.expect("a body").unwrap();
                    assert_eq!(body, "web /after");
                    return;
                }
                Err(error) => assert_eq!(error.reason(), Some(Reason::REFUSED_STREAM)),
            }
            yield_now().await;
        }
        panic!("refused for ever");
    });
    assert_eq!(front.get("shop.localhost", "/").body, "web /");
}
