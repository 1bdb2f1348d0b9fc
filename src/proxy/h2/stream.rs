//! Both directions of one HTTP/2 stream, of either role.

use std::{
    io,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes, BytesMut};
use h2::{Reason, RecvStream, SendStream};

use super::fields::{from_map, trailers_to_map};
use crate::proxy::{fields::Fields, side::Piece};

/// No frame is larger, so that streams take turns.
const FRAME: usize = 64 * 1024;
/// Less than that is copied to memory of its own.
const SMALL: usize = 4 * 1024;

/// Both directions of one stream.
#[derive(Default)]
pub(super) struct Stream {
    recv: Option<RecvStream>,
    held: Bytes,
    reading: Reading,
    trailers: Fields,
    send: Option<SendStream<Bytes>>,
    /// The last of what was put, so that the end can go with it.
    last: Option<Bytes>,
    /// As many pieces as were on their way at once.
    memory: Vec<BytesMut>,
    /// Why the peer took the stream back.
    taken_back: Option<Reason>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Reading {
    #[default]
    Data,
    Trailers,
    End,
}

impl Stream {
    pub(super) fn receive(&mut self, recv: RecvStream) {
        self.recv = Some(recv);
    }

    pub(super) fn send(&mut self, send: SendStream<Bytes>) {
        self.send = Some(send);
    }

    pub(super) fn is_sending(&self) -> bool {
        self.send.is_some()
    }

    pub(super) fn piece(&self) -> Piece<'_> {
        let Some(recv) = &self.recv else { return Piece::End };
        if !self.held.is_empty() {
            return Piece::Data(&self.held);
        }
        if self.reading == Reading::End || recv.is_end_stream() { Piece::End } else { Piece::More }
    }

    pub(super) fn took(&mut self, count: usize) {
        self.held.advance(count);
        if let Some(recv) = &mut self.recv {
            // An error here is the stream's end, which the next read tells.
            recv.flow_control().release_capacity(count).ok();
        }
    }

    pub(super) fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(recv) = &mut self.recv else { return Poll::Ready(Ok(())) };
        loop {
            match self.reading {
                Reading::Data => match ready!(recv.poll_data(cx)) {
                    Some(Ok(data)) if data.is_empty() => {}
                    Some(Ok(data)) => {
                        self.held = data;
                        return Poll::Ready(Ok(()));
                    }
                    Some(Err(error)) => {
                        self.taken_back = remote(&error);
                        return Poll::Ready(Err(broken(error)));
                    }
                    None => self.reading = Reading::Trailers,
                },
                Reading::Trailers => {
                    if let Some(map) = ready!(recv.poll_trailers(cx)).map_err(broken)? {
                        from_map(&map, &mut self.trailers);
                    }
                    self.reading = Reading::End;
                }
                Reading::End => return Poll::Ready(Ok(())),
            }
        }
    }

    pub(super) fn trailers(&self) -> Option<&Fields> {
        (self.trailers.len() > 0).then_some(&self.trailers)
    }

    pub(super) fn poll_put(
        &mut self,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.send_last(false)?;
        let send = self.send.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let wanted = data.len().min(FRAME);
        send.reserve_capacity(wanted);
        while send.capacity() == 0 {
            match ready!(send.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        let count = wanted.min(send.capacity());
        self.last = Some(self.copied(&data[..count]));
        Poll::Ready(Ok(count))
    }

    pub(super) fn finish(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        let Some(trailers) = trailers else { return self.send_last(true) };
        self.send_last(false)?;
        match self.send.take() {
            Some(mut send) => send.send_trailers(trailers_to_map(trailers)).map_err(broken),
            None => Ok(()),
        }
    }

    pub(super) fn poll_flush(&mut self) -> Poll<io::Result<()>> {
        Poll::Ready(self.send_last(false))
    }

    /// Why the peer took the stream back, if it did.
    pub(super) fn taken_back(&self) -> Option<Reason> {
        self.taken_back
    }

    /// Notes an error that came before there was anything to read.
    pub(super) fn note(&mut self, error: &h2::Error) {
        self.taken_back = remote(error);
    }

    /// Ready when the peer has taken the stream back.
    pub(super) fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.send {
            Some(send) => send.poll_reset(cx).map(|_| ()),
            None => Poll::Pending,
        }
    }

    /// Breaks it off, so that nobody takes it for complete.
    pub(super) fn reset(&mut self, reason: Reason) {
        if let Some(mut send) = self.send.take() {
            send.send_reset(reason);
        }
    }

    /// A copy in memory that is used again once it has been sent: the allocator would give large
    /// pieces back to the system each time.
    fn copied(&mut self, data: &[u8]) -> Bytes {
        if data.len() < SMALL {
            return Bytes::copy_from_slice(data);
        }
        let free =
            self.memory.iter_mut().find_map(|piece| piece.try_reclaim(FRAME).then_some(piece));
        let piece = match free {
            Some(piece) => piece,
            None => self.memory.push_mut(BytesMut::with_capacity(FRAME)),
        };
        piece.extend_from_slice(data);
        piece.split().freeze()
    }

    fn send_last(&mut self, end: bool) -> io::Result<()> {
        if self.last.is_none() && !end {
            return Ok(());
        }
        let data = self.last.take().unwrap_or_default();
        match &mut self.send {
            Some(send) => send.send_data(data, end).map_err(broken)?,
            None if data.is_empty() => {}
            None => return Err(io::ErrorKind::BrokenPipe.into()),
        }
        if end {
            self.send = None;
        }
        Ok(())
    }
}

/// The reason of a reset that the peer sent. A stream that the peer leaves behind when it says goodbye has
/// not been begun (RFC 9113, §6.8): that is a refusal.
fn remote(error: &h2::Error) -> Option<Reason> {
    let goodbye = error.is_go_away().then_some(Reason::REFUSED_STREAM);
    let reset = error.reason().filter(|_| error.is_reset());
    goodbye.or(reset).filter(|_| error.is_remote())
}

pub(super) fn broken(error: h2::Error) -> io::Error {
    if error.is_io() {
        return error.into_io().unwrap_or_else(|| io::ErrorKind::ConnectionReset.into());
    }
    io::Error::new(io::ErrorKind::ConnectionReset, error)
}
