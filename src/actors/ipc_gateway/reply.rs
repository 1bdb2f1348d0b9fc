//! Answers: JSON, streams of JSON lines, and problems.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequestParts, Query, rejection::QueryRejection},
    http::{StatusCode, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::mpsc, time::timeout};

use crate::{
    actors::board::ProjectBoard,
    api::error::{Code, ErrorBody, Problem},
    core::near::did_you_mean,
    supervision::address::CallError,
};

/// The largest request body (SPEC §5).
const BODY: usize = 1 << 20;
/// A request's body must be there within this time.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// So many lines may wait for a slow reader.
const AHEAD: usize = 64;

/// A problem as an answer.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Problem);

/// The query of a request; one that makes no sense is answered with a problem.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let bad = |rejection: QueryRejection| {
            Refused::new(
                Code::BadRequest,
                format!("cannot use the query: {}", rejection.body_text()),
            )
        };
        query.map(|Query(asked)| Self(asked)).map_err(bad)
    }
}

/// An answer or a problem.
pub(super) type Reply<T> = Result<T, Refused>;

/// The writing end of a stream of lines.
pub(super) struct Lines(mpsc::Sender<Bytes>);

impl Refused {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Problem { code, message: message.into(), help: None, place: None })
    }

    /// For a name that no service of the project has.
    pub(super) fn no_such_service(project: &ProjectBoard, name: &str) -> Self {
        let text = format!("project {} has no service {name:?}", project.name);
        let refused = Self::new(Code::BadRequest, text);
        let services = project.services();
        let names = || services.iter().map(|board| board.name.as_str());
        let all = || format!("its services are {}", names().collect::<Vec<_>>().join(", "));
        refused.hinted(did_you_mean(name, names()).unwrap_or_else(all))
    }

    /// The same, about a place.
    pub(super) fn at(mut self, place: Option<crate::api::error::Place>) -> Self {
        self.0.place = place;
        self
    }

    pub(super) fn hinted(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }
}

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        let code = match error {
            CallError::Timeout(_) => Code::Timeout,
            CallError::Gone => Code::Failed,
        };
        Self::new(code, format!("cannot reach an actor: {error}"))
            .hinted("`locald tree --all` shows which one is stuck")
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self.0.code {
            Code::BadRequest | Code::InvalidConfig => StatusCode::BAD_REQUEST,
            Code::NoProject => StatusCode::NOT_FOUND,
            Code::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
            Code::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Code::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, axum::Json(ErrorBody { error: self.0 })).into_response()
    }
}

/// Reads a JSON body, whatever it says of its type.
pub(super) async fn read_json<T: DeserializeOwned>(body: Body) -> Reply<T> {
    let bad = |why: String| Refused::new(Code::BadRequest, why);
    let read = timeout(BODY_WITHIN, to_bytes(body, BODY));
    let bytes = read
        .await
        .map_err(|_| bad(format!("cannot wait for the body beyond {BODY_WITHIN:?}")))?
        .map_err(|error| bad(format!("cannot read the body: {error}")))?;
    serde_json::from_slice(&bytes).map_err(|error| bad(format!("cannot use the body: {error}")))
}

/// An answer that is written line by line while the client reads.
pub(super) fn lines() -> (Lines, Response) {
    lines_ahead(AHEAD)
}

/// The same, where at most so many lines, or sets of them, may wait for a slow reader.
pub(super) fn lines_ahead(ahead: usize) -> (Lines, Response) {
    let (sender, receiver) = mpsc::channel(ahead);
    let stream = stream::unfold(receiver, |mut receiver| async move {
        let line = receiver.recv().await?;
        Some((Ok::<Bytes, std::convert::Infallible>(line), receiver))
    });
    let response = ([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(stream));
    (Lines(sender), response.into_response())
}

impl Lines {
    /// Writes a line; false when nobody reads any more.
    pub(super) async fn write(&self, item: &impl Serialize) -> bool {
        self.write_all(std::slice::from_ref(item)).await
    }

    /// Writes some lines at once; false when nobody reads any more.
    pub(super) async fn write_all(&self, items: &[impl Serialize]) -> bool {
        let mut text = Vec::new();
        for item in items {
            if let Err(error) = serde_json::to_writer(&mut text, item) {
                tracing::error!(%error, "cannot write an answer");
                return false;
            }
            text.push(b'\n');
        }
        text.is_empty() || self.0.send(text.into()).await.is_ok()
    }

    /// Completes when nobody reads any more.
    pub(super) async fn unread(&self) {
        self.0.closed().await;
    }
}
