//! One HTTP/1 connection of a client: request after request.

use std::{future::poll_fn, io, rc::Rc, task::Poll, time::Duration};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    client::Asker,
    parse,
    wire::{NoHead, Wire},
};
use crate::proxy::{
    answer::{Answer, send},
    fields::Known,
    forward::{self, Ending},
    forwarded::Origin,
    head::{Body, Refusal, RequestHead, ResponseHead, Version},
    patience::Patience,
    settings::{Deadlines, redirect_location},
    side::{Side as _, linger},
    worker::{Busy, Worker},
};

/// The largest head of a request.
const HEAD: usize = 64 * 1024;
/// A connection without a request is closed after this time.
const IDLE_TIME: Duration = Duration::from_mins(3);
/// Serves a connection until its end.
pub(in crate::proxy) async fn serve<S>(io: S, input: BytesMut, origin: Origin, worker: Rc<Worker>)
where
    S: AsyncRead + AsyncWrite + Abort + Unpin,
{
    let load = Some(worker.load.clone());
    let mut client = Asker { wire: Wire::new(io, input), close: false, has_begun: false, load };
    let mut request = RequestHead::default();
    let mut response = ResponseHead::default();
    let limit = worker.sources.settings.load().deadlines.head;
    let mut patience = Patience::new(limit);
    loop {
        let length = match next_head(&mut client, &mut patience, limit).await {
            Ok(length) => length,
            Err(NoHead::Broken(error)) if error.kind() == io::ErrorKind::TimedOut => {
                return refuse(
                    &mut client,
                    Refusal { status: 408, why: "the request did not come" },
                )
                .await;
            }
            Err(NoHead::Ended | NoHead::Broken(_)) => return,
            Err(NoHead::TooLarge) => {
                return refuse(&mut client, Refusal { status: 431, why: "the head is too large" })
                    .await;
            }
            Err(NoHead::BareNewline) => {
                return refuse(
                    &mut client,
                    Refusal::bad("a line that ends without a carriage return"),
                )
                .await;
            }
        };
        let busy = Busy::new(&worker);
        if let Err(refusal) = parse::request(&client.wire.input()[..length], &mut request) {
            return refuse(&mut client, refusal).await;
        }
        client.wire.start_input(length, request.body, false);
        client.has_begun = false;
        client.close = !persists(&request);
        let ending =
            forward::serve(&mut client, &mut request, &mut response, &origin, &worker, busy).await;
        match ending {
            Ending::Complete if client.wire.has_ended() && !client.close => {}
            Ending::Complete => return part(&mut client).await,
            Ending::Aborted => return client.wire.io.abort(),
        }
        client.wire.rest();
        patience.restart(IDLE_TIME);
    }
}

/// Answers what came without TLS to where TLS is spoken.
pub(in crate::proxy) async fn redirect_to_tls<S>(
    io: S,
    input: BytesMut,
    port: u16,
    Deadlines { head: limit, .. }: Deadlines,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let wire = Wire::new(io, input);
    let mut client = Asker { wire, close: true, has_begun: false, load: None };
    let mut request = RequestHead::default();
    let mut patience = Patience::new(limit);
    let Ok(length) = next_head(&mut client, &mut patience, limit).await else { return };
    if let Err(refusal) = parse::request(&client.wire.input()[..length], &mut request) {
        return refuse(&mut client, refusal).await;
    }
    client.wire.start_input(length, request.body, false);
    let answer = Answer::redirect(redirect_location(&request, port));
    if send(&mut client, &request, answer).await.is_ok() {
        part(&mut client).await;
    }
}

/// A connection that can be broken off so that nobody takes it for a proper end.
pub(in crate::proxy) trait Abort {
    fn abort(self);
}

async fn next_head<S>(
    client: &mut Asker<S>,
    patience: &mut Patience,
    limit: Duration,
) -> Result<usize, NoHead>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut begun = false;
    poll_fn(|cx| {
        let head = client.wire.poll_head(cx, HEAD);
        if head.is_pending() {
            if !begun && !client.wire.input().is_empty() {
                begun = true;
                patience.restart(limit);
            }
            if patience.poll(cx).is_ready() {
                let kind =
                    if begun { io::ErrorKind::TimedOut } else { io::ErrorKind::ConnectionAborted };
                return Poll::Ready(Err(NoHead::Broken(kind.into())));
            }
        }
        head
    })
    .await
}

fn persists(request: &RequestHead) -> bool {
    let says = |what| request.fields.lists(Known::Connection, what);
    if request.version == Version::Http10 { says(b"keep-alive") } else { !says(b"close") }
}

async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(client: &mut Asker<S>, refusal: Refusal) {
    client.close = true;
    let request = RequestHead::default();
    client.wire.start_input(0, Body::Tunnel, true);
    if send(client, &request, Answer::refusal(refusal)).await.is_ok() {
        part(client).await;
    }
}

/// Closes our half and takes what comes still.
async fn part<S: AsyncRead + AsyncWrite + Unpin>(client: &mut Asker<S>) {
    client.wire.start_output(Body::Tunnel);
    let shut = poll_fn(|cx| {
        client.finish(None)?;
        client.poll_flush(cx)
    });
    if shut.await.is_ok() {
        linger(client).await;
    }
}
