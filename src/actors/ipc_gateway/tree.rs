//! `GET /v1/tree`: the live tree, read from the plates.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;

use super::{Desk, reply::Asked};
use crate::{
    api::tree::{Kind, Node},
    supervision::plate::{ChildPlate, SupervisorPlate},
};

/// How much of it somebody wants to see.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    dir: Option<std::path::PathBuf>,
    #[serde(default)]
    all: bool,
}

pub(super) async fn tree(State(desk): State<Arc<Desk>>, Asked(which): Asked<Which>) -> Json<Node> {
    let mut root = whole(&desk);
    if !which.all {
        let name = which
            .dir
            .and_then(|dir| desk.infra.directory.get(&dir))
            .map(|entry| format!("project:{}", entry.board.name));
        root.children.retain(|branch| branch.name == "projects");
        for branch in &mut root.children {
            branch.children.retain(|project| name.as_ref().is_none_or(|n| project.name == *n));
        }
    }
    Json(root)
}

/// All of it.
pub(super) fn whole(desk: &Desk) -> Node {
    let uptime = desk.since.elapsed().as_secs();
    Node {
        name: "locald".to_owned(),
        kind: Kind::Supervisor,
        strategy: Some(desk.root.strategy().to_owned()),
        state: "running".to_owned(),
        restarts: 0,
        max_restarts: None,
        window_s: None,
        detail: Some(format!("pid {}, up {uptime} s", std::process::id())),
        children: children(&desk.root),
    }
}

fn children(board: &SupervisorPlate) -> Vec<Node> {
    board.children().iter().map(node).collect()
}

fn node(plate: &Arc<ChildPlate>) -> Node {
    let standing = plate.standing();
    let below = plate.below();
    let alive = standing.as_ref().is_some_and(|standing| standing.phase.is_alive());
    Node {
        name: plate.name().to_string(),
        kind: if below.is_some() { Kind::Supervisor } else { Kind::Worker },
        strategy: below.as_ref().map(|board| board.strategy().to_owned()),
        state: plate.state().unwrap_or_else(|| {
            standing.as_ref().map_or("stopped", |standing| standing.word()).to_owned()
        }),
        restarts: standing.as_ref().map_or(0, |standing| standing.failures()),
        max_restarts: standing.as_ref().map(|standing| standing.limit().restarts),
        window_s: standing.as_ref().map(|standing| standing.limit().within.as_secs_f64()),
        detail: plate.detail(),
        // The children of a dead supervisor died with it.
        children: below.filter(|_| alive).map(|board| children(&board)).unwrap_or_default(),
    }
}
