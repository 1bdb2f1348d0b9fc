//! The end that answers, by HTTP/1.

use std::{
    io,
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use tokio::net::TcpStream;

use super::{
    parse,
    wire::{NoHead, Wire, put_field},
};
use crate::{
    core::http2::is_greeting,
    proxy::{
        fields::{Fields, Known},
        forwarded::{Origin, each_request_field, is_tunnel},
        head::{Body, RequestHead, ResponseHead, Upgrade, Version},
        side::{Piece, Server, Side},
        websocket,
    },
};

/// The largest head of an answer.
const HEAD: usize = 256 * 1024;

/// A connection to a service.
pub(in crate::proxy) struct Upstream {
    wire: Wire<TcpStream>,
    /// Whether it can be used for another request after this one.
    keep: bool,
    /// The key that was made for a WebSocket that the client did not ask for by HTTP/1.
    key: Option<websocket::Key>,
}

/// The service does not speak HTTP/1: it has sent the first frame of HTTP/2 instead of an answer.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it speaks HTTP/2 without TLS: `protocol = \"h2c\"` says so beforehand")]
pub(in crate::proxy) struct SpeaksHttp2;

impl Upstream {
    pub(in crate::proxy) fn new(io: TcpStream) -> Self {
        Self { wire: Wire::new(io, BytesMut::new()), keep: true, key: None }
    }

    /// Whether another request can be sent on it; that is so only between two.
    pub(in crate::proxy) fn is_reusable(&self) -> bool {
        self.keep && self.wire.is_at_rest()
    }

    /// Whether it is still open, as far as is known without asking the system.
    pub(in crate::proxy) fn is_alive(&self) -> bool {
        let closed = self.wire.io.try_read(&mut [0]);
        closed.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Makes it ready to wait for the next request.
    pub(in crate::proxy) fn rest(&mut self) {
        self.wire.rest();
        self.wire.has_sent = false;
    }
}

impl Side for Upstream {
    fn piece(&mut self) -> io::Result<Piece<'_>> {
        self.wire.piece()
    }

    fn took(&mut self, count: usize) {
        self.wire.took(count);
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.poll_more(cx)
    }

    fn trailers(&self) -> Option<&Fields> {
        self.wire.trailers()
    }

    fn poll_put(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.wire.poll_put(cx, data)
    }

    fn finish(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        self.wire.finish(trailers)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.poll_flush(cx)
    }
}

impl Server for Upstream {
    fn ask(&mut self, head: &RequestHead, from: &Origin) -> io::Result<()> {
        let out = &mut self.wire.output;
        let websocket = head.upgrade == Upgrade::WebSocket;
        out.extend_from_slice(if websocket { b"GET" } else { &head.method });
        out.push(b' ');
        out.extend_from_slice(&head.path);
        out.extend_from_slice(b" HTTP/1.1\r\n");
        put_field(out, b"Host", &head.authority);
        each_request_field(head, from, |name, value| put_field(out, name, value));
        match head.body {
            Body::Length(length) => put_length(out, length)?,
            Body::Stream => put_field(out, b"Transfer-Encoding", b"chunked"),
            Body::Empty if head.fields.first(Known::ContentLength).is_some() => put_length(out, 0)?,
            Body::Empty | Body::Tunnel => {}
        }
        match head.upgrade {
            Upgrade::None => {}
            Upgrade::Http1 => {
                put_field(out, b"Connection", b"Upgrade");
                head.fields.all(Known::Upgrade).for_each(|value| put_field(out, b"Upgrade", value));
            }
            Upgrade::WebSocket => {
                let key = self.key.insert(websocket::Key::new());
                put_field(out, b"Connection", b"Upgrade");
                put_field(out, b"Upgrade", b"websocket");
                put_field(out, b"Sec-WebSocket-Key", key.as_bytes());
            }
        }
        out.extend_from_slice(b"\r\n");
        // What a tunnel carries is not sent before there is one.
        self.wire.start_output(if is_tunnel(head) { Body::Empty } else { head.body });
        self.wire.has_sent = false;
        Ok(())
    }

    fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
        to: &RequestHead,
    ) -> Poll<io::Result<()>> {
        let polled = self.wire.poll_head(cx, HEAD);
        if is_greeting(self.wire.input()) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, SpeaksHttp2)));
        }
        let length = match ready!(polled) {
            Ok(length) => length,
            Err(NoHead::Ended) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            Err(NoHead::Broken(error)) if self.wire.input().is_empty() => {
                return Poll::Ready(Err(error));
            }
            Err(NoHead::Broken(_)) => {
                return Poll::Ready(Err(garbage("it broke off within the head of its answer")));
            }
            Err(NoHead::TooLarge) => {
                return Poll::Ready(Err(garbage("the head of its answer is too large")));
            }
            Err(NoHead::BareNewline) => return Poll::Ready(Err(garbage("its answer is not HTTP"))),
        };
        let version = parse::response(&self.wire.input()[..length], head).map_err(garbage)?;
        let tunnel = is_tunnel(to);
        if head.status == 101 {
            self.check_upgrade(head, tunnel)?;
        }
        let body = parse::response_body(head, to.is_head(), tunnel).map_err(garbage)?;
        head.body = body.body;
        let persistent =
            version == Version::Http11 || head.fields.lists(Known::Connection, b"keep-alive");
        self.keep &=
            persistent && !body.at_close && !head.fields.lists(Known::Connection, b"close");
        self.wire.start_input(length, body.body, body.at_close);
        if head.status == 101 {
            self.wire.start_output(Body::Tunnel);
        }
        Poll::Ready(Ok(()))
    }

    fn has_sent(&self) -> bool {
        self.wire.has_sent
    }
}

impl Upstream {
    fn check_upgrade(&self, head: &ResponseHead, asked: bool) -> io::Result<()> {
        if !asked {
            return Err(garbage("it changed the protocol, which nobody asked for"));
        }
        match &self.key {
            Some(key)
                if head.fields.named(b"sec-websocket-accept") != Some(key.accept().as_bytes()) =>
            {
                Err(garbage("it did not accept the WebSocket that it was asked for"))
            }
            _ => Ok(()),
        }
    }
}

fn put_length(out: &mut Vec<u8>, length: u64) -> io::Result<()> {
    io::Write::write_fmt(out, format_args!("Content-Length: {length}\r\n"))
}

fn garbage(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
