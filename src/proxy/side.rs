//! One end of an exchange, whichever version of HTTP it speaks: bytes of a body in, bytes out.

use std::{
    future::poll_fn,
    io,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::timeout;

use super::{
    fields::Fields,
    head::{RequestHead, ResponseHead},
};

/// What a client sends on though it has been answered is taken for so long, so that it reads the answer.
const LINGER: Duration = Duration::from_secs(2);

/// One end of an exchange.
pub(super) trait Side {
    /// What is here of the body that comes from it. An error is the body broken off.
    fn piece(&mut self) -> io::Result<Piece<'_>>;
    /// So many bytes of [`Piece::Data`] have been taken.
    fn took(&mut self, count: usize);
    /// Waits until there is more to look at.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// What stood behind the body that came from it.
    fn trailers(&self) -> Option<&Fields>;

    /// Takes some of the body that goes to it; waits for room.
    fn poll_put(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>>;
    /// The body that goes to it is complete.
    fn finish(&mut self, trailers: Option<&Fields>) -> io::Result<()>;
    /// Waits until all that was put is under way.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// What is here of a body.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// Some of it; never empty.
    Data(&'a [u8]),
    /// Nothing yet.
    More,
    /// It is complete.
    End,
}

/// The end that asks.
pub(super) trait Client: Side {
    /// Sends an interim answer (1xx).
    fn inform(&mut self, head: &ResponseHead) -> io::Result<()>;
    /// Starts the answer. `more` of the request may be on its way still.
    fn respond(&mut self, head: &ResponseHead, to: &RequestHead, more: bool) -> io::Result<()>;
    /// The service took the request back, for this reason; whoever breaks off next says so too.
    fn taken_back(&mut self, _: h2::Reason) {}
    /// Waits until it is known to have gone.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// The end that answers.
pub(super) trait Server: Side {
    /// Starts the request.
    fn ask(&mut self, head: &RequestHead, from: &super::forwarded::Origin) -> io::Result<()>;
    /// Waits for a head of an answer, interim ones too. `InvalidData` is an answer that is none.
    fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
        to: &RequestHead,
    ) -> Poll<io::Result<()>>;
    /// Whether any byte of the request has left us.
    fn has_sent(&self) -> bool;
}

/// Takes for a while what comes still of a request that has been answered: were it refused, the client might
/// lose the answer.
pub(super) async fn linger(client: &mut impl Client) {
    if let Ok(Piece::End) | Err(_) = client.piece() {
        return;
    }
    let ended = poll_fn(|cx| {
        loop {
            match client.piece() {
                Ok(Piece::Data(data)) => {
                    let count = data.len();
                    client.took(count);
                    continue;
                }
                Ok(Piece::More) => {}
                Ok(Piece::End) | Err(_) => return Poll::Ready(()),
            }
            if ready!(client.poll_more(cx)).is_err() {
                return Poll::Ready(());
            }
        }
    });
    timeout(LINGER, ended).await.ok();
}
