//! `GET /v1/graph`: who needs whom, by the configuration in effect.

use std::sync::Arc;

use axum::{Json, extract::State};

use super::{
    Desk,
    read::Which,
    reply::{Asked, Refused, Reply},
};
use crate::api::{error::Code, graph::Graph, live::ProjectGraph};

pub(super) async fn graph(
    State(desk): State<Arc<Desk>>,
    Asked(which): Asked<Which>,
) -> Reply<Json<Graph>> {
    let dir = which.dir.ok_or_else(|| Refused::new(Code::BadRequest, "a graph is of a project"))?;
    Ok(Json(Graph::of(&desk.entry(&dir)?.context.plan.load())))
}

/// Those of all projects, by name.
pub(super) fn all(desk: &Desk) -> Vec<ProjectGraph> {
    let entries = desk.infra.directory.all();
    let graph = |entry: &crate::actors::directory::Entry| ProjectGraph {
        project: entry.board.name.to_string(),
        graph: Graph::of(&entry.context.plan.load()),
    };
    let mut graphs: Vec<ProjectGraph> = entries.values().map(graph).collect();
    graphs.sort_by(|a, b| a.project.cmp(&b.project));
    graphs
}
