//! A request sent to a service, and its answer sent back.

use std::{
    error::Error,
    future::poll_fn,
    io,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use h2::Reason;
use tokio::time::Instant;

use super::{
    dial::Backend,
    forward::{Ending, Job, Sent},
    h1::SpeaksHttp2,
    head::{Body, ResponseHead, Upgrade},
    patience::Patience,
    pump::{Broken, Pump},
    side::{Client, Server},
    worker::Worker,
};
use crate::{
    core::plan::Protocol,
    os::traffic::{Phase, Spoken, Target},
};

/// A service of HTTP/2 only has shown that it is one by then; others say nothing before they have all of a
/// body.
const SHOWS: Duration = Duration::from_millis(250);

/// What became of a request.
pub(super) enum Outcome {
    /// The client has got an answer, or all that there was of it.
    Sent(Sent),
    /// The service knows nothing of it, or may be asked twice.
    Again,
    /// The service speaks HTTP/2 only, and has understood nothing: ask it by that.
    ByHttp2,
    /// There is no answer: why, in words that follow the service's name, and with which status to
    /// say so.
    Failed(String, u16),
}

/// Why there is no head of an answer.
enum NoAnswer {
    Client,
    Service(io::Error),
    Late,
}

/// Sends the request to `backend` and the answer to the client.
pub(super) async fn exchange<C: Client>(
    job: &mut Job<'_, C>,
    mut backend: Backend,
    target: &Arc<Target>,
    phase: Phase,
    may_repeat: bool,
) -> Outcome {
    let mut upload = Pump::resuming(std::mem::take(&mut job.again));
    let unsure = phase.protocol == Protocol::Auto
        && matches!(backend, Backend::Http1(_))
        && target.spoken(phase.life) == Spoken::Unknown;
    match backend {
        _ if job.request.body == Body::Empty => {}
        Backend::Http1(_) if unsure => upload.keep_all(),
        Backend::Http1(_) => {}
        // It may say that it has not begun with it.
        Backend::Http2(_) => upload.keep(),
    }
    if let Err(error) = backend.ask(job.request, job.origin) {
        return Outcome::Failed(error.to_string(), 502);
    }
    match answer(job, &mut backend, &mut upload).await {
        Ok(()) => {
            upload.forget();
            if unsure {
                target.learn(phase.life, Spoken::AtLeastHttp1);
            }
        }
        Err(NoAnswer::Client) => return gone(0, 0),
        Err(NoAnswer::Late) => {
            let limit = job.worker.sources.settings.load().deadlines.answer;
            let why = format!("it has not answered in {} s", limit.as_secs());
            return Outcome::Failed(why, 504);
        }
        Err(NoAnswer::Service(error)) => {
            if job.request.is_grpc()
                && let Some(reason) = backend.taken_back()
                && reason != Reason::REFUSED_STREAM
            {
                job.client.taken_back(reason);
                return gone(0, 0);
            }
            let speaks = error.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<SpeaksHttp2>);
            if speaks && phase.protocol == Protocol::Auto {
                target.learn(phase.life, Spoken::OnlyHttp2);
                if let Some(again) = upload.take_back() {
                    job.again = again;
                    return Outcome::ByHttp2;
                }
            }
            return failed(job, &backend, upload, &error, may_repeat);
        }
    }
    let sent = relay(job, &mut backend, &mut upload).await;
    if sent.ending == Ending::Aborted
        && let Some(reason) = backend.taken_back()
    {
        job.client.taken_back(reason);
    }
    if sent.ending == Ending::Complete && upload.done {
        keep(job.worker, backend, target, phase);
    }
    Outcome::Sent(sent)
}

/// Keeps a connection for the next request, if it can be used once more.
fn keep(worker: &Rc<Worker>, backend: Backend, target: &Arc<Target>, phase: Phase) {
    if let Backend::Http1(mut upstream) = backend
        && upstream.is_reusable()
    {
        upstream.rest();
        worker.with_pool(|pool| pool.put(target, phase, upstream, Instant::now()));
        worker.ensure_sweep();
    }
}

fn failed<C>(
    job: &mut Job<'_, C>,
    backend: &Backend,
    mut upload: Pump,
    error: &io::Error,
    may_repeat: bool,
) -> Outcome {
    if error.kind() == io::ErrorKind::InvalidData {
        return Outcome::Failed(error.to_string(), 502);
    }
    let refused = backend.taken_back() == Some(Reason::REFUSED_STREAM);
    let unsent = if refused || !backend.has_sent() { upload.take_back() } else { None };
    if may_repeat && (unsent.is_some() || job.request.is_repeatable()) {
        job.again = unsent.unwrap_or_default();
        return Outcome::Again;
    }
    let why = match backend.taken_back() {
        Some(reason) => format!("it took the request back: {reason:?}"),
        None => "it closed the connection without an answer".to_owned(),
    };
    Outcome::Failed(why, 502)
}

/// Sends the request while waiting for the head of the answer; interim answers go on.
async fn answer<C: Client>(
    job: &mut Job<'_, C>,
    backend: &mut Backend,
    upload: &mut Pump,
) -> Result<(), NoAnswer> {
    let mut patience = None;
    let limit = job.worker.sources.settings.load().deadlines.answer;
    let mut broken = false;
    let mut interim = false;
    let mut shows = None;
    poll_fn(|cx| {
        loop {
            if interim {
                ready!(job.client.poll_flush(cx)).map_err(|_| NoAnswer::Client)?;
                interim = false;
            }
            if !broken && !upload.done {
                broken = match poll_upload(job.client, backend, upload, cx) {
                    Poll::Ready(Err(Broken::Source)) => {
                        return Poll::Ready(Err(NoAnswer::Client));
                    }
                    // It may have answered before it closed: a 413 is worth more than our 502.
                    Poll::Ready(Err(Broken::Sink)) => true,
                    Poll::Ready(Ok(())) | Poll::Pending => false,
                };
            }
            match backend.poll_answer(cx, job.response, job.request) {
                Poll::Ready(Ok(())) if matches!(job.response.status, 100 | 102..=199) => {
                    if job.request.version != super::head::Version::Http10 {
                        job.client.inform(job.response).map_err(|_| NoAnswer::Client)?;
                        interim = true;
                    }
                }
                Poll::Ready(Ok(())) => return Poll::Ready(Ok(())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(NoAnswer::Service(error))),
                Poll::Pending => {
                    if job.client.poll_gone(cx).is_ready() {
                        return Poll::Ready(Err(NoAnswer::Client));
                    }
                    if upload.is_full() && !broken {
                        ready!(shows.get_or_insert_with(|| Patience::new(SHOWS)).poll(cx));
                        upload.forget();
                        continue;
                    }
                    let patience = patience.get_or_insert_with(|| Patience::new(limit));
                    // A call of gRPC has a deadline of its own, if any.
                    if (!upload.done && !broken) || job.request.is_grpc() {
                        return Poll::Pending;
                    }
                    return patience.poll(cx).map(|()| Err(NoAnswer::Late));
                }
            }
        }
    })
    .await
}

/// Sends the answer, and what is left of the request.
async fn relay<C: Client>(job: &mut Job<'_, C>, backend: &mut Backend, upload: &mut Pump) -> Sent {
    let status = job.response.status;
    let tunnel = job.response.body == Body::Tunnel;
    if job.request.upgrade == Upgrade::WebSocket && tunnel {
        accept_by_http2(job.response);
    }
    if tunnel || is_endless(job.response) {
        // Nobody waits for the end of what has none.
        job.busy = None;
    }
    let mut up = Pump::default();
    let more = !upload.done && !tunnel;
    if job.client.respond(job.response, job.request, more).is_err() {
        return Sent { status, bytes: 0, ending: Ending::Aborted };
    }
    // What the client sends through a tunnel is a body of its own.
    let upload = if tunnel { &mut up } else { upload };
    let mut download = Pump::default();
    let mut broken = false;
    let ended = poll_fn(|cx| {
        if !upload.done && !broken {
            match poll_upload(job.client, backend, upload, cx) {
                Poll::Ready(Err(Broken::Source)) => return Poll::Ready(false),
                Poll::Ready(Err(Broken::Sink)) => broken = true,
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
        }
        if !download.done {
            match download.poll(backend, job.client, cx) {
                Poll::Ready(Err(_)) => return Poll::Ready(false),
                Poll::Ready(Ok(())) => {}
                Poll::Pending if job.client.poll_gone(cx).is_ready() => return Poll::Ready(false),
                Poll::Pending => return Poll::Pending,
            }
        }
        // A tunnel lives until both directions have ended.
        if tunnel && !upload.done && !broken { Poll::Pending } else { Poll::Ready(true) }
    })
    .await;
    let ending = if ended { Ending::Complete } else { Ending::Aborted };
    Sent { status, bytes: download.bytes, ending }
}

fn poll_upload<C: Client>(
    client: &mut C,
    backend: &mut Backend,
    upload: &mut Pump,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Broken>> {
    upload.poll(client, backend, cx)
}

/// Whether an answer is a stream of events, which goes on for as long as somebody reads it.
pub(super) fn is_endless(head: &ResponseHead) -> bool {
    let media = b"text/event-stream";
    head.fields.named(b"content-type").is_some_and(|value| {
        value.get(..media.len()).is_some_and(|start| start.eq_ignore_ascii_case(media))
    })
}

/// The answer to an extended CONNECT is 200, and says nothing of keys.
fn accept_by_http2(head: &mut ResponseHead) {
    head.status = 200;
    let mut fields = super::fields::Fields::default();
    for (name, value, known) in head.fields.iter() {
        if !known.is_hop_by_hop() && !name.eq_ignore_ascii_case(b"sec-websocket-accept") {
            fields.push(name, value);
        }
    }
    head.fields = fields;
}

fn gone(status: u16, bytes: u64) -> Outcome {
    Outcome::Sent(Sent { status, bytes, ending: Ending::Aborted })
}
