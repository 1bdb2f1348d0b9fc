//! Which service, which host, which scheme.

use std::{sync::Arc, time::Duration};

use tokio::{net::TcpStream, time::Instant};

use super::world::{Peer, World, backend, up, within};
use crate::proxy::Settings;

fn get(host: &str, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
}

async fn named(name: &'static str) -> u16 {
    backend(move |mut peer: Peer| async move {
        peer.head().await;
        peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{name}")).await;
    })
    .await
}

#[tokio::test]
async fn hosts_and_paths_lead_to_services() {
    let world = World::new().await;
    up(&world.web, 1, named("web").await);
    up(&world.api, 1, named("api").await);
    for (host, path, name) in [
        ("app.localhost", "/", "web"),
        ("APP.LocalHost.:81", "/", "web"),
        ("app.localhost", "/api/x", "api"),
        ("app.localhost", "/apix", "web"),
        ("api.app.localhost", "/", "api"),
        ("else.app.localhost", "/api", "web"),
    ] {
        let answer = world.ask(&get(host, path)).await;
        assert!(answer.ends_with(name), "{host}{path}: {answer}");
    }
}

#[tokio::test]
async fn names_in_other_scripts_are_what_they_are_in_ascii() {
    let world = World::new().await;
    let answer = world.ask(&get("b\u{fc}cher.localhost", "/")).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(answer.contains("No project has the name xn--bcher-kva.localhost"), "{answer}");
}

#[tokio::test]
async fn strangers_learn_nothing() {
    let world = World::new().await;
    let answer =
        world.ask(&get("nobody.localhost", "/").replace("Host", "Accept: text/html\r\nHost")).await;
    let link = format!("http://app.localhost:{}/", world.http.port());
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains(&link), "{answer}");
    let answer =
        world.ask(&get("evil.com", "/").replace("Host", "Accept: text/html\r\nHost")).await;
    assert!(answer.starts_with("HTTP/1.1 404 ") && !answer.contains("app.localhost"), "{answer}");
}

#[tokio::test]
async fn the_dashboard_is_on_its_own_host_only() {
    let world = World::answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\napp").await;
    let ask = get("locald.localhost:1", "/x").replace("Host", "Origin: http://evil.com\r\nHost");
    let answer = world.ask(&ask).await;
    assert!(answer.contains("own_origin: \"http://locald.localhost:1\""), "{answer}");
    assert!(answer.contains("\"origin\": \"http://evil.com\""), "{answer}");
    assert!(world.ask(&get("app.localhost", "/v1/version")).await.ends_with("app"));
}

#[tokio::test]
async fn plain_http_where_tls_is_spoken_is_redirected() {
    let world = World::new().await;
    let mut client = Peer::new(TcpStream::connect(world.https).await.expect("it listens"));
    client.send(get("app.localhost", "/x?y")).await;
    let answer = client.rest().await;
    let location = format!("\r\nLocation: https://app.localhost:{}/x?y\r\n", world.https.port());
    assert!(answer.starts_with("HTTP/1.1 308 ") && answer.contains(&location), "{answer}");
}

#[tokio::test]
async fn http_is_redirected_when_the_settings_say_so() {
    let world = World::with(|mut peer| async move {
        let head = peer.head().await;
        assert!(head.contains("Upgrade: websocket"), "{head}");
        peer.send(
            "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )
        .await;
    })
    .await;
    let old = (**world.settings.load()).clone();
    world.settings.store(Arc::new(Settings { redirect_to_https: true, https_port: 443, ..old }));
    let answer = world.ask(&get("app.localhost:8080", "/x")).await;
    assert!(answer.contains("\r\nLocation: https://app.localhost/x\r\n"), "{answer}");
    assert!(world.ask(&get("evil.com", "/")).await.starts_with("HTTP/1.1 404 "));
    let upgrade = "GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let mut client = world.client().await;
    client.send(upgrade).await;
    assert!(client.head().await.starts_with("HTTP/1.1 426 "));
}

#[tokio::test]
async fn tls_is_for_one_host() {
    let world = World::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let stream = world.tls("app.localhost", &["http/1.1"]).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut client = Peer::new(stream);
    client.send("GET / HTTP/1.1\r\nHost: app.localhost:8443\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    client.exactly(2).await;
    client.send("GET / HTTP/1.1\r\nHost: other.localhost\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 421 "));
    // A name of ours that leads nowhere gets a certificate, and then a page.
    let mut client = Peer::new(world.tls("nobody.localhost", &[]).await.expect("a handshake"));
    client.send("GET / HTTP/1.1\r\nHost: nobody.localhost\r\nConnection: close\r\n\r\n").await;
    assert!(client.rest().await.starts_with("HTTP/1.1 404 "));
    // No SNI: the certificate is for this machine.
    let mut client = Peer::new(world.tls("127.0.0.1", &[]).await.expect("a handshake"));
    client.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").await;
    assert!(client.rest().await.starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn names_that_are_not_ours_are_not_recognized() {
    let world = World::new().await;
    let error = world.tls("evil.com", &[]).await.expect_err("refused").to_string();
    assert!(error.contains("UnrecognisedName"), "{error}");
}

#[tokio::test]
async fn a_listener_can_be_dropped_while_the_rest_goes_on() {
    let mut world = World::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let mut client = world.client().await;
    client.send("GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n").await;
    client.until("ok").await;
    world.listening.clear();
    client.send(get("app.localhost", "/")).await;
    assert!(client.rest().await.ends_with("ok"));
}

#[tokio::test]
async fn requests_under_way_end_before_the_proxy_does() {
    let mut world = World::with(|mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nso").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        peer.send("on").await;
    })
    .await;
    let mut idle = world.client().await;
    let mut busy = world.client().await;
    busy.send("GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n").await;
    busy.until("so").await;
    let start = Instant::now();
    let engine = world.engine.take().expect("it runs");
    within(engine.drain(Duration::from_secs(10))).await;
    drop(engine);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(busy.rest().await, "on");
    assert_eq!(idle.rest().await, "");
}
