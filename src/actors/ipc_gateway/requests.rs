//! `GET /v1/requests`: what the proxy remembers, merged by time, then what comes.

use std::{path::PathBuf, sync::Arc, time::SystemTime};

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use futures_util::future::select_all;
use tokio::sync::watch;

use super::{
    Desk,
    reply::{Lines, Refused, Reply, lines},
};
use crate::{
    actors::board::ProjectBoard,
    api::{error::Code, requests::Request},
    os::{
        clock::rfc3339,
        traffic::{self, Target},
    },
};

/// What somebody asks for.
#[derive(Debug, Default)]
struct Asked {
    dir: PathBuf,
    services: Vec<String>,
    follow: bool,
    last: Option<usize>,
}

/// A service, and how much of its log has been told.
struct Reader {
    target: Arc<Target>,
    more: watch::Receiver<u64>,
    seen: u64,
}

pub(super) async fn requests(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
) -> Reply<Response> {
    let asked = parse(query.as_deref().unwrap_or_default())?;
    let board = desk.entry(&asked.dir)?.board;
    if let Some(name) = asked.services.iter().find(|name| board.service(name).is_none()) {
        return Err(Refused::no_such_service(&board, name));
    }
    let (lines, response) = lines();
    tokio::spawn(tell(desk, board, asked, lines));
    Ok(response)
}

async fn tell(desk: Arc<Desk>, board: Arc<ProjectBoard>, asked: Asked, lines: Lines) {
    let mut closing = desk.closing.subscribe();
    let mut projects = desk.infra.directory.watch();
    let mut services = board.watch_routes();
    let mut readers = Vec::new();
    let mut last = asked.last;
    loop {
        projects.mark_unchanged();
        services.mark_unchanged();
        readers = readers_of(&board, &asked.services, readers);
        if !lines.write_all(&fresh(&board, &mut readers, last.take())).await || !asked.follow {
            return;
        }
        let there = desk.infra.directory.get(&board.dir);
        if there.is_none_or(|entry| !Arc::ptr_eq(&entry.board, &board)) {
            return;
        }
        let any = async {
            if readers.is_empty() {
                return std::future::pending().await;
            }
            // A log ends only with its target, which is held here.
            let _more = select_all(readers.iter_mut().map(|it| Box::pin(it.more.changed()))).await;
        };
        tokio::select! {
            () = any => {}
            _ = services.changed() => {}
            _ = projects.changed() => {}
            _ = closing.wait_for(|closing| *closing) => return,
            () = lines.unread() => return,
        }
    }
}

/// Those of all services that are asked for; a service that stays is read on.
fn readers_of(board: &ProjectBoard, names: &[String], mut old: Vec<Reader>) -> Vec<Reader> {
    let services = board.services();
    let asked = services.iter().filter(|service| {
        names.is_empty() || names.iter().any(|name| name == service.name.as_str())
    });
    asked
        .map(|service| {
            let same = old.iter().position(|it| Arc::ptr_eq(&it.target, &service.target));
            let new = || Reader {
                target: service.target.clone(),
                more: service.target.requests.follow(),
                seen: 0,
            };
            same.map_or_else(new, |nth| old.swap_remove(nth))
        })
        .collect()
}

/// What none of them has told yet, by time; of each the last `last`.
fn fresh(board: &ProjectBoard, readers: &mut [Reader], last: Option<usize>) -> Vec<Request> {
    let mut all: Vec<(SystemTime, Request)> = Vec::new();
    for reader in readers {
        reader.more.mark_unchanged();
        let (fresh, total) = reader.target.requests.since(reader.seen);
        reader.seen = total;
        let skipped = last.map_or(0, |last| fresh.len().saturating_sub(last));
        let service = reader.target.service.as_str();
        all.extend(
            fresh.into_iter().skip(skipped).map(|it| (it.at, present(&board.name, service, it))),
        );
    }
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, request)| request).collect()
}

fn present(project: &str, service: &str, request: traffic::Request) -> Request {
    let traffic::Request { at, method, path, status, bytes, took } = request;
    // As fine as a microsecond, so that it is short as text.
    let ms = (took.as_secs_f64() * 1e6).round() / 1e3;
    let (project, service) = (project.to_owned(), service.to_owned());
    Request { at: rfc3339(at), project, service, method, path, status, bytes, ms }
}

/// By hand, since `service` may come several times.
fn parse(query: &str) -> Reply<Asked> {
    let bad = |text: String| Refused::new(Code::BadRequest, text);
    let mut asked = Asked::default();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*key {
            "dir" => asked.dir = value.into_owned().into(),
            "service" => asked.services.push(value.into_owned()),
            "follow" => asked.follow = value == "true",
            "lines" => {
                let lines = value.parse();
                asked.last = Some(lines.map_err(|_| bad(format!("{value:?} is not a number")))?);
            }
            _ => return Err(bad(format!("there is no query parameter {key:?}"))),
        }
    }
    Ok(asked)
}
