//! Answers of our own, and how they are sent.

mod grpc;

use std::{
    future::poll_fn,
    io,
    task::{Poll, ready},
};

use super::{
    head::{Body, Refusal, RequestHead, ResponseHead},
    reason::reason,
    side::Client,
};

/// An answer of our own.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    content_type: &'static str,
    fields: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// All of it in one line, if there is more to say than the status.
    detail: String,
}

impl Answer {
    pub(super) fn html(status: u16, body: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", body.into_bytes())
    }

    pub(super) fn problem(status: u16, body: &serde_json::Value) -> Self {
        let detail = body["detail"].as_str().unwrap_or_default().to_owned();
        let body = body.to_string().into_bytes();
        Self { detail, ..Self::new(status, "application/problem+json", body) }
    }

    pub(super) fn refusal(refusal: Refusal) -> Self {
        let body = serde_json::json!({
            "title": reason(refusal.status),
            "status": refusal.status,
            "detail": refusal.why,
        });
        Self::problem(refusal.status, &body)
    }

    pub(super) fn redirect(location: String) -> Self {
        Self::new(308, "text/plain", Vec::new()).with("Location", location)
    }

    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.fields.push((name, value));
        self
    }

    fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, content_type, fields: Vec::new(), body, detail: String::new() }
    }
}

/// Sends an answer: the size of its body.
pub(super) async fn send(
    client: &mut impl Client,
    request: &RequestHead,
    answer: Answer,
) -> io::Result<u64> {
    let answer = if request.is_grpc() { answer.for_grpc() } else { answer };
    let mut head = ResponseHead { status: answer.status, ..ResponseHead::default() };
    head.fields.push(b"Content-Type", answer.content_type.as_bytes());
    head.fields.push(b"Content-Length", answer.body.len().to_string().as_bytes());
    head.fields.push(b"Cache-Control", b"no-store");
    for (name, value) in &answer.fields {
        head.fields.push(name.as_bytes(), value.as_bytes());
    }
    let mut rest = if request.is_head() { &[][..] } else { &answer.body };
    let size = rest.len() as u64;
    head.body = if rest.is_empty() { Body::Empty } else { Body::Length(size) };
    let more = !matches!(client.piece(), Ok(super::side::Piece::End));
    client.respond(&head, request, more)?;
    poll_fn(|cx| {
        while !rest.is_empty() {
            let count = ready!(client.poll_put(cx, rest))?;
            rest = &rest[count..];
        }
        Poll::Ready(Ok::<_, io::Error>(()))
    })
    .await?;
    client.finish(None)?;
    poll_fn(|cx| client.poll_flush(cx)).await?;
    Ok(size)
}
