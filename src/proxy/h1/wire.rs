//! One HTTP/1 connection, of either role: buffers, framing in, framing out.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::poll_read_buf;

use super::{
    framing::{Framing, Step, head_end},
    parse,
};
use crate::proxy::{fields::Fields, forwarded::each_trailer, head::Body, side::Piece};

/// The first read is for that much, and each one for more as long as they are filled.
const FIRST_READ: usize = 4 * 1024;
/// No read is for more.
const LARGEST_READ: usize = 256 * 1024;
/// Data up to this size is copied to what is sent together.
const SMALL: usize = 16 * 1024;

/// One HTTP/1 connection.
pub(in crate::proxy) struct Wire<S> {
    pub(super) io: S,
    input: BytesMut,
    /// How far the input has been looked through for the end of a head.
    scanned: usize,
    next_read: usize,
    eof: bool,
    framing: Framing,
    trailers: Fields,
    pub(super) output: Vec<u8>,
    /// So much of the output is under way.
    sent: usize,
    outbound: Outbound,
    /// Whether a byte has left since [`Self::start_output`].
    pub(super) has_sent: bool,
}

/// How what goes out is delimited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outbound {
    /// It is not, or by a length that was said before; so many bytes to come.
    Plain(u64),
    /// In chunks; so much of the one begun is to come.
    Chunked(u64),
    /// By the end of this direction.
    Close,
    /// The end of this direction has been asked for.
    Shut,
}

/// Why there is no head.
#[derive(Debug)]
pub(super) enum NoHead {
    /// The connection ended before its first byte.
    Ended,
    /// It broke, or ended within.
    Broken(io::Error),
    TooLarge,
    BareNewline,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// A connection of which `input` has been read.
    pub(in crate::proxy) fn new(io: S, input: BytesMut) -> Self {
        Self {
            io,
            input,
            scanned: 0,
            next_read: FIRST_READ,
            eof: false,
            framing: Framing::Length(0),
            trailers: Fields::default(),
            output: Vec::new(),
            sent: 0,
            outbound: Outbound::Plain(0),
            has_sent: false,
        }
    }

    /// Waits for a whole head of at most `limit` bytes: its length.
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        limit: usize,
    ) -> Poll<Result<usize, NoHead>> {
        loop {
            if self.scanned == 0 && self.input.starts_with(b"\r\n") {
                self.input.advance(2); // some clients send a blank line behind a body
            }
            match head_end(&self.input, &mut self.scanned) {
                Ok(Some(length)) if length <= limit => return Poll::Ready(Ok(length)),
                Ok(None) if self.input.len() <= limit => {}
                Ok(_) => return Poll::Ready(Err(NoHead::TooLarge)),
                Err(_) if self.scanned == 0 && self.input.starts_with(b"\r") => {}
                Err(_) => return Poll::Ready(Err(NoHead::BareNewline)),
            }
            let more = ready!(self.poll_more(cx)).map_err(NoHead::Broken);
            if self.eof || more.is_err() {
                let ended = self.input.is_empty();
                return Poll::Ready(Err(match more {
                    Ok(()) if ended => NoHead::Ended,
                    Ok(()) => NoHead::Broken(io::ErrorKind::UnexpectedEof.into()),
                    Err(error) => error,
                }));
            }
        }
    }

    /// The bytes that have been read and not been taken.
    pub(super) fn input(&self) -> &[u8] {
        &self.input
    }

    /// The head has been understood: its body is next.
    pub(super) fn start_input(&mut self, head: usize, body: Body, at_close: bool) {
        self.input.advance(head);
        self.scanned = 0;
        self.framing = if at_close { Framing::Close } else { Framing::of(body) };
        self.trailers.clear();
    }

    /// What follows goes out as this.
    pub(super) fn start_output(&mut self, body: Body) {
        self.outbound = match body {
            Body::Empty => Outbound::Plain(0),
            Body::Length(length) => Outbound::Plain(length),
            Body::Stream => Outbound::Chunked(0),
            Body::Tunnel => Outbound::Close,
        };
    }

    /// Whether nothing of a message is on its way in or out, and nothing has come unasked.
    pub(super) fn is_at_rest(&self) -> bool {
        self.input.is_empty() && !self.eof && self.output.is_empty() && self.has_ended()
    }

    /// Whether the body that comes in has been read to its end.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.framing, Framing::Length(0) | Framing::Chunked(super::framing::Chunk::Done))
    }

    /// Gives back memory that one large message needed.
    pub(super) fn rest(&mut self) {
        if self.input.is_empty() && self.next_read > FIRST_READ {
            self.input = BytesMut::new();
            self.next_read = FIRST_READ;
        }
        if self.output.is_empty() && self.output.capacity() > 2 * SMALL {
            self.output = Vec::new();
        }
    }

    pub(super) fn piece(&mut self) -> io::Result<Piece<'_>> {
        loop {
            match self.framing.step(&self.input).map_err(io::Error::other)? {
                Step::Data(count) => return Ok(Piece::Data(&self.input[..count])),
                Step::Skip(count) => self.input.advance(count),
                Step::Trailers(count) => {
                    parse::trailers(&self.input[..count], &mut self.trailers)
                        .map_err(io::Error::other)?;
                    self.input.advance(count);
                }
                Step::End => return Ok(Piece::End),
                Step::More if !self.eof => return Ok(Piece::More),
                Step::More if self.framing.ends_at_close() => return Ok(Piece::End),
                Step::More => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }

    pub(super) fn took(&mut self, count: usize) {
        self.input.advance(count);
        self.framing.took(count);
    }

    pub(super) fn trailers(&self) -> Option<&Fields> {
        (self.trailers.len() > 0).then_some(&self.trailers)
    }

    pub(super) fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.eof {
            return Poll::Ready(Ok(()));
        }
        self.input.reserve(self.next_read);
        let room = self.input.capacity() - self.input.len();
        let count = ready!(poll_read_buf(Pin::new(&mut self.io), cx, &mut self.input))?;
        self.eof = count == 0;
        if count == room {
            self.next_read = (self.next_read * 4).min(LARGEST_READ);
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_put(
        &mut self,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = match &mut self.outbound {
            Outbound::Plain(left) if *left == 0 => return Poll::Ready(Err(too_much())),
            Outbound::Plain(left) => data.len().min(usize::try_from(*left).unwrap_or(usize::MAX)),
            Outbound::Chunked(left) => {
                if *left == 0 {
                    *left = data.len() as u64;
                    io::Write::write_fmt(&mut self.output, format_args!("{:x}\r\n", data.len()))?;
                }
                data.len().min(usize::try_from(*left).unwrap_or(usize::MAX))
            }
            Outbound::Close => data.len(),
            Outbound::Shut => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        };
        let waiting = self.output.len() - self.sent;
        let count = if waiting + count <= SMALL {
            self.output.extend_from_slice(&data[..count]);
            count
        } else {
            ready!(self.poll_write(cx, &data[..count]))?
        };
        match &mut self.outbound {
            Outbound::Plain(left) => *left -= count as u64,
            Outbound::Chunked(left) => {
                *left -= count as u64;
                if *left == 0 {
                    self.output.extend_from_slice(b"\r\n");
                }
            }
            Outbound::Close | Outbound::Shut => {}
        }
        Poll::Ready(Ok(count))
    }

    pub(super) fn finish(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        match self.outbound {
            Outbound::Plain(0) | Outbound::Shut => {}
            Outbound::Plain(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Outbound::Close => self.outbound = Outbound::Shut,
            Outbound::Chunked(_) => {
                self.output.extend_from_slice(b"0\r\n");
                if let Some(trailers) = trailers {
                    each_trailer(trailers, |name, value| put_field(&mut self.output, name, value));
                }
                self.output.extend_from_slice(b"\r\n");
                self.outbound = Outbound::Plain(0);
            }
        }
        Ok(())
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.output.len() {
            ready!(self.poll_write(cx, &[]))?;
        }
        self.output.clear();
        self.sent = 0;
        if self.outbound == Outbound::Shut {
            return Pin::new(&mut self.io).poll_shutdown(cx);
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Writes what waits, and `data` behind it; returns how much of `data` once some of it is
    /// under way, or if there is none, once something is.
    fn poll_write(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let waiting = &self.output[self.sent..];
            let io = Pin::new(&mut self.io);
            let count = if waiting.is_empty() {
                ready!(io.poll_write(cx, data))?
            } else if data.is_empty() {
                ready!(io.poll_write(cx, waiting))?
            } else {
                ready!(io.poll_write_vectored(cx, &[IoSlice::new(waiting), IoSlice::new(data)]))?
            };
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.has_sent = true;
            let waited = waiting.len();
            if count < waited {
                self.sent += count;
            } else {
                self.output.clear();
                self.sent = 0;
            }
            if count > waited || data.is_empty() {
                return Poll::Ready(Ok(count.saturating_sub(waited)));
            }
        }
    }
}

/// Writes a field of a head.
pub(super) fn put_field(output: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    output.reserve(name.len() + value.len() + 4);
    output.extend_from_slice(name);
    output.extend_from_slice(b": ");
    output.extend_from_slice(value);
    output.extend_from_slice(b"\r\n");
}

fn too_much() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "more of a body than its length")
}
