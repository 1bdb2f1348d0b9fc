//! Makes an output's descriptor known to the reactor.

#![expect(unsafe_code, reason = "tokio asks for a promise about the descriptor")]

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

pub(super) fn readable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` stays open, and the same, for as long as the `AsyncFd` that owns it; nobody
    // takes it out.
    Ok(unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }?)
}
