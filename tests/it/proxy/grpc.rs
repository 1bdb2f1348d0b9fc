//! gRPC to a service that speaks HTTP/2 without TLS, and what such a service is asked by.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Version};
use tokio::{net::TcpStream, time::timeout};

use super::web;
use crate::support::{DEADLINE, Home, front::Front, svc};

fn grpc(lines: &str) -> String {
    format!("[services.grpc]\n{}\n{lines}\n", svc(["grpc", "forever"]))
}

/// Sends messages of a call one by one, each once the one before has come back.
fn call(front: &Front<'_>, host: &str, messages: &[&'static str]) -> (HeaderMap, HeaderMap) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let talk = talk(SocketAddr::from(([127, 0, 0, 1], front.http)), host, messages);
    runtime.expect("a runtime").block_on(async { timeout(DEADLINE, talk).await.expect("in time") })
}

async fn talk(to: SocketAddr, host: &str, messages: &[&'static str]) -> (HeaderMap, HeaderMap) {
    let stream = TcpStream::connect(to).await.expect("the proxy listens");
    let (send, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    tokio::spawn(connection);
    let request = Request::post(format!("http://{host}/service/call")).version(Version::HTTP_2);
    let request = request.header("te", "trailers").header("content-type", "application/grpc");
    let mut send = send.ready().await.expect("a stream");
    let request = request.body(()).expect("a request");
    let (answer, mut up) = send.send_request(request, false).expect("a stream");
    let mut answer = Some(answer);
    let (mut head, mut down) = (HeaderMap::new(), None);
    for message in messages {
        up.send_data(Bytes::from_static(message.as_bytes()), false).expect("sent");
        if let Some(answer) = answer.take() {
            let (parts, body) = answer.await.expect("an answer").into_parts();
            assert_eq!(parts.status, 200);
            head = parts.headers;
            down = Some(body);
        }
        let body = down.as_mut().expect("it has been answered");
        assert_eq!(body.data().await.expect("a message").expect("a message"), message.as_bytes());
    }
    up.send_data(Bytes::new(), true).expect("sent");
    let mut body = down.expect("it has been answered");
    assert!(body.data().await.is_none(), "more than was sent");
    (head, body.trailers().await.expect("an end").expect("trailers"))
}

#[test]
fn messages_go_both_ways_and_the_status_behind_them() {
    let home = Home::new();
    let (te, status) = (HeaderValue::from_static("trailers"), HeaderValue::from_static("0"));
    for (name, lines) in [("said", "protocol = \"h2c\""), ("found", "")] {
        let project = home.project(name, &grpc(lines));
        project.up();
        let (head, trailers) = call(&Front::of(&home), &format!("{name}.localhost"), &["a", "b"]);
        assert_eq!((&head["x-te"], &trailers["grpc-status"]), (&te, &status));
        // Nobody has asked it by another protocol.
        let log = project.locald(["logs", "grpc"]).ok().stdout;
        assert!(!log.contains("bogus"), "{log}");
        project.locald(["stop"]).ok();
    }
}

#[test]
fn a_script_reaches_a_service_that_speaks_http2_only() {
    let home = Home::new();
    home.project("shop", &grpc("")).up();
    let front = Front::of(&home);
    let answer = front.get("shop.localhost", "/");
    assert_eq!((answer.status, answer.field("x-te")), (200, vec!["none"]));
    let told = home.project("told", &grpc("protocol = \"http\""));
    told.up();
    let answer = front.get("told.localhost", "/");
    assert_eq!(answer.status, 502);
    assert!(answer.body.contains("it speaks HTTP/2"), "{}", answer.body);
}

#[test]
fn a_service_is_asked_by_what_the_edited_file_says() {
    let home = Home::new();
    let project = home.project("shop", &web("web", "protocol = \"h2c\""));
    project.up();
    let front = Front::of(&home);
    let answer = front.get("shop.localhost", "/");
    assert!(answer.status == 502 && answer.body.contains("HTTP/2"), "{answer:?}");
    let text = project.read("locald.toml").replace("\"h2c\"", "\"http\"");
    project.write("locald.toml", text);
    project.up();
    assert_eq!(front.get("shop.localhost", "/").body, "web /");
}
