//! The dashboard's host: its requests are answered by somebody else in this process.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf as _, Bytes};
use http::Request;
use hyper::body::Body as _;
use tokio::time::timeout;

use super::{
    answer::Answer,
    exchange::is_endless,
    forward::{Ending, Job, Sent},
    head::{Body, Refusal, ResponseHead, Upgrade},
    settings::{DashboardAnswer, DashboardRequest},
    side::{Client, Piece},
};

/// No command is longer.
const LONGEST: usize = 64 << 10;
/// How long a command may take to be here.
const WITHIN: Duration = Duration::from_secs(10);

const NO_UPGRADE: Refusal = Refusal::bad("this page speaks nothing but HTTP");
const GONE: Refusal = Refusal { status: 400, why: "the request was broken off" };
const TOO_LONG: Refusal = Refusal { status: 413, why: "no request to this page is as long" };
const TOO_SLOW: Refusal = Refusal { status: 408, why: "the request took too long" };

impl<C: Client> Job<'_, C> {
    pub(super) async fn dashboard(&mut self) -> Sent {
        if self.origin.is_stranger().await {
            let why = "this page is for another user of this machine";
            return self.answer(Answer::refusal(Refusal { status: 403, why })).await;
        }
        if self.request.upgrade != Upgrade::None {
            return self.answer(Answer::refusal(NO_UPGRADE)).await;
        }
        let read = timeout(WITHIN, read(self.client)).await.unwrap_or(Err(TOO_SLOW));
        let question = match read.and_then(|body| self.question(body)) {
            Ok(question) => question,
            Err(refusal) => return self.answer(Answer::refusal(refusal)).await,
        };
        let answer = self.worker.sources.narrator.dashboard(question).await;
        self.pass_on(answer).await
    }

    fn question(&self, body: Bytes) -> Result<DashboardRequest, Refusal> {
        let head = &*self.request;
        let mut request = Request::builder().method(&*head.method).uri(&*head.path);
        for (name, value, known) in head.fields.iter() {
            if !known.is_hop_by_hop() {
                request = request.header(name, value);
            }
        }
        let request = request.body(body).map_err(|_| Refusal::bad("this makes no sense"))?;
        let authority = String::from_utf8_lossy(&head.authority);
        let own_origin = format!("{}://{authority}", self.origin.scheme());
        Ok(DashboardRequest { request, own_origin })
    }

    /// Sends the answer as it comes.
    async fn pass_on(&mut self, answer: DashboardAnswer) -> Sent {
        let (parts, mut body) = answer.into_parts();
        let status = parts.status.as_u16();
        let mut head = ResponseHead { status, ..ResponseHead::default() };
        for (name, value) in &parts.headers {
            head.fields.push(name.as_str().as_bytes(), value.as_bytes());
        }
        head.body = match body.size_hint().exact() {
            Some(0) => Body::Empty,
            Some(length) => Body::Length(length),
            None => Body::Stream,
        };
        if let Some(length) = body.size_hint().exact()
            && !parts.headers.contains_key("content-length")
        {
            head.fields.push(b"Content-Length", length.to_string().as_bytes());
        }
        if is_endless(&head) {
            // Nobody waits for the end of what has none.
            self.busy = None;
        }
        if self.request.is_head() {
            head.body = Body::Empty;
        }
        let begun = self.client.respond(&head, self.request, false);
        let mut bytes = 0;
        let sent = match begun {
            Ok(()) if head.body == Body::Empty => Ok(()),
            Ok(()) => {
                let mut piece = Bytes::new();
                poll_fn(|cx| poll_body(self.client, &mut body, &mut piece, &mut bytes, cx)).await
            }
            Err(error) => Err(error),
        };
        let ended = match sent.and_then(|()| self.client.finish(None)) {
            Ok(()) => poll_fn(|cx| self.client.poll_flush(cx)).await,
            Err(error) => Err(error),
        };
        let ending = if ended.is_ok() { Ending::Complete } else { Ending::Aborted };
        Sent { status, bytes, ending }
    }
}

/// Reads the whole body of a request.
async fn read(client: &mut impl Client) -> Result<Bytes, Refusal> {
    let mut whole = Vec::new();
    loop {
        let count = match client.piece().map_err(|_| GONE)? {
            Piece::Data(data) if whole.len() + data.len() > LONGEST => return Err(TOO_LONG),
            Piece::Data(data) => {
                whole.extend_from_slice(data);
                data.len()
            }
            Piece::More => 0,
            Piece::End => return Ok(whole.into()),
        };
        if count > 0 {
            client.took(count);
        } else {
            poll_fn(|cx| client.poll_more(cx)).await.map_err(|_| GONE)?;
        }
    }
}

/// Moves what there is of a body; what has been put is flushed before there is any waiting.
fn poll_body(
    client: &mut impl Client,
    body: &mut (impl hyper::body::Body<Data = Bytes> + Unpin),
    piece: &mut Bytes,
    bytes: &mut u64,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let gone = || Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
    loop {
        if piece.is_empty() {
            match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => *piece = frame.into_data().unwrap_or_default(),
                Poll::Ready(Some(Err(_))) => return gone(),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    ready!(client.poll_flush(cx))?;
                    return if client.poll_gone(cx).is_ready() { gone() } else { Poll::Pending };
                }
            }
            continue;
        }
        match client.poll_put(cx, piece)? {
            Poll::Ready(count) => {
                piece.advance(count);
                *bytes += count as u64;
            }
            Poll::Pending if client.poll_gone(cx).is_ready() => return gone(),
            Poll::Pending => return Poll::Pending,
        }
    }
}
