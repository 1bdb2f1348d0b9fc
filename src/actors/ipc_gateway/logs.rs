//! `GET /v1/logs`: history merged by time, then what comes.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};

use super::{
    Desk,
    reply::{Lines, Refused, Reply, lines},
};
use crate::{
    api::{
        error::Code,
        log::{Line, Stream},
    },
    core::{
        id::ServiceName,
        log::{self, Filter, Stamp, StoredLine},
    },
    os::logs::{Merge, Start},
};

/// What somebody asks for.
#[derive(Debug, Default)]
struct Asked {
    dir: std::path::PathBuf,
    services: Vec<String>,
    follow: bool,
    last: Option<usize>,
    filter: Filter,
}

pub(super) async fn logs(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
) -> Reply<Response> {
    let asked = parse(query.as_deref().unwrap_or_default())?;
    let entry = desk.entry(&asked.dir)?;
    let mut names: Vec<ServiceName> = Vec::new();
    for name in &asked.services {
        let board = entry.board.service(name);
        let board = board.ok_or_else(|| Refused::no_such_service(&entry.board, name))?;
        names.push(board.name.clone());
    }
    if names.is_empty() {
        names = entry.board.services().iter().map(|board| board.name.clone()).collect();
    }
    let project = entry.board.name.clone();
    let sinks = desk.infra.logs.sinks(project.clone(), names.clone()).await?;
    let start = asked.last.map_or(Start::All, Start::Last);
    let mut followers = Vec::new();
    for (name, sink) in names.into_iter().zip(sinks) {
        let follower = sink.follower(start, asked.filter.clone()).await.map_err(|error| {
            Refused::new(Code::Failed, format!("cannot read the log of {name}: {error}"))
        })?;
        followers.push((name, follower));
    }
    let (lines, response) = lines();
    let project = project.to_string();
    tokio::spawn(tell(desk, project, Merge::new(followers), asked.follow, lines));
    Ok(response)
}

async fn tell(
    desk: Arc<Desk>,
    project: String,
    mut merge: Merge<ServiceName>,
    follow: bool,
    lines: Lines,
) {
    let mut closing = desk.closing.subscribe();
    loop {
        let batch = tokio::select! {
            batch = merge.next_batch(follow) => batch,
            _ = closing.wait_for(|closing| *closing), if follow => return,
            () = lines.unread() => return,
        };
        let batch = match batch {
            Ok(Some(batch)) => batch,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "cannot read a log");
                continue;
            }
        };
        let batch: Vec<Line> =
            batch.iter().map(|(service, stored)| line(&project, service, stored)).collect();
        if !lines.write_all(&batch).await {
            return;
        }
    }
}

fn line(project: &str, service: &ServiceName, stored: &StoredLine) -> Line {
    Line {
        at: stored.at.as_str().to_owned(),
        project: project.to_owned(),
        service: service.to_string(),
        stream: match stored.stream {
            log::Stream::Out => Stream::Out,
            log::Stream::Err | log::Stream::Sys => Stream::Err,
        },
        line: stored.text().into_owned(),
    }
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
            "since" => {
                let stamp = Stamp::parse(value.as_bytes());
                asked.filter.since =
                    Some(stamp.ok_or_else(|| bad(format!("{value:?} is not a time")))?);
            }
            "grep" => {
                let regex = regex::bytes::Regex::new(&value);
                asked.filter.grep = Some(regex.map_err(|error| bad(error.to_string()))?);
            }
            _ => return Err(bad(format!("there is no query parameter {key:?}"))),
        }
    }
    Ok(asked)
}
