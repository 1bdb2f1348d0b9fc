//! Requests that come before their service can take them.

use std::{
    io::Write as _,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use crate::support::{Front, Home, Project, http, svc};

/// A project whose service waits at the gate `go` before it listens.
fn slow(home: &Home) -> Project<'_> {
    let web = svc(["gate=go", "web=web", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{web}\n"));
    project.gate("go");
    let up = project.locald(["up"]).start();
    project.open("go");
    up.end().exits(0);
    project
}

#[test]
fn a_request_during_a_restart_waits_and_is_delivered_once() {
    let home = Home::new();
    let project = slow(&home);
    let front = Front::of(&home);
    let restart = project.locald(["restart", "web"]).start();
    project.until_state("web", "starting");
    let held: Vec<_> = (0..10)
        .map(|n| {
            let mut stream = front.connect();
            let body = format!("order {n}");
            let request = format!(
                "POST /record HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(request.as_bytes()).unwrap();
            stream
        })
        .collect();
    let mut reading = front.connect();
    reading
        .write_all(b"GET /x HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    project.open("go");
    for stream in held {
        let answer = http::read(stream).unwrap();
        assert_eq!((answer.status, &*answer.body), (200, "recorded"));
    }
    assert_eq!(http::read(reading).unwrap().body, "web /x");
    restart.end().exits(0);
    let mut posts = project.lines("posts");
    posts.sort();
    assert_eq!(posts, (0..10).map(|n| format!("order {n}")).collect::<Vec<_>>());
}

#[test]
fn a_person_sees_that_it_starts_and_a_script_waits() {
    let home = Home::new();
    let project = slow(&home);
    let front = Front::of(&home);
    let restart = project.locald(["restart", "web"]).start();
    project.until_state("web", "starting");
    let page = front.visit("shop.localhost", "/");
    assert_eq!(page.status, 503);
    assert!(page.body.contains("shop/web is starting"), "{}", page.body);
    assert_eq!(page.field("cache-control"), ["no-store"]);
    assert_eq!(page.field("retry-after").len(), 1);
    for outside in ["http://", "https://", "src="] {
        assert!(!page.body.contains(outside), "{outside} in {}", page.body);
    }
    project.open("go");
    restart.end().exits(0);
    assert_eq!(front.visit("shop.localhost", "/").body, "web /");
}

#[test]
fn who_waits_for_a_service_that_is_stopped_is_told() {
    let home = Home::new();
    let project = slow(&home);
    let front = Front::of(&home);
    let restart = project.locald(["restart", "web"]).start();
    project.until_state("web", "starting");
    let mut waiting = front.connect();
    waiting
        .write_all(b"GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    project.locald(["stop", "web"]).ok();
    assert_eq!(http::read(waiting).unwrap().status, 503);
    restart.end();
}

#[test]
fn a_service_that_restarts_under_load_loses_no_request() {
    let home = Home::new();
    let project = super::shop(&home);
    let front = Front::of(&home);
    let done = AtomicBool::new(false);
    let statuses = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut statuses = Vec::new();
            // At least one after the last restart.
            loop {
                let last = done.load(Ordering::Acquire);
                statuses.push(front.get("shop.localhost", "/").status);
                if last {
                    return statuses;
                }
            }
        });
        for _ in 0..3 {
            project.locald(["restart", "web"]).ok();
        }
        done.store(true, Ordering::Release);
        asking.join().unwrap()
    });
    assert!(statuses.len() > 3 && statuses.iter().all(|&status| status == 200), "{statuses:?}");
}
