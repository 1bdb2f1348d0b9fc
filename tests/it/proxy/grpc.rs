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

/// A call that never gets to a service: the head of what comes instead, which is all of it.
fn refused(front: &Front<'_>, host: &str, path: &str) -> HeaderMap {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let to = SocketAddr::from(([127, 0, 0, 1], front.http));
    let ask = async {
        let stream = TcpStream::connect(to).await.expect("the proxy listens");
        let (mut send, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
        tokio::spawn(connection);
        let request = Request::post(format!("http://{host}{path}")).version(Version::HTTP_2);
        let request = request.header("te", "trailers").header("accept", "text/html");
        let request = request.header("content-type", "application/grpc+proto");
        let request = request.body(()).expect("a request");
        // The call goes on: nobody has said that all of it was sent.
        let (answer, mut up) = send.send_request(request, false).expect("a stream");
        up.send_data(Bytes::from_static(b"message"), false).expect("sent");
        let (parts, body) = answer.await.expect("an answer").into_parts();
        assert!(body.is_end_stream(), "trailers only: {parts:?}");
        assert_eq!(parts.status, 200);
        assert_eq!(parts.headers["content-type"], "application/grpc");
        parts.headers
    };
    runtime.expect("a runtime").block_on(async { timeout(DEADLINE, ask).await.expect("in time") })
}

#[test]
fn what_cannot_be_answered_is_told_as_the_status_of_a_call() {
    let home = Home::new();
    home.write("config/config.toml", "[proxy]\nredirect_https = \"always\"\nhold = \"300ms\"\n");
    let gated = svc(["gate=go", "grpc", "forever"]);
    let services = [
        grpc("protocol = \"h2c\""),
        web("web", "protocol = \"h2c\""),
        format!("[services.late]\n{gated}\nautostart = false\n"),
    ];
    let project = home.project("shop", &services.concat());
    project.up();
    let front = Front::of(&home);
    let told = |host: &str, code: &str, text: &str| {
        let head = refused(&front, host, "/service/call");
        assert_eq!(head["grpc-status"], code, "{head:?}");
        let message = head["grpc-message"].to_str().expect("visible characters");
        assert!(message.contains(text) && !message.contains('"'), "{text:?} in {message:?}");
    };
    // UNIMPLEMENTED, UNKNOWN, UNAVAILABLE thrice: it speaks otherwise, comes, does not run.
    told("nobody.localhost", "12", "No project has the name nobody.localhost");
    told("web.shop.localhost", "14", "does not speak HTTP/2 without TLS");
    project.gate("go");
    project.locald(["start", "--no-wait", "late"]).ok();
    told("late.shop.localhost", "14", "shop/late has not come up yet");
    project.open("go");
    project.locald(["stop", "grpc"]).ok();
    told("grpc.shop.localhost", "14", "shop/grpc does not run");
    // Who speaks HTTP only is told as before.
    assert_eq!(
        front
            .curl("grpc.shop.localhost", "/")
            .args(["-w", " %{http_code}"])
            .ok()
            .stdout
            .rsplit(' ')
            .next(),
        Some("503")
    );
}

#[test]
fn a_health_check_asks_by_what_the_service_speaks() {
    let home = Home::new();
    let check = "health_check = { path = \"/ready\", interval = \"20ms\" }";
    for (name, lines, greetings) in [("said", "protocol = \"h2c\"\n", 0), ("found", "", 1)] {
        let project = home.project(name, &grpc(&format!("{lines}{check}")));
        project.up();
        // It goes on being well.
        let asked = || project.locald(["logs", "grpc"]).ok().stdout;
        crate::support::eventually("checks", || {
            (asked().matches("asked /ready").count() > 5).then_some(())
        });
        assert_eq!(project.service("grpc").state(), "healthy");
        assert_eq!(asked().matches("bogus").count(), greetings, "{}", asked());
        project.locald(["down"]).ok();
    }
    let short = check.replace(" }", ", start_period = \"300ms\" }\nmax_restarts = 0");
    let told = home.project("told", &grpc(&format!("protocol = \"http\"\n{short}")));
    told.locald(["up"]).fails(1);
    let log = told.locald(["logs", "grpc"]).ok().stdout;
    assert!(log.contains("bogus") && !log.contains("asked"), "{log}");
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
    // Its first request has a body, of which nothing is lost.
    let body = "x".repeat(300_000);
    let answer = front.post("shop.localhost", "/", &body);
    assert_eq!((answer.status, answer.field("x-te")), (200, vec!["none"]));
    assert_eq!(answer.body.len(), body.len());
    assert_eq!(front.get("shop.localhost", "/").status, 200);
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
