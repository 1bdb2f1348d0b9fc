//! One HTTP/2 connection of a client: streams at the same time.

use std::{
    cell::Cell,
    future::{Future as _, poll_fn},
    pin::pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use h2::{Ping, RecvStream, server::SendResponse};
use http::Request;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::{spawn_local, yield_now},
    time::{Instant, sleep, timeout},
};

use super::{
    client::{Asker, request},
    cork::Cork,
};
use crate::proxy::{
    answer::{Answer, send},
    forward::{self, Ending},
    forwarded::Origin,
    head::{RequestHead, ResponseHead, Upgrade},
    settings::Deadlines,
    side::linger,
    worker::{Busy, Worker},
};

/// A connection that is asked for a sign of life gives it within this part of the time between two.
const PONG: u32 = 3;
/// A connection without streams is closed after so many times as long.
const IDLE: u32 = 5;
/// What is said last is gone by then.
const FAREWELL: Duration = Duration::from_secs(20);
const STREAMS: u32 = 250;
const HEADERS: u32 = 256 * 1024;
/// Hot-reload tools take back hundreds of requests at once: that is no attack.
const RESETS: usize = 4096;
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// So much of what goes out waits in memory, for each stream.
const SEND_BUFFER: usize = 128 * 1024;

/// Serves a connection until its end.
pub(in crate::proxy) async fn serve<S>(io: S, origin: Origin, worker: Rc<Worker>)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let mut builder = h2::server::Builder::new();
    builder
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADERS)
        .max_concurrent_reset_streams(RESETS)
        .max_pending_accept_reset_streams(RESETS)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER)
        .enable_connect_protocol();
    let cork = Cork::new(io);
    let Deadlines { greeting: limit, ping, .. } = worker.sources.settings.load().deadlines;
    let handshake = builder.handshake::<_, Bytes>(cork.share());
    let mut handshake = pin!(handshake);
    let greeted = poll_fn(|cx| {
        let greeted = handshake.as_mut().poll(cx);
        released(&cork, greeted, cx)
    });
    let Ok(Some(Ok(mut connection))) = timeout(limit, greeted).await else { return };
    let mut drained = pin!(worker.drained());
    let mut drain_seen = false;
    // Until it has said goodbye, and all that was asked on it has been answered.
    let mut busy = Some(Busy::new(&worker));
    let running = Rc::new(Cell::new(0));
    let mut life = Life::new(connection.ping_pong(), ping);
    let origin = Rc::new(origin);
    loop {
        let next = poll_fn(|cx| {
            if !drain_seen && drained.as_mut().poll(cx).is_ready() {
                drain_seen = true;
                connection.graceful_shutdown();
            }
            let next = connection.poll_accept(cx);
            if next.is_pending() && life.poll(connection.has_streams(), cx).is_ready() {
                connection.graceful_shutdown();
                return Poll::Ready(None);
            }
            let next = released(&cork, next, cx).map(Option::flatten);
            if next.is_pending() && !connection.has_streams() {
                cork.rest();
            }
            if drain_seen && next.is_pending() && cork.is_empty() && running.get() == 0 {
                // A stream whose end waits for room is one without a task of ours.
                let open = Rc::strong_count(&origin) > 1;
                busy = busy.take().filter(|_| connection.has_streams() && !open);
            }
            next
        });
        let Some(Ok((question, respond))) = next.await else { break };
        life.seen();
        let busy = Busy::there(&worker, &running);
        spawn_local(one(question, respond, origin.clone(), worker.clone(), busy));
    }
    // What was said last is still to be sent.
    let closed = poll_fn(|cx| {
        let closed = connection.poll_closed(cx);
        released(&cork, closed, cx)
    });
    timeout(FAREWELL, closed).await.ok();
    drop(busy);
}

/// What has been written goes out before there is any waiting; none if it cannot.
fn released<S: AsyncWrite + Unpin, T>(
    cork: &Cork<S>,
    polled: Poll<T>,
    cx: &mut Context<'_>,
) -> Poll<Option<T>> {
    if polled.is_pending()
        && let Poll::Ready(Err(_)) = cork.poll_release(cx)
    {
        return Poll::Ready(None);
    }
    polled.map(Some)
}

async fn one(
    question: Request<RecvStream>,
    respond: SendResponse<Bytes>,
    origin: Rc<Origin>,
    worker: Rc<Worker>,
    busy: Busy,
) {
    let (parts, recv) = question.into_parts();
    let mut head = RequestHead::default();
    let read = request(&parts, recv.is_end_stream(), &mut head);
    drop(parts);
    let mut client = Asker::new(recv, respond, head.upgrade == Upgrade::WebSocket);
    let ending = match read {
        Ok(()) => {
            let mut answer = ResponseHead::default();
            forward::serve(&mut client, &mut head, &mut answer, &origin, &worker, busy).await
        }
        Err(refusal) => match send(&mut client, &head, Answer::refusal(refusal)).await {
            Ok(_) => Ending::Complete,
            Err(_) => Ending::Aborted,
        },
    };
    if ending == Ending::Complete {
        // What goes unread is reset, and some clients then forget that they have been answered.
        linger(&mut client).await;
    } else {
        // A reset takes back what has not been written yet: let that go out first.
        yield_now().await;
        yield_now().await;
        client.abort();
    }
}

/// Whether the peer still lives.
struct Life {
    pings: Option<h2::PingPong>,
    every: Duration,
    timer: std::pin::Pin<Box<tokio::time::Sleep>>,
    seen: Instant,
    asked: bool,
}

impl Life {
    fn new(pings: Option<h2::PingPong>, every: Duration) -> Self {
        let (timer, seen) = (Box::pin(sleep(every)), Instant::now());
        Self { pings, every, timer, seen, asked: false }
    }

    fn seen(&mut self) {
        self.seen = Instant::now();
    }

    /// Ready when the connection is to be closed: it is dead, or has long been of no use.
    fn poll(&mut self, has_streams: bool, cx: &mut Context<'_>) -> Poll<()> {
        let Some(pings) = &mut self.pings else { return Poll::Pending };
        if self.asked && pings.poll_pong(cx).is_ready() {
            self.asked = false;
            self.timer.as_mut().reset(Instant::now() + self.every);
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            if self.asked || (!has_streams && self.seen.elapsed() > self.every * IDLE) {
                return Poll::Ready(());
            }
            self.asked = pings.send_ping(Ping::opaque()).is_ok();
            self.timer.as_mut().reset(Instant::now() + self.every / PONG);
        }
        Poll::Pending
    }
}
