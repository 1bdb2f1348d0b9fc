//! The daemon as the heart's child.

use std::{
    env,
    fs::File,
    io,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::process::CommandExt as _,
    },
    process::Command,
    time::{Duration, Instant},
};

use nix::{
    sys::{
        signal::{Signal, kill},
        socket::{AddressFamily, SockFlag, SockType, socketpair},
    },
    unistd::Pid,
};

use super::{say, succession};
use crate::os::{
    clock, detach,
    keep::{self, Packet},
    limits,
};

/// This program, also after another one has taken its file's name.
const SELF: &str = "/proc/self/exe";

/// A daemon that has not been reaped.
pub(super) struct Daemon {
    /// Its pid.
    pub(super) pid: i32,
    /// Our end; none once it has closed its own.
    pub(super) line: Option<OwnedFd>,
    /// Whether it has said that it serves.
    pub(super) serves: bool,
    born: Instant,
}

impl Daemon {
    /// Starts one; `ready` is for the first that serves.
    pub(super) fn start(foreground: bool, ready: Option<&File>) -> io::Result<Self> {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        #[expect(clippy::disallowed_methods, reason = "the heart has no runtime to spawn through")]
        let mut command = Command::new(SELF);
        command
            .arg0(env::args_os().next().unwrap_or_else(|| "locald".into()))
            .args(["server", "start", if foreground { "--foreground" } else { "--detached" }])
            .env(keep::FD, theirs.as_raw_fd().to_string())
            .env_remove(detach::READY_FD)
            .env_remove(succession::FD);
        keep::be_patient(&ours)?;
        detach::bequeath(&theirs, true)?;
        if let Some(ready) = ready {
            detach::bequeath(ready, true)?;
            command.env(detach::READY_FD, ready.as_raw_fd().to_string());
        }
        // It is to have the limit that the heart was given, not the one that the heart needs.
        limits::with_original(|| command.spawn()).and_then(|child| {
            if let Some(ready) = ready {
                detach::bequeath(ready, false)?;
            }
            let pid = child.id().cast_signed();
            Ok(Self { pid, line: Some(ours), serves: false, born: clock::now() })
        })
    }

    /// What it says next; none: nothing for now.
    pub(super) fn receive(&mut self) -> Option<Packet> {
        match keep::try_receive(self.line.as_ref()?) {
            Ok(Some(packet)) => return Some(packet),
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Err(error) => say(&format!("the daemon is not to be understood: {error}")),
        }
        self.line = None;
        None
    }

    /// Tells it something. It has not been reaped, so the pid is its own.
    pub(super) fn signal(&self, signal: Signal) {
        let _gone = kill(Pid::from_raw(self.pid), signal);
    }

    /// How long it has been there.
    pub(super) fn age(&self) -> Duration {
        clock::now().saturating_duration_since(self.born)
    }
}
