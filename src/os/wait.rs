//! Fetching the status of children: peeking, and reaping.

#![expect(unsafe_code, reason = "waitid's siginfo: nix cannot tell deaths by real-time signals")]

use std::{
    io, mem,
    os::fd::{AsRawFd, BorrowedFd},
};

use super::signals::signal_name;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(number) => f.write_str(&signal_name(*number)),
        }
    }
}

/// The ending of the child behind `pidfd`, if it has ended; it stays a zombie. ECHILD: it has been
/// reaped, or never was a child.
pub(super) fn peek(pidfd: BorrowedFd<'_>) -> io::Result<Option<Ending>> {
    let id = pidfd.as_raw_fd().cast_unsigned();
    Ok(waitid(libc::P_PIDFD, id, libc::WNOWAIT)?.map(|(_, ending)| ending))
}

/// Takes the zombie behind `pidfd` away, unless it runs or another was faster.
pub(super) fn reap(pidfd: BorrowedFd<'_>) -> io::Result<()> {
    let id = pidfd.as_raw_fd().cast_unsigned();
    unless_taken(waitid(libc::P_PIDFD, id, 0)).map(drop)
}

/// The ending of the child `pid`, if it has ended; it stays a zombie. ECHILD: it is no child of ours.
pub fn peek_pid(pid: i32) -> io::Result<Option<Ending>> {
    Ok(waitid(libc::P_PID, pid.cast_unsigned(), libc::WNOWAIT)?.map(|(_, ending)| ending))
}

/// Some child that has ended; it stays a zombie.
pub fn peek_any() -> io::Result<Option<i32>> {
    Ok(unless_taken(waitid(libc::P_ALL, 0, libc::WNOWAIT))?.map(|(pid, _)| pid))
}

/// Takes the zombie `pid` away, unless it runs or another was faster.
pub fn reap_pid(pid: i32) -> io::Result<()> {
    unless_taken(waitid(libc::P_PID, pid.cast_unsigned(), 0)).map(drop)
}

type Ended = Option<(i32, Ending)>;

fn unless_taken(result: io::Result<Ended>) -> io::Result<Ended> {
    match result {
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Ok(None),
        result => result,
    }
}

fn waitid(kind: libc::idtype_t, id: u32, flags: i32) -> io::Result<Ended> {
    // SAFETY: siginfo_t is plain data, for which all zeroes is a valid value.
    let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
    loop {
        let flags = flags | libc::WEXITED | libc::WNOHANG;
        // SAFETY: `info` lives across the call, which writes at most one siginfo_t to it.
        if unsafe { libc::waitid(kind, id, &raw mut info, flags) } == 0 {
            break;
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            _ => return Err(error),
        }
    }
    // SAFETY: zeroed, or filled in by a successful waitid, whose siginfo has both fields.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    if pid == 0 {
        return Ok(None);
    }
    let ending = match info.si_code {
        libc::CLD_EXITED => Ending::Code(status),
        _ => Ending::Signal(status),
    };
    Ok(Some((pid, ending)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zombie_that_another_took_is_no_error() {
        reap_pid(i32::MAX).unwrap();
        assert_eq!(waitid(libc::P_PID, 1, 0).unwrap_err().raw_os_error(), Some(libc::ECHILD));
    }
}
