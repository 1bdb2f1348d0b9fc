//! Takes connections from a listener and deals them out.

use std::{
    fs::File,
    io::{self, Write as _},
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};

use futures_util::FutureExt as _;
use rustix::process::{Resource, getrlimit};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};

use super::engine::Crew;

/// After an error that will not go away at once, nothing is tried for so long.
const PAUSE: Duration = Duration::from_millis(20);
/// Descriptors that are not for the proxy.
const RESERVED: u64 = 64;
const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 42\r\n\
Retry-After: 1\r\nConnection: close\r\n\r\nThe proxy has too many connections: retry\n";

/// What a listener is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Plain HTTP.
    Http,
    /// TLS; what comes without is sent there.
    Https,
}

/// How many connections there may be: each needs two descriptors.
pub(super) fn most_connections() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit.saturating_sub(RESERVED).max(RESERVED) / 2).unwrap_or(usize::MAX)
}

/// Takes connections for ever.
pub(super) async fn accept(listener: TcpListener, kind: Kind, crew: Rc<Crew>) {
    let mut spare = open_spare();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => deal(stream, peer, kind, &crew),
            Err(error) if is_passing(&error) => {}
            Err(error) => {
                if is_exhausted(&error) {
                    // The spare descriptor lets the one who waits be told.
                    drop(spare.take());
                    if let Some(Ok((stream, _))) = listener.accept().now_or_never() {
                        refuse(stream, kind);
                    }
                    spare = open_spare();
                }
                sleep(PAUSE).await;
            }
        }
        if spare.is_none() {
            spare = open_spare();
        }
    }
}

fn deal(stream: TcpStream, peer: SocketAddr, kind: Kind, crew: &Crew) {
    if crew.is_full() {
        return refuse(stream, kind);
    }
    // It is to live on whichever thread has the fewest: this one lets go of it.
    if let Ok(stream) = stream.into_std() {
        crew.deal(stream, peer, kind);
    }
}

/// Says that there is no room, without waiting for anything.
fn refuse(stream: TcpStream, kind: Kind) {
    if kind == Kind::Http
        && let Ok(mut stream) = stream.into_std()
    {
        stream.write_all(BUSY).ok();
    }
}

/// Whether an error is only about the connection that was to be taken.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ECONNABORTED | libc::EINTR | libc::EPROTO | libc::EPERM | libc::ENETDOWN)
    )
}

fn is_exhausted(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

fn open_spare() -> Option<File> {
    File::open("/dev/null").ok()
}
