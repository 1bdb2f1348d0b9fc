//! `WebSockets` and other upgrades.

use tokio::io::AsyncWriteExt as _;

use super::world::{Peer, World};

const ASK: &str = "GET /ws HTTP/1.1\r\nHost: app.localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
const ACCEPT: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

#[tokio::test]
async fn bytes_go_both_ways_until_both_have_ended() {
    let world = World::with(|mut peer| async move {
        let head = peer.head().await;
        for field in [
            "\r\nConnection: Upgrade\r\n",
            "\r\nUpgrade: WebSocket\r\n",
            "\r\nSec-WebSocket-Protocol: chat\r\n",
        ] {
            assert!(head.contains(field), "{head}");
        }
        peer.send(format!("{ACCEPT}hello")).await;
        let said = peer.exactly(5).await;
        peer.send(said).await;
        assert_eq!(peer.rest().await, "bye", "its half is closed, ours is not");
        peer.send("last words").await;
    })
    .await;
    let mut client = world.client().await;
    // What is sent before there is a tunnel waits for it.
    client.send(format!("{ASK}early")).await;
    let head = client.head().await;
    assert!(
        head.starts_with("HTTP/1.1 101 ") && head.contains("\r\nUpgrade: websocket\r\n"),
        "{head}"
    );
    assert!(
        head.contains("\r\nConnection: Upgrade\r\n")
            && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "{head}"
    );
    assert_eq!(client.exactly(10).await, "helloearly");
    client.send("bye").await;
    client.stream.shutdown().await.expect("half closed");
    assert_eq!(client.rest().await, "last words");
}

#[tokio::test]
async fn a_tunnel_goes_through_tls() {
    let world = World::with(|mut peer| async move {
        peer.head().await;
        peer.send(ACCEPT).await;
        let said = peer.exactly(70_000).await;
        peer.send(said).await;
    })
    .await;
    let mut client =
        Peer::new(world.tls("app.localhost", &["http/1.1"]).await.expect("a handshake"));
    client.send(ASK).await;
    client.head().await;
    let said = "x".repeat(70_000);
    client.send(&said).await;
    assert_eq!(client.rest().await, said);
}

#[tokio::test]
async fn a_refused_upgrade_is_an_answer_like_any_other() {
    let world = World::answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await;
    let mut client = world.client().await;
    for _ in 0..2 {
        client.send(ASK).await;
        assert!(client.head().await.starts_with("HTTP/1.1 403 "));
        assert_eq!(client.exactly(2).await, "no");
    }
}
