//! Which path leads where.

use std::sync::Arc;

use axum::{
    Router,
    http::{Method, Uri},
    routing::{get, post},
};

use super::{
    Desk, attach, check, control, dashboard, fault, graph, hold, live, logs, read, reply::Refused,
    requests, tree, upgrade, why,
};
use crate::api::error::Code;

/// All of SPEC §5.
pub fn router(desk: Arc<Desk>) -> Router {
    let faults = desk.faults;
    let mut router = Router::new()
        .route("/v1/version", get(read::version))
        .route("/v1/status", get(read::status))
        .route("/v1/watch", get(read::watch))
        .route("/v1/events", get(read::events))
        .route("/v1/env", post(read::env))
        .route("/v1/live", get(live::live))
        .route("/v1/tree", get(tree::tree))
        .route("/v1/graph", get(graph::graph))
        .route("/v1/check", get(check::check))
        .route("/v1/why", get(why::why))
        .route("/v1/logs", get(logs::logs))
        .route("/v1/requests", get(requests::requests))
        .route("/v1/up", post(control::up))
        .route("/v1/start", post(control::start))
        .route("/v1/stop", post(control::stop))
        .route("/v1/restart", post(control::restart))
        .route("/v1/reset", post(control::reset))
        .route("/v1/down", post(control::down))
        .route("/v1/attach", post(attach::attach))
        .route("/v1/hold", post(hold::hold))
        .route("/v1/dashboard", post(dashboard::invite))
        .route("/v1/upgrade", post(upgrade::upgrade))
        .route("/v1/shutdown", post(control::shutdown));
    if faults {
        router = router.route("/v1/fault", post(fault::fault));
    }
    router.fallback(unknown).method_not_allowed_fallback(unknown).with_state(desk)
}

async fn unknown(method: Method, uri: Uri) -> Refused {
    Refused::new(Code::BadRequest, format!("there is no {method} {}", uri.path()))
        .hinted("the client may be newer than the daemon; `locald server upgrade` replaces it")
}
