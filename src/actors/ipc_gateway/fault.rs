//! `POST /v1/fault`: makes an actor panic, in a daemon that was started to be tested.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, extract::State, http::StatusCode};
use ractor::ActorStatus;
use serde::Deserialize;

use super::{
    Desk,
    reply::{Refused, Reply, read_json},
};
use crate::{
    api::error::Code,
    supervision::{
        fault::strike,
        plate::{ChildPlate, SupervisorPlate},
    },
};

/// How long the answer waits for the actor to be dead.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which actor.
#[derive(Debug, Deserialize)]
struct Whom {
    /// The names that lead to it from the root: `infra/cert-signer`.
    actor: String,
}

pub(super) async fn fault(State(desk): State<Arc<Desk>>, body: Body) -> Reply<StatusCode> {
    let Whom { actor } = read_json(body).await?;
    let cell = find(&desk.root, &actor)
        .and_then(|plate| plate.standing()?.cell.clone())
        .filter(|cell| cell.get_status() == ActorStatus::Running)
        .ok_or_else(|| Refused::new(Code::BadRequest, format!("no actor lives at {actor}")))?;
    tracing::warn!(%actor, "is made to panic, as a client asked");
    strike(&cell);
    // One that does not come to it within this time is told of by the tree.
    let _dead = cell.wait(Some(PATIENCE)).await;
    Ok(StatusCode::NO_CONTENT)
}

fn find(board: &SupervisorPlate, path: &str) -> Option<Arc<ChildPlate>> {
    let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let plate = board.children().iter().find(|plate| **plate.name() == *name)?.clone();
    match rest {
        Some(rest) => find(&*plate.below()?, rest),
        None => Some(plate),
    }
}
