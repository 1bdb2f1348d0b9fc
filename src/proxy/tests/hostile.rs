//! Clients that mean no good, or have none left.

use std::time::Duration;

use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::sleep};

use super::world::{Peer, World, within};

const GET: &str = "GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn assert_served(world: &World) {
    assert!(world.ask(GET).await.ends_with("ok"));
}

#[tokio::test]
async fn half_open_connections_harm_no_one() {
    let world = World::answering(OK).await;
    let mut half = Vec::new();
    for n in 0..700 {
        let address = if n % 2 == 0 { world.https } else { world.http };
        let mut stream = within(TcpStream::connect(address)).await.expect("it takes connections");
        let begun: &[u8] = if n % 2 == 0 { &[22, 3, 1, 2, 0, 1] } else { b"GET / HT" };
        stream.write_all(if n % 4 < 2 { &begun[..1] } else { begun }).await.ok();
        half.push(stream);
    }
    assert_served(&world).await;
    let mut client = Peer::new(world.tls("app.localhost", &[]).await.expect("a handshake"));
    client.send(GET).await;
    assert!(client.rest().await.ends_with("ok"));
}

#[tokio::test]
async fn noise_is_dropped() {
    let world = World::answering(OK).await;
    for noise in [
        &b"\0\0\0\0\0\0\0\0"[..],
        b"\x16\x03\x01\x00\x05hello",
        b"\x80\x2e\x01\x00",
        b"\x16\x16\x16\x16\x16\x16\x16\x16\x16",
    ] {
        for address in [world.http, world.https] {
            let mut client = Peer::new(TcpStream::connect(address).await.expect("it listens"));
            client.send(noise).await;
            client.stream.shutdown().await.ok();
            client.broken().await;
        }
    }
    assert_served(&world).await;
}

#[tokio::test]
async fn a_client_that_stops_reading_stops_the_service_too() {
    let world = World::with(|mut peer| async move {
        let head = peer.head().await;
        if head.contains("GET /big") {
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n").await;
            let piece = vec![0; 1 << 20];
            let mut sent = 0;
            // It blocks long before the end.
            while tokio::time::timeout(Duration::from_millis(500), peer.stream.write_all(&piece))
                .await
                .is_ok()
            {
                sent += 1;
                assert!(sent < 100, "somebody keeps all that");
            }
            return;
        }
        peer.send(OK).await;
    })
    .await;
    let mut client = world.client().await;
    client.send("GET /big HTTP/1.1\r\nHost: app.localhost\r\n\r\n").await;
    client.head().await;
    sleep(Duration::from_millis(300)).await;
    assert_served(&world).await;
    assert!(client.broken().await.is_some());
}

#[tokio::test]
async fn clients_that_break_off_leave_nothing_behind() {
    let world = World::answering(OK).await;
    for _ in 0..200 {
        let mut client = world.client().await;
        client.send("GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n").await;
        client.stream.set_zero_linger().expect("a socket option");
    }
    assert_served(&world).await;
    let engine = world.engine.as_ref().expect("it runs");
    for _ in 0..200 {
        if engine.connections() == 0 {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("{} connections are left", engine.connections());
}
