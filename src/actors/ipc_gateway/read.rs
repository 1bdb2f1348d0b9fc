//! Answers to those who only look: version, status, events, environment.

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::{Json, body::Body, extract::State, response::Response};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::{
    Desk,
    reply::{Asked, Lines, Refused, Reply, lines, read_json},
};
use crate::{
    actors::{directory::Entry, process},
    api::{
        PROTOCOL,
        control::{EnvRequest, Environment},
        error::Code,
        status::{Daemon, Status},
        version::Version,
    },
    os::keep::{self, Line},
};

/// Those who watch are told at most this often.
const PACE: Duration = Duration::from_millis(50);

/// Which project somebody asks about; none: all.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    pub(super) dir: Option<PathBuf>,
}

/// Which events somebody asks for.
#[derive(Debug, Deserialize)]
pub(super) struct WhichEvents {
    dir: Option<PathBuf>,
    #[serde(default)]
    follow: bool,
    #[serde(default)]
    after: u64,
}

impl Desk {
    /// The project in that folder.
    pub(super) fn entry(&self, dir: &std::path::Path) -> Reply<Entry> {
        self.infra.directory.get(dir).ok_or_else(|| {
            let text = format!("the project in {} is not running", dir.display());
            Refused::new(Code::NoProject, text).hinted("`locald up` starts it")
        })
    }

    pub(super) fn status(&self, dir: Option<&PathBuf>) -> Status {
        self.infra.gate.refresh();
        let projects = self.infra.directory.all();
        let asked = |entry: &&Entry| dir.is_none_or(|dir| entry.board.dir == *dir);
        let mut projects: Vec<_> = projects
            .values()
            .filter(asked)
            .filter(|entry| is_listed(entry))
            .map(|entry| entry.board.present(&self.infra.gate))
            .collect();
        projects.sort_by(|a, b| a.name.cmp(&b.name));
        let daemon = Daemon {
            pid: std::process::id().cast_signed(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: self.since.elapsed().as_secs_f64(),
            socket: self.infra.places.socket.clone(),
            http: self.infra.gate.http,
            https: self.infra.gate.https,
            heart: keep::line().and_then(Line::heart),
        };
        Status { daemon, projects }
    }
}

pub(super) async fn version() -> Json<Version> {
    Json(Version {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: PROTOCOL,
        pid: std::process::id().cast_signed(),
        heart: keep::line().and_then(Line::heart),
    })
}

pub(super) async fn status(
    State(desk): State<Arc<Desk>>,
    Asked(which): Asked<Which>,
) -> Json<Status> {
    Json(desk.status(which.dir.as_ref()))
}

pub(super) async fn watch(State(desk): State<Arc<Desk>>, Asked(which): Asked<Which>) -> Response {
    let (lines, response) = lines();
    tokio::spawn(keep_telling(desk, which.dir, lines));
    response
}

pub(super) async fn events(
    State(desk): State<Arc<Desk>>,
    Asked(which): Asked<WhichEvents>,
) -> Reply<Response> {
    let project = match &which.dir {
        Some(dir) => Some(desk.entry(dir)?.board.name.to_string()),
        None => None,
    };
    let (lines, response) = lines();
    tokio::spawn(async move {
        let mut more = desk.infra.events.watch();
        let mut closing = desk.closing.subscribe();
        let mut after = which.after;
        loop {
            more.mark_unchanged();
            let mut events = desk.infra.events.since(after);
            after = events.last().map_or(after, |event| event.seq);
            events.retain(|event| project.is_none() || event.project == project);
            let read = lines.write_all(&events).await;
            if !read || !which.follow || *closing.borrow() {
                return;
            }
            tokio::select! {
                _ = more.changed() => {}
                _ = closing.changed() => {}
                () = lines.unread() => return,
            }
        }
    });
    Ok(response)
}

pub(super) async fn env(State(desk): State<Arc<Desk>>, body: Body) -> Reply<Json<Environment>> {
    let EnvRequest { dir, service, env, load, build } = read_json(body).await?;
    let entry = match desk.entry(&dir) {
        Ok(_) if load && build => desk.load(&dir).await?,
        Err(_) if load => desk.load(&dir).await?,
        there => there?,
    };
    let board = entry.board.service(&service);
    let board = board.ok_or_else(|| Refused::no_such_service(&entry.board, &service))?;
    let context = entry.context;
    let resolving = tokio::task::spawn_blocking(move || {
        if !build {
            let ports = context.ports.load_full();
            let launch = process::resolve(&context, &board.name, &ports, &env)?;
            return Ok(Environment { env: launch.env, workdir: launch.workdir, build: None });
        }
        let errand = process::build(&context, &board.name, &env)?;
        let errand = errand.ok_or_else(|| format!("{} has no `build`", board.name))?;
        Ok(Environment { env: errand.env, workdir: errand.dir, build: Some(errand.argv) })
    });
    let failed = |why: String| Refused::new(Code::Failed, why);
    let around = resolving.await.map_err(|error| failed(error.to_string()))?.map_err(failed)?;
    Ok(Json(around))
}

/// Whether it is known what the project consists of: just opened, it is not yet.
fn is_listed(entry: &Entry) -> bool {
    !entry.board.services().is_empty() || entry.context.plan.load().services.is_empty()
}

/// Tells the status now and after every change, at a pace.
async fn keep_telling(desk: Arc<Desk>, dir: Option<PathBuf>, lines: Lines) {
    let mut closing = desk.closing.subscribe();
    loop {
        let mut projects = desk.infra.directory.watch();
        let entries = desk.infra.directory.all();
        let asked = |entry: &&Entry| dir.as_ref().is_none_or(|dir| entry.board.dir == *dir);
        let mut bells: Vec<_> =
            entries.values().filter(asked).map(|entry| entry.board.watch()).collect();
        let told = Instant::now();
        if !lines.write(&desk.status(dir.as_ref())).await {
            return;
        }
        let any = async {
            let rings = bells.iter_mut().map(|bell| Box::pin(bell.changed()));
            if rings.len() == 0 {
                return std::future::pending().await;
            }
            // A bell rings for the last time when its project is gone, which `projects` tells.
            let _rung = futures_util::future::select_all(rings).await;
        };
        tokio::select! {
            () = any => {}
            _ = projects.changed() => {}
            _ = closing.wait_for(|closing| *closing) => return,
            () = lines.unread() => return,
        }
        sleep(PACE.saturating_sub(told.elapsed())).await;
    }
}
