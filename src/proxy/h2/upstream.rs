//! The end that answers, by HTTP/2 without TLS.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use http::{HeaderMap, Method, Request, Uri, Version, uri::PathAndQuery};
use tokio::{net::TcpStream, task::spawn_local};

use super::{
    fields::{append, from_map},
    stream::{Stream, broken},
};
use crate::proxy::{
    fields::{Fields, Known},
    forwarded::{Origin, each_request_field},
    head::{Body, RequestHead, ResponseHead, Upgrade, content_length},
    side::{Piece, Server, Side},
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
}

impl Link {
    /// Opens HTTP/2 on a connection.
    pub(in crate::proxy) async fn open(io: TcpStream) -> io::Result<Self> {
        let (link, connection) = h2::client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(HEADERS)
            .enable_push(false)
            .handshake(io)
            .await
            .map_err(broken)?;
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
        Self { link: link.0, answer: None, stream: Stream::default(), sent: false }
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
        if head.upgrade != Upgrade::None {
            let why = "it takes HTTP/2 without TLS, which has no WebSockets";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let request = request(head, from).map_err(io::Error::other)?;
        let end = head.body == Body::Empty;
        let (answer, send) = self.link.send_request(request, end).map_err(broken)?;
        self.sent = true;
        self.answer = Some(answer);
        if !end {
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
        let (parts, recv) = ready!(Pin::new(answer).poll(cx)).map_err(broken)?.into_parts();
        self.answer = None;
        head.status = parts.status.as_u16();
        head.reason.clear();
        head.fields.clear();
        from_map(&parts.headers, &mut head.fields);
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

fn request(head: &RequestHead, from: &Origin) -> Result<Request<()>, http::Error> {
    let mut map = HeaderMap::with_capacity(head.fields.len() + 8);
    each_request_field(head, from, |name, value| append(&mut map, name, value));
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
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_2;
    *request.headers_mut() = map;
    Ok(request)
}
