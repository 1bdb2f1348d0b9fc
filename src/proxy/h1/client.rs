//! The end that asks, by HTTP/1.

use std::{
    io,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite};

use super::wire::{Wire, put_field};
use crate::proxy::{
    fields::{Fields, Known},
    forwarded::each_response_field,
    head::{Body, RequestHead, ResponseHead, Version},
    reason,
    side::{Client, Piece, Side},
    worker::Load,
};

/// A connection of a client.
pub(super) struct Asker<S> {
    pub(super) wire: Wire<S>,
    /// Whether the connection ends with this answer.
    pub(super) close: bool,
    /// Whether its answer has begun.
    pub(super) has_begun: bool,
    /// Who knows whether this answer is the last one.
    pub(super) load: Option<Arc<Load>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Side for Asker<S> {
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

impl<S: AsyncRead + AsyncWrite + Unpin> Client for Asker<S> {
    fn inform(&mut self, head: &ResponseHead) -> io::Result<()> {
        let out = &mut self.wire.output;
        put_status(out, head)?;
        each_response_field(&head.fields, false, |name, value| put_field(out, name, value));
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn respond(&mut self, head: &ResponseHead, to: &RequestHead, more: bool) -> io::Result<()> {
        self.has_begun = true;
        let old = to.version == Version::Http10;
        let body = match head.body {
            // A client of HTTP/1.0 knows no chunks: the end of the connection is the end.
            Body::Stream if old => Body::Tunnel,
            body => body,
        };
        let last = self.load.as_ref().is_some_and(|load| load.is_draining());
        self.close |= more || last || body == Body::Tunnel;
        let out = &mut self.wire.output;
        put_status(out, head)?;
        // 204 has no length; that of an answer to HEAD, or of 304, is of what is not sent.
        let length = head.status >= 200 && head.status != 204 && head.body != Body::Stream;
        each_response_field(&head.fields, length, |name, value| put_field(out, name, value));
        match (head.body, body) {
            (Body::Tunnel, _) => {
                put_field(out, b"Connection", b"Upgrade");
                head.fields.all(Known::Upgrade).for_each(|value| put_field(out, b"Upgrade", value));
            }
            (Body::Empty, _)
                if head.status >= 200
                    && !matches!(head.status, 204 | 304)
                    && !to.is_head()
                    && head.fields.first(Known::ContentLength).is_none() =>
            {
                put_field(out, b"Content-Length", b"0");
            }
            (Body::Stream, Body::Stream) => put_field(out, b"Transfer-Encoding", b"chunked"),
            _ => {}
        }
        if head.body == Body::Tunnel {
        } else if self.close {
            put_field(out, b"Connection", b"close");
        } else if old {
            put_field(out, b"Connection", b"keep-alive");
        }
        out.extend_from_slice(b"\r\n");
        if head.body == Body::Tunnel {
            self.wire.start_input(0, Body::Tunnel, true);
        }
        self.wire.start_output(body);
        Ok(())
    }

    fn poll_gone(&mut self, _: &mut Context<'_>) -> Poll<()> {
        // It may have closed its half and still wait: whether it has gone is found out by writing.
        Poll::Pending
    }
}

fn put_status(out: &mut Vec<u8>, head: &ResponseHead) -> io::Result<()> {
    if head.status == 200 && (head.reason.is_empty() || head.reason == b"OK") {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return Ok(());
    }
    io::Write::write_fmt(out, format_args!("HTTP/1.1 {} ", head.status))?;
    let known = reason(head.status).as_bytes();
    out.extend_from_slice(if head.reason.is_empty() { known } else { &head.reason });
    out.extend_from_slice(b"\r\n");
    Ok(())
}
