//! Moves a body from one end to the other, in constant memory.

use std::task::{Context, Poll, ready};

use super::side::{Piece, Side};

/// How far a body has been moved.
#[derive(Debug, Default)]
pub(super) struct Pump {
    /// So many bytes of it.
    pub(super) bytes: u64,
    ended: bool,
    pub(super) done: bool,
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
            match from.piece().map_err(|_| Broken::Source)? {
                Piece::Data(data) => {
                    let count = ready!(to.poll_put(cx, data)).map_err(|_| Broken::Sink)?;
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
