//! Commands of the page: start, stop and restart, of projects that are there.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde::Deserialize;

use super::door::Refusal;
use crate::{actors::ipc_gateway::Desk, api::control};

/// What can be commanded: nothing that would run what is not configured.
const COMMANDS: [&str; 3] = ["/v1/start", "/v1/stop", "/v1/restart"];

/// The body of a command.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    project: String,
    #[serde(default)]
    services: Vec<String>,
    #[serde(default)]
    cascade: bool,
}

/// What the socket API is asked for it.
pub(super) fn request(desk: &Desk, path: &str, body: &Bytes) -> Result<Request<Bytes>, Refusal> {
    if !COMMANDS.contains(&path) {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "there is no such command"));
    }
    let bad = |_| Refusal::new(StatusCode::BAD_REQUEST, "a command names a project and services");
    let asked: Asked = serde_json::from_slice(body).map_err(bad)?;
    let entries = desk.infra.directory.all();
    let entry = entries.values().find(|entry| entry.board.name.as_str() == asked.project);
    let entry = entry.ok_or(Refusal::new(StatusCode::NOT_FOUND, "there is no such project"))?;
    let command = control::Request {
        dir: entry.board.dir.clone(),
        services: asked.services,
        cascade: asked.cascade,
        // What becomes of it is seen live.
        no_wait: true,
        as_before: true,
        ..control::Request::default()
    };
    let body = serde_json::to_vec(&command).expect("plain data can always be written");
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = path.parse().expect("it is one of ours");
    Ok(request)
}
