//! The end that answers, by HTTP/2 without TLS.

use std::{
    future::{Future as _, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::{
    Ping, Reason, SendStream,
    client::{ResponseFuture, SendRequest},
    ext::Protocol,
};
use http::{HeaderMap, Method, Request, Uri, Version, response::Parts, uri::PathAndQuery};
use tokio::{net::TcpStream, task::spawn_local};

use super::{
    fields::{append, from_map},
    stream::{Stream, broken},
};
use crate::proxy::{
    fields::{Fields, Known},
    forwarded::{Origin, each_request_field, is_tunnel},
    head::{Body, RequestHead, ResponseHead, Upgrade, content_length},
    side::{Piece, Server, Side},
    websocket,
};

const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
const HEADERS: u32 = 256 * 1024;

/// A connection to a service, shared by requests.
#[derive(Clone)]
pub(in crate::proxy) struct Link(SendRequest<Bytes>);

/// One stream of it.
pub(in crate::proxy) struct Upstream {
    link: SendRequest<Bytes>,
    answer: Option<ResponseFuture>,
    stream: Stream,
    sent: bool,
    /// What a tunnel will be sent by, once it has been accepted.
    waiting: Option<SendStream<Bytes>>,
}

impl Link {
    /// Opens HTTP/2 on a connection, and has the peer show that it speaks it: by then its settings
    /// are known too.
    pub(in crate::proxy) async fn open(io: TcpStream) -> Result<Self, h2::Error> {
        let (link, mut connection) = h2::client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(HEADERS)
            .enable_push(false)
            .handshake(io)
            .await?;
        if let Some(mut pings) = connection.ping_pong() {
            let mut pong = pin!(pings.ping(Ping::opaque()));
            poll_fn(|cx| match Pin::new(&mut connection).poll(cx) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) => Poll::Ready(Err(Reason::NO_ERROR.into())),
                Poll::Pending => pong.as_mut().poll(cx).map_ok(drop),
            })
            .await?;
        }
        spawn_local(async move {
            // Its end is told to each of its streams.
            connection.await.ok();
        });
        Ok(Self(link))
    }

    /// Waits until it takes another stream.
    pub(in crate::proxy) async fn ready(self) -> io::Result<Self> {
        self.0.ready().await.map(Self).map_err(broken)
    }
}

impl Upstream {
    pub(in crate::proxy) fn new(link: Link) -> Self {
        Self { link: link.0, answer: None, stream: Stream::default(), sent: false, waiting: None }
    }
}

impl Upstream {
    /// Why the service took the request back, if it did.
    pub(in crate::proxy) fn taken_back(&self) -> Option<Reason> {
        self.stream.taken_back()
    }
}

impl Side for Upstream {
    fn piece(&mut self) -> io::Result<Piece<'_>> {
        Ok(self.stream.piece())
    }

    fn took(&mut self, count: usize) {
        self.stream.took(count);
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_more(cx)
    }

    fn trailers(&self) -> Option<&Fields> {
        self.stream.trailers()
    }

    fn poll_put(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.poll_put(cx, data)
    }

    fn finish(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        self.stream.finish(trailers)
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_flush()
    }
}

impl Server for Upstream {
    fn ask(&mut self, head: &RequestHead, from: &Origin) -> io::Result<()> {
        let tunnel = is_tunnel(head);
        if tunnel && !is_websocket(head) {
            return Err(garbage("it takes HTTP/2 only, which has no other upgrade than WebSocket"));
        }
        if tunnel && !self.link.is_extended_connect_protocol_enabled() {
            return Err(garbage("it takes HTTP/2 only, and no WebSockets over it (RFC 8441)"));
        }
        let request = request(head, from).map_err(io::Error::other)?;
        let end = head.body == Body::Empty && !tunnel;
        let (answer, send) = self.link.send_request(request, end).map_err(broken)?;
        self.sent = true;
        self.answer = Some(answer);
        if tunnel {
            self.waiting = Some(send);
        } else if !end {
            self.stream.send(send);
        }
        Ok(())
    }

    fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
        to: &RequestHead,
    ) -> Poll<io::Result<()>> {
        let Some(answer) = &mut self.answer else { return Poll::Pending };
        if let Poll::Ready(Some(Ok(interim))) = answer.poll_informational(cx) {
            read_head(&interim.into_parts().0, head);
            return Poll::Ready(Ok(()));
        }
        let (parts, recv) = match ready!(Pin::new(answer).poll(cx)) {
            Ok(answer) => answer.into_parts(),
            Err(error) => {
                self.stream.note(&error);
                return Poll::Ready(Err(broken(error)));
            }
        };
        self.answer = None;
        read_head(&parts, head);
        if is_tunnel(to) && parts.status.is_success() {
            self.waiting.take().into_iter().for_each(|send| self.stream.send(send));
            self.stream.receive(recv);
            accept(head, to);
            return Poll::Ready(Ok(()));
        }
        // Refused: nothing more goes there.
        self.waiting = None;
        let length = content_length(&head.fields).unwrap_or(None);
        head.body = match length {
            _ if to.is_head() || recv.is_end_stream() || matches!(head.status, 204 | 304) => {
                Body::Empty
            }
            Some(length) => Body::Length(length),
            None => Body::Stream,
        };
        self.stream.receive(recv);
        Poll::Ready(Ok(()))
    }

    fn has_sent(&self) -> bool {
        self.sent
    }
}

fn is_websocket(head: &RequestHead) -> bool {
    head.upgrade == Upgrade::WebSocket || head.fields.lists(Known::Upgrade, b"websocket")
}

fn read_head(parts: &Parts, head: &mut ResponseHead) {
    head.status = parts.status.as_u16();
    head.reason.clear();
    head.fields.clear();
    from_map(&parts.headers, &mut head.fields);
    head.body = Body::Empty;
}

/// Says that a WebSocket has been accepted, as a service of HTTP/1 would.
fn accept(head: &mut ResponseHead, to: &RequestHead) {
    head.status = 101;
    head.body = Body::Tunnel;
    head.fields.push(b"Upgrade", b"websocket");
    head.fields.push(b"Connection", b"Upgrade");
    if let Some(key) = to.fields.first(Known::WebSocketKey) {
        head.fields.push(b"Sec-WebSocket-Accept", websocket::accept(key).as_bytes());
    }
}

fn garbage(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn request(head: &RequestHead, from: &Origin) -> Result<Request<()>, http::Error> {
    let mut map = HeaderMap::with_capacity(head.fields.len() + 8);
    let tunnel = is_tunnel(head);
    each_request_field(head, from, |name, value| {
        // Keys are of HTTP/1 only.
        if !(tunnel && name.eq_ignore_ascii_case(b"sec-websocket-key")) {
            append(&mut map, name, value);
        }
    });
    if let Some(length) = head.fields.first(Known::ContentLength) {
        append(&mut map, b"content-length", length);
    }
    let path = if head.path == b"*" {
        PathAndQuery::from_static("*")
    } else {
        PathAndQuery::try_from(&*head.path)?
    };
    let uri =
        Uri::builder().scheme("http").authority(&*head.authority).path_and_query(path).build()?;
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(&head.method)?;
    if tunnel {
        *request.method_mut() = Method::CONNECT;
        request.extensions_mut().insert(Protocol::from_static("websocket"));
    }
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_2;
    *request.headers_mut() = map;
    Ok(request)
}
