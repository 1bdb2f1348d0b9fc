//! Descriptors of processes: signals and waits that cannot hit a stranger who got the same pid.

use std::{
    future, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::signal::Signal,
};
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
use tokio::io::unix::AsyncFd;

use super::{
    proc::{self, StartTime},
    watched,
};

/// A process that cannot be mistaken for another.
#[derive(Debug)]
pub struct Pidfd(AsyncFd<OwnedFd>);

impl Pidfd {
    /// The process `pid`, which the caller knows to be the one meant: a child not yet reaped.
    /// Must be called within a tokio runtime.
    pub(super) fn of_child(pid: i32) -> io::Result<Self> {
        Self::watch(open(pid)?)
    }

    /// The process `pid` that began at `started`; none if that one is gone.
    /// Must be called within a tokio runtime.
    pub fn of(pid: i32, started: StartTime) -> io::Result<Option<Self>> {
        open_verified(pid, started)?.map(Self::watch).transpose()
    }

    /// Completes when the process has ended (perhaps as a zombie not yet reaped).
    pub async fn gone(&self) {
        if self.0.readable().await.is_err() {
            // The runtime is shutting down: nobody is left to be told.
            future::pending::<()>().await;
        }
    }

    /// Whether the process has ended.
    pub fn has_ended(&self) -> bool {
        let mut polled = [PollFd::new(self.as_fd(), PollFlags::POLLIN)];
        poll(&mut polled, PollTimeout::ZERO).is_ok_and(|count| count > 0)
    }

    /// Sends `signal`; a process that is gone does not mind.
    pub fn send(&self, signal: Signal) -> io::Result<()> {
        send(self.as_fd(), signal)
    }

    fn watch(fd: OwnedFd) -> io::Result<Self> {
        watched::readable(fd).map(Self)
    }
}

impl AsFd for Pidfd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Sends `signal` to the process `pid` that began at `started`, and to no other.
/// Answers whether that one was there.
pub fn signal_verified(pid: i32, started: StartTime, signal: Signal) -> io::Result<bool> {
    match open_verified(pid, started)? {
        Some(fd) => send(fd.as_fd(), signal).map(|()| true),
        None => Ok(false),
    }
}

fn open(pid: i32) -> io::Result<OwnedFd> {
    let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}

/// First the descriptor, then the look at the start time: what we looked at is what we hold.
fn open_verified(pid: i32, started: StartTime) -> io::Result<Option<OwnedFd>> {
    match open(pid) {
        Ok(fd) => Ok(proc::stat(pid).is_some_and(|stat| stat.started == started).then_some(fd)),
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
        Err(error) => Err(error),
    }
}

fn send(fd: BorrowedFd<'_>, signal: Signal) -> io::Result<()> {
    let signal = rustix::process::Signal::from_named_raw(signal as i32)
        .ok_or(io::ErrorKind::InvalidInput)?;
    match pidfd_send_signal(fd, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
