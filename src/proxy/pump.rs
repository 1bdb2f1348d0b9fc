//! Moves a body from one end to the other, in constant memory.

use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};

use super::side::{Piece, Side};

/// So much of a body is kept to be sent again.
const KEPT: usize = 64 * 1024;

/// How far a body has been moved.
#[derive(Debug, Default)]
pub(super) struct Pump {
    /// So many bytes of it.
    pub(super) bytes: u64,
    ended: bool,
    pub(super) done: bool,
    /// What goes first.
    again: Bytes,
    /// All that has been moved, if it is to be kept.
    kept: Option<Vec<u8>>,
    /// Whether nothing is moved that cannot be kept.
    careful: bool,
}

/// Which end a body broke at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Broken {
    /// Where it comes from.
    Source,
    /// Where it goes.
    Sink,
}

impl Pump {
    /// One for a body of which this has been taken before.
    pub(super) fn resuming(again: Bytes) -> Self {
        Self { again, ..Self::default() }
    }

    /// Keeps what is moved, so that it can be taken back, as long as it is not too much.
    pub(super) fn keep(&mut self) {
        self.kept = Some(Vec::new());
    }

    /// Keeps what is moved, and moves nothing that would be too much until [`Self::forget`].
    pub(super) fn keep_all(&mut self) {
        self.keep();
        self.careful = true;
    }

    /// Whether nothing more is moved because it could not be kept.
    pub(super) fn is_full(&self) -> bool {
        self.careful && self.kept.as_ref().is_some_and(|kept| kept.len() >= KEPT)
    }

    /// Keeps nothing any more.
    pub(super) fn forget(&mut self) {
        self.kept = None;
    }

    /// All that has been moved, to be moved once more; none if it is not there any more.
    pub(super) fn take_back(&mut self) -> Option<Bytes> {
        match self.kept.take() {
            _ if self.bytes == 0 => Some(std::mem::take(&mut self.again)),
            kept => kept.map(Bytes::from),
        }
    }

    /// Moves what can be moved; ready when all of it is under way. What has been put is flushed
    /// before there is any waiting, so that nothing is held back.
    pub(super) fn poll(
        &mut self,
        from: &mut impl Side,
        to: &mut impl Side,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Broken>> {
        loop {
            if self.ended {
                ready!(to.poll_flush(cx)).map_err(|_| Broken::Sink)?;
                self.done = true;
                return Poll::Ready(Ok(()));
            }
            if !self.again.is_empty() {
                let count = ready!(to.poll_put(cx, &self.again)).map_err(|_| Broken::Sink)?;
                self.again.advance(count);
                self.bytes += count as u64;
                continue;
            }
            match from.piece().map_err(|_| Broken::Source)? {
                Piece::Data(_) if self.is_full() => {
                    ready!(to.poll_flush(cx)).map_err(|_| Broken::Sink)?;
                    return Poll::Pending;
                }
                Piece::Data(data) => {
                    let data = match &self.kept {
                        Some(kept) if self.careful => &data[..data.len().min(KEPT - kept.len())],
                        _ => data,
                    };
                    let count = ready!(to.poll_put(cx, data)).map_err(|_| Broken::Sink)?;
                    self.kept = self.kept.take().filter(|kept| kept.len() + count <= KEPT);
                    if let Some(kept) = &mut self.kept {
                        kept.extend_from_slice(&data[..count]);
                    }
                    from.took(count);
                    self.bytes += count as u64;
                }
                Piece::End => {
                    to.finish(from.trailers()).map_err(|_| Broken::Sink)?;
                    self.ended = true;
                }
                Piece::More => {
                    if to.poll_flush(cx).map_err(|_| ()) == Poll::Ready(Err(())) {
                        return Poll::Ready(Err(Broken::Sink));
                    }
                    ready!(from.poll_more(cx)).map_err(|_| Broken::Source)?;
                }
            }
        }
    }
}
