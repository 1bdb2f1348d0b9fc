//! The dashboard at `locald.localhost`: a page for the person at this machine, and what that page asks.
//!
//! It has no model of its own: what it shows comes from the handlers of the socket API. Whoever is not logged in
//! sees a plain list. A browser is logged in by an invitation that only the socket gives; that leads to a session
//! cookie, and every command must show the session's token and come from the dashboard's own origin.

mod assets;
mod command;
mod door;
mod plain;
mod stream;

use std::{convert::Infallible, error::Error, sync::Arc};

use axum::Router;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::json;

use self::door::{Refusal, Visitor};
use crate::{
    actors::ipc_gateway::{self, Desk},
    os::secret::secret,
    proxy::{DashboardAnswer, DashboardRequest},
};

/// What a page may be read from by whoever is logged in.
const READ: [&str; 9] = [
    "/v1/status",
    "/v1/tree",
    "/v1/graph",
    "/v1/check",
    "/v1/live",
    "/v1/why",
    "/v1/events",
    "/v1/logs",
    "/v1/requests",
];

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The dashboard.
#[derive(Clone)]
pub struct Dashboard {
    desk: Arc<Desk>,
    api: Router,
}

impl Dashboard {
    /// One that tells what is on that desk.
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { api: ipc_gateway::router(desk.clone()), desk }
    }

    /// Answers a request. To be awaited on the daemon's own threads, where handlers begin tasks.
    pub async fn answer(&self, request: DashboardRequest) -> DashboardAnswer {
        let mut answer = match self.take(request).await {
            Ok(answer) => answer,
            Err(refusal) => text(refusal.status, "text/plain", refusal.why),
        };
        let fields = [
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CACHE_CONTROL, "no-store"),
            (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        ];
        for (name, value) in fields {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        answer
    }

    async fn take(&self, asked: DashboardRequest) -> Result<DashboardAnswer, Refusal> {
        let DashboardRequest { request, own_origin } = asked;
        let secure = own_origin.starts_with("https:");
        door::same_origin(request.method(), request.headers(), &own_origin)?;
        let visitor = door::visitor(&self.desk, request.headers(), secure);
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let path = request.uri().path().to_owned();
        match (reads, &*path) {
            (true, "/") if visitor.is_some() => Ok(page(assets::PAGE)),
            (true, "/") => Ok(text(StatusCode::OK, HTML, plain::page(&self.desk))),
            (true, "/login") => Ok(page(assets::LOGIN)),
            (true, path) if path.starts_with("/assets/") => assets::find(path),
            (true, "/session") => {
                let visitor = visitor.ok_or(door::STRANGER)?;
                Ok(text(StatusCode::OK, JSON, json!({ "token": visitor.token }).to_string()))
            }
            (true, path) if READ.contains(&path) => {
                visitor.ok_or(door::STRANGER)?;
                Ok(self.ask(request).await)
            }
            (false, "/login") if request.method() == Method::POST => {
                self.log_in(request.body(), secure)
            }
            (false, _) if request.method() == Method::POST => {
                let visitor = visitor.ok_or(door::STRANGER)?;
                visitor.may_command(request.headers())?;
                self.command(&path, &request, &visitor, secure).await
            }
            (false, _) => Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "only to be looked at")),
            (true, _) => Err(Refusal::new(StatusCode::NOT_FOUND, "there is nothing here")),
        }
    }

    /// Lets a browser in that shows an invitation.
    fn log_in(&self, invitation: &Bytes, secure: bool) -> Result<DashboardAnswer, Refusal> {
        let failed = |_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "there is no randomness");
        let (key, token) = (secret().map_err(failed)?, secret().map_err(failed)?);
        let cookie = door::cookie(&key, secure);
        let now = self.desk.since.elapsed();
        let invitation = std::str::from_utf8(invitation).unwrap_or_default().trim();
        let mut admitted = false;
        self.desk.visitors.send_modify(|visitors| {
            admitted = visitors.admit(now, invitation, key, token);
        });
        if !admitted {
            let why =
                "this invitation has been used, or is too old: `locald dashboard` gives another";
            return Err(Refusal::new(StatusCode::FORBIDDEN, why));
        }
        let mut answer = text(StatusCode::NO_CONTENT, "text/plain", "");
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
        Ok(answer)
    }

    async fn command(
        &self,
        path: &str,
        request: &Request<Bytes>,
        visitor: &Visitor,
        secure: bool,
    ) -> Result<DashboardAnswer, Refusal> {
        if path == "/logout" {
            self.desk.visitors.send_modify(|visitors| visitors.leave(&visitor.key));
            let mut answer = text(StatusCode::NO_CONTENT, "text/plain", "");
            answer.headers_mut().insert(header::SET_COOKIE, door::no_cookie(secure));
            return Ok(answer);
        }
        let asked = command::request(&self.desk, path, request.body())?;
        Ok(self.ask(asked).await)
    }

    /// Asks the socket API; what it answers line by line is a stream of events for whoever wants that.
    async fn ask(&self, mut request: Request<Bytes>) -> DashboardAnswer {
        let events = stream::wants_events(request.headers());
        // They are between the browser and us.
        *request.headers_mut() = HeaderMap::new();
        let asked = request.map(Full::new);
        let answer = TowerToHyperService::new(self.api.clone()).call(asked).await;
        let answer = answer.unwrap_or_else(|never: Infallible| match never {});
        if events {
            stream::events(answer)
        } else {
            answer.map(|body| body.map_err(boxed).boxed_unsync())
        }
    }
}

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

fn page(page: &'static str) -> DashboardAnswer {
    text(StatusCode::OK, HTML, page)
}

/// A whole answer.
fn text(status: StatusCode, media: &'static str, body: impl Into<Bytes>) -> DashboardAnswer {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    answer
}

fn boxed(error: impl Error + Send + Sync + 'static) -> Box<dyn Error + Send + Sync> {
    Box::new(error)
}
