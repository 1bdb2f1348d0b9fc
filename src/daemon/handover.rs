//! What the heart keeps for the next daemon, under which names.

use std::{
    io,
    os::fd::{AsFd as _, OwnedFd},
    path::Path,
};

use tokio::net::UnixListener;

use super::proxy::Front;
use crate::os::{
    keep::{Kept, Line},
    lock::{Lock, LockError},
    loopback::{self, Sockets},
    socket::{self, BindError},
};

const LOCK: &str = "lock";
const IPC: &str = "ipc";
const HTTP: &str = "http";
const HTTPS: &str = "https";

/// The line to the heart, if there is one, and all that it has kept.
pub(super) fn take_over() -> io::Result<(Option<&'static Line>, Kept)> {
    let Some(line) = Line::open()? else { return Ok((None, Kept::default())) };
    Ok((Some(line), line.all()?))
}

/// The right to serve.
pub(super) fn lock(kept: &mut Kept, socket: &Path) -> Result<Lock, LockError> {
    match kept.take(LOCK) {
        Some(fd) => Lock::resume(fd, socket),
        None => Lock::take(socket),
    }
}

/// The IPC socket. Must be called within a tokio runtime.
pub(super) fn listener(
    kept: &mut Kept,
    path: &Path,
    lock: &Lock,
) -> Result<UnixListener, BindError> {
    match kept.take(IPC) {
        Some(fd) => socket::resume(fd, path, lock),
        None => socket::bind(path, lock),
    }
}

/// The proxy's sockets: for HTTP, for HTTPS.
pub(super) fn doors(kept: &mut Kept) -> [Option<Sockets>; 2] {
    [HTTP, HTTPS].map(|name| {
        let sockets: Vec<OwnedFd> =
            (0..2).filter_map(|number| kept.take(&format!("{name}/{number}"))).collect();
        loopback::resume(sockets)
    })
}

/// Hands over everything that listens.
pub(super) fn keep(line: &Line, lock: &Lock, listener: &UnixListener, front: &Front) {
    line.keep(LOCK, &[], Some(lock.as_fd()));
    line.keep(IPC, &[], Some(listener.as_fd()));
    for (name, door) in [(HTTP, &front.http), (HTTPS, &front.https)] {
        let sockets = door.iter().flat_map(|door| &*door.sockets);
        for (number, socket) in sockets.enumerate() {
            line.keep(&format!("{name}/{number}"), &[], Some(socket.as_fd()));
        }
    }
}
