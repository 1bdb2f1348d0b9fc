//! Gathers what HTTP/2 writes. The `h2` crate flushes behind each frame of data, which would make a
//! TLS record and a system call of each: here only the connection's task flushes, once for all that
//! its streams had to say.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// So much is gathered; four TLS records.
const TOGETHER: usize = 64 * 1024;

/// A connection on which nothing happens keeps no more.
const KEPT: usize = 8 * 1024;

/// A connection, shared by the one who writes to it and the one who flushes.
pub(super) struct Cork<S>(Rc<RefCell<Gathered<S>>>);

struct Gathered<S> {
    io: S,
    output: Vec<u8>,
    sent: usize,
    /// Whether some of what has been written may wait in the connection still, as TLS keeps what the
    /// system has no room for.
    unflushed: bool,
}

impl<S> Cork<S> {
    pub(super) fn new(io: S) -> Self {
        Self(Rc::new(RefCell::new(Gathered { io, output: Vec::new(), sent: 0, unflushed: false })))
    }

    /// The same connection.
    pub(super) fn share(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: AsyncWrite + Unpin> Cork<S> {
    /// Gives back memory that one large answer needed, if nothing waits in it.
    pub(super) fn rest(&self) {
        let output = &mut self.0.borrow_mut().output;
        if output.is_empty() && output.capacity() > KEPT {
            *output = Vec::new();
        }
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_empty(&self) -> bool {
        let gathered = self.0.borrow();
        gathered.output.is_empty() && !gathered.unflushed
    }

    /// Writes all that has been gathered.
    pub(super) fn poll_release(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut gathered = self.0.borrow_mut();
        ready!(gathered.poll_write_all(cx))?;
        if gathered.unflushed {
            ready!(Pin::new(&mut gathered.io).poll_flush(cx))?;
            gathered.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Gathered<S> {
    fn poll_write_all(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.output.len() {
            let count = ready!(Pin::new(&mut self.io).poll_write(cx, &self.output[self.sent..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += count;
            self.unflushed = true;
        }
        self.output.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    fn poll_gather(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if self.output.len() >= TOGETHER {
            ready!(self.poll_write_all(cx))?;
        }
        let count = data.len().min(TOGETHER - self.output.len());
        self.output.extend_from_slice(&data[..count]);
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Cork<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.borrow_mut().io).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Cork<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().poll_gather(cx, data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut gathered = self.0.borrow_mut();
        let mut total = 0;
        for data in data.iter().filter(|data| !data.is_empty()) {
            match gathered.poll_gather(cx, data) {
                Poll::Ready(Ok(count)) => {
                    total += count;
                    if count < data.len() {
                        break;
                    }
                }
                _ if total > 0 => break,
                other => return other,
            }
        }
        Poll::Ready(Ok(total))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Nothing: see [`Cork::poll_release`].
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut gathered = self.0.borrow_mut();
        ready!(gathered.poll_write_all(cx))?;
        Pin::new(&mut gathered.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufWriter, duplex};

    use super::*;

    #[tokio::test]
    async fn what_the_connection_keeps_is_written_too() {
        let (near, mut far) = duplex(4);
        // Like TLS, it takes more than there is room for.
        let mut cork = Cork::new(BufWriter::with_capacity(64, near));
        cork.write_all(b"sixteen letters.").await.unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            assert!(!cork.is_empty());
            assert!(cork.poll_release(&mut cx).is_pending());
            let mut some = [0; 4];
            far.read_exact(&mut some).now_or_never().expect("some has been written").unwrap();
        }
        assert!(cork.poll_release(&mut cx).is_ready());
        assert!(cork.is_empty());
    }
}
