//! Requests for services that are on their way, and pages for those that are not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::world::{Peer, World, backend, coming, down, up, within};
use crate::proxy::Settings;

const NAVIGATION: &str = "GET / HTTP/1.1\r\nHost: app.localhost\r\nAccept: text/html,*/*;q=0.8\r\n\
Sec-Fetch-Mode: navigate\r\nConnection: close\r\n\r\n";
const FETCH: &str = "GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n";

fn hold(world: &World, hold: Duration) {
    world.settings.store(Arc::new(Settings { hold, ..(**world.settings.load()).clone() }));
}

#[tokio::test]
async fn a_held_request_is_delivered_once() {
    let world = World::new().await;
    coming(&world.web);
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let port = backend(move |mut peer: Peer| {
        let counter = counter.clone();
        async move {
            peer.head().await;
            let body = peer.exactly(3).await;
            counter.fetch_add(1, Ordering::Relaxed);
            peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{body}")).await;
        }
    })
    .await;
    let mut clients = Vec::new();
    for n in 0..100 {
        let mut client = world.client().await;
        let head = "POST / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\nContent-Length: 3\r\n\r\n";
        client.send(format!("{head}{n:03}")).await;
        clients.push((n, client));
    }
    sleep(Duration::from_millis(100)).await;
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    up(&world.web, 1, port);
    for (n, mut client) in clients {
        let answer = client.rest().await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with(&format!("{n:03}")),
            "{answer}"
        );
    }
    assert_eq!(asked.load(Ordering::Relaxed), 100);
}

#[tokio::test]
async fn a_restart_under_load_loses_nothing() {
    let world = World::new().await;
    let serve = |life: u32| {
        move |mut peer: Peer| async move {
            while !peer.head().await.is_empty() {
                peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{life}")).await;
            }
        }
    };
    up(&world.web, 1, backend(serve(1)).await);
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = world.client().await;
        clients.push(tokio::spawn(async move {
            let mut last = String::new();
            for _ in 0..200 {
                client.send("GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n").await;
                assert!(client.head().await.starts_with("HTTP/1.1 200"));
                last = client.exactly(1).await;
                sleep(Duration::from_millis(1)).await;
            }
            last
        }));
    }
    for life in 2..5 {
        sleep(Duration::from_millis(40)).await;
        coming(&world.web);
        let port = backend(serve(life)).await;
        sleep(Duration::from_millis(20)).await;
        up(&world.web, life, port);
    }
    for client in clients {
        assert_eq!(within(client).await.expect("no error"), "4");
    }
}

#[tokio::test]
async fn who_waits_too_long_is_told() {
    let world = World::new().await;
    coming(&world.web);
    hold(&world, Duration::from_millis(200));
    let answer = world.ask(FETCH).await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: 5\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains("application/problem+json") && answer.contains("\"state\":\"coming\""),
        "{answer}"
    );
}

#[tokio::test]
async fn a_person_gets_a_page_that_looks_again() {
    let world = World::new().await;
    coming(&world.web);
    let start = Instant::now();
    let answer = world.ask(NAVIGATION).await;
    assert!(
        start.elapsed() > Duration::from_millis(1400) && start.elapsed() < Duration::from_secs(10)
    );
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    for part in [
        "Retry-After: 2",
        "Cache-Control: no-store",
        "text/html",
        "app/web is starting",
        "&lt;last line&gt;",
        "location.reload()",
    ] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
}

#[tokio::test]
async fn a_service_that_comes_in_time_is_all_a_person_sees() {
    let world = World::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let phase = world.web.now();
    coming(&world.web);
    let mut client = world.client().await;
    client.send(NAVIGATION).await;
    sleep(Duration::from_millis(100)).await;
    world.web.publish(phase);
    assert!(client.rest().await.ends_with("ok"));
}

#[tokio::test]
async fn one_that_gives_up_ends_the_waiting() {
    let world = World::new().await;
    coming(&world.web);
    let mut client = world.client().await;
    client.send(FETCH).await;
    sleep(Duration::from_millis(50)).await;
    let start = Instant::now();
    down(&world.web);
    let answer = client.rest().await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("\"why\":\"a reason\""),
        "{answer}"
    );
    assert!(start.elapsed() < Duration::from_secs(5));
    let page = world.ask(NAVIGATION).await;
    assert!(page.contains("does not run") && !page.contains("http-equiv=\"refresh\""), "{page}");
}

#[tokio::test]
async fn pages_ask_how_it_stands_and_never_the_service() {
    let world = World::answering("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope").await;
    let watch = FETCH.replace("\r\n\r\n", "\r\nX-Locald-Watch: 1\r\n\r\n");
    assert!(world.ask(&watch).await.contains("\"phase\":\"up\""));
    coming(&world.web);
    assert!(world.ask(&watch).await.contains("\"phase\":\"coming\""));
    down(&world.web);
    assert!(world.ask(&watch).await.contains("\"phase\":\"down\""));
}

#[tokio::test]
async fn requests_are_remembered() {
    let world = World::answering("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok").await;
    let mut follower = world.web.requests.follow();
    world.ask("POST /x?y HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n").await;
    within(follower.changed()).await.expect("told");
    let (requests, total) = world.web.requests.since(0);
    let request = &requests[0];
    assert_eq!(
        (&*request.method, &*request.path, request.status, request.bytes, total),
        ("POST", "/x?y", 201, 2, 1)
    );
}
