//! `GET /v1/why`: why a service is in its state.

use std::{path::PathBuf, sync::Arc};

use axum::{Json, extract::State};
use serde::Deserialize;
use tokio::time::Instant;

use super::{
    Desk,
    reply::{Asked, Refused, Reply},
};
use crate::{
    actors::board::{Needed, Past, View, exit},
    api::why::{Blocker, Intensity, PastExit, Why},
    core::plan::Condition,
};

/// So many of its last lines are shown.
const LINES: usize = 5;

/// Which service.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    dir: PathBuf,
    service: String,
}

pub(super) async fn why(
    State(desk): State<Arc<Desk>>,
    Asked(which): Asked<Which>,
) -> Reply<Json<Why>> {
    let entry = desk.entry(&which.dir)?;
    let board = entry.board.service(&which.service);
    let board = board.ok_or_else(|| Refused::no_such_service(&entry.board, &which.service))?;
    let (project, name) = (entry.board.name.clone(), board.name.clone());
    let sinks = desk.infra.logs.sinks(project, vec![name]).await?;
    let waiting_for = board.waiting_for();
    let view = board.read(View::clone);
    let now = Instant::now();
    Ok(Json(Why {
        service: board.name.to_string(),
        state: view.state(),
        reason: view.reason(&waiting_for, now),
        waiting_for: waiting_for.iter().map(blocker).collect(),
        restarts: view.births.saturating_sub(1),
        exits: view.exits.iter().map(past).collect(),
        intensity: Intensity {
            used: view.counted(now),
            max_restarts: view.limit.restarts,
            window_s: view.limit.within.as_secs_f64(),
        },
        next_start_s: view.next_start.map(|at| at.saturating_duration_since(now).as_secs_f64()),
        last_cause: view.cause,
        wanted: view.wanted,
        last_lines: sinks.first().map(|sink| sink.last_lines(LINES, None)).unwrap_or_default(),
    }))
}

fn blocker(need: &Needed) -> Blocker {
    let condition = match need.condition {
        Condition::Started => "started",
        Condition::Healthy => "healthy",
        Condition::Completed => "completed",
    };
    Blocker {
        service: need.board.name.to_string(),
        condition: condition.to_owned(),
        state: need.board.read(View::state),
    }
}

fn past(past: &Past) -> PastExit {
    PastExit { how: exit(past), cause: past.history() }
}
