//! A program we started: how it ends, and how all that belongs to it is ended.

#![expect(clippy::disallowed_types, reason = "a signal and the reaping exclude each other")]

mod clear;
#[cfg(test)]
mod tests;

use std::{
    ffi::{OsStr, OsString},
    future, io,
    os::fd::AsFd,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::{Pid, getsid},
};

pub use super::wait::Ending;
use super::{
    census::{self, Member},
    keep::{self, Fate},
    leaders,
    pidfd::{self, Pidfd},
    proc::{self, StartTime},
    wait,
};

/// The exit code of a process whose status was lost.
const LOST: i32 = -1;

/// A process that leads its own session.
///
/// When it ends it stays a zombie until [`Child::clear`] has ended the rest of its session: as
/// long as it is there, its number cannot be given to another process, group or session, so the
/// group can be signalled without the risk of hitting a stranger.
#[derive(Debug)]
pub struct Child {
    pid: i32,
    started: StartTime,
    pidfd: Pidfd,
    marker: Option<OsString>,
    kin: Kin,
    state: Mutex<State>,
}

/// A process that outlived SIGKILL, which takes a kernel that is stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// Its pid.
    pub pid: i32,
    /// Its command line.
    pub command: String,
}

/// Whose child it is, and so who keeps its number from being given to another one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kin {
    /// Ours.
    Own,
    /// The heart's: an earlier daemon has started it.
    Hearts,
    /// Somebody's who knows nothing of us: the heart that started it is gone as well.
    Strangers,
}

#[derive(Debug, Default)]
struct State {
    ending: Option<Ending>,
    /// Its number may be somebody else's by now.
    reaped: bool,
    /// Nothing of its session is left.
    cleared: bool,
}

impl Child {
    /// The process just spawned and entered among the leaders.
    pub(super) fn of_spawned(pid: i32, marker: Option<OsString>) -> io::Result<Self> {
        let known = Pidfd::of_child(pid).and_then(|pidfd| {
            let stat = proc::stat(pid).ok_or(io::ErrorKind::NotFound)?;
            Ok((pidfd, stat.started))
        });
        match known {
            Ok((pidfd, started)) => {
                Ok(Self { pid, started, pidfd, marker, kin: Kin::Own, state: Mutex::default() })
            }
            Err(error) => {
                // Most likely we are out of descriptors. It must not run on unwatched.
                let _sent = killpg(Pid::from_raw(pid), Signal::SIGKILL);
                abandon(pid, marker.as_deref());
                Err(error)
            }
        }
    }

    /// The process `pid` that began at `started`, which an earlier daemon has started; none if that
    /// one is gone. Must be called within a tokio runtime.
    pub fn adopt(
        pid: i32,
        started: StartTime,
        marker: Option<OsString>,
    ) -> io::Result<Option<Self>> {
        let Some(pidfd) = Pidfd::of(pid, started)? else { return Ok(None) };
        let kin = match keep::line().map(|line| line.fate(pid)) {
            Some(Fate::Runs | Fate::Ended(_)) => Kin::Hearts,
            Some(Fate::Unknown) | None => Kin::Strangers,
        };
        leaders::enter(&leaders::permit(), pid, marker.as_deref());
        Ok(Some(Self { pid, started, pidfd, marker, kin, state: Mutex::default() }))
    }

    /// Kills what is left of the session of `leader`, whose leader is gone: only what bears the marker,
    /// since the number may be another session's by now.
    pub async fn clear_remains(leader: i32, marker: Option<&OsStr>) {
        for member in census::members(leader, marker).await {
            if census::bears(member.pid, marker)
                && let Err(error) =
                    pidfd::signal_verified(member.pid, member.started, Signal::SIGKILL)
            {
                tracing::warn!(pid = member.pid, %error, "cannot stop an orphan");
            }
        }
    }

    /// Its pid, which is also the number of its group and session.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// When it began: with the pid and the boot id, its identity.
    pub fn started(&self) -> StartTime {
        self.started
    }

    /// Completes when the leader has ended. Others of its session may go on.
    pub async fn exited(&self) -> Ending {
        loop {
            self.pidfd.gone().await;
            if let Some(ending) = self.ending() {
                return ending;
            }
            // Readable, yet nothing to fetch: no kernel does that to a child's parent.
            future::pending::<()>().await;
        }
    }

    /// How the leader ended, if it has.
    pub fn ending(&self) -> Option<Ending> {
        self.look(&mut self.state())
    }

    fn look(&self, state: &mut State) -> Option<Ending> {
        if state.ending.is_none() {
            let ending = match self.kin {
                Kin::Own => wait::peek(self.pidfd.as_fd()),
                Kin::Hearts | Kin::Strangers if !self.pidfd.has_ended() => Ok(None),
                Kin::Hearts | Kin::Strangers => {
                    match keep::line().map(|line| line.fate(self.pid)) {
                        Some(Fate::Ended(ending)) if self.kin == Kin::Hearts => Ok(Some(ending)),
                        _ => Err(io::Error::other("whoever knew is gone")),
                    }
                }
            };
            match ending {
                Ok(ending) => state.ending = ending,
                Err(error) => {
                    // Somebody else in this process waits for children, and got the status.
                    tracing::error!(pid = self.pid, %error, "cannot learn how a process ended");
                    state.ending = Some(Ending::Code(LOST));
                    state.reaped = true;
                }
            }
        }
        state.ending
    }

    /// Sends `signal` to the process group of the leader, dead or alive. After [`Self::clear`]
    /// there is none.
    pub fn signal_group(&self, signal: Signal) {
        let state = self.state();
        if !state.reaped && self.holds_number() {
            // ESRCH: all of the group are dead. EPERM: they changed their uid, see `Survivor`.
            let _sent = killpg(Pid::from_raw(self.pid), signal);
        } else if !state.cleared {
            // The number of the group may be another's by now; the leader cannot be mistaken.
            let _sent = self.pidfd.send(signal);
        }
    }

    /// Whether its number cannot be given to another process, group or session before it is cleared.
    fn holds_number(&self) -> bool {
        match self.kin {
            Kin::Own => true,
            Kin::Hearts => keep::line().is_some_and(|line| line.heart().is_some()),
            Kin::Strangers => false,
        }
    }

    /// Ends the leader, its session, and every descendant that left the session.
    ///
    /// With a `signal` they get that and have `grace` to end; what is left then, or at once
    /// without a signal, gets SIGKILL. Completes when all are gone. If some survive even that for
    /// two seconds, they are named, and it may be tried again.
    pub async fn clear(
        &self,
        signal: Option<Signal>,
        grace: Duration,
    ) -> Result<(), Vec<Survivor>> {
        self.clear_until(signal, tokio::time::sleep(grace)).await
    }

    /// Like [`Self::clear`], with a grace that ends when `patience` completes: it may be extended on
    /// the way.
    pub async fn clear_until(
        &self,
        signal: Option<Signal>,
        patience: impl Future<Output = ()>,
    ) -> Result<(), Vec<Survivor>> {
        clear::clear(self, signal, patience).await
    }

    /// The living processes of its session and their descendants, itself included.
    pub async fn members(&self) -> Vec<Member> {
        let mut members = census::members(self.pid, self.marker.as_deref()).await;
        if !self.holds_number() && self.pidfd.has_ended() {
            // By now the session may be another's.
            members.retain(|member| census::bears(member.pid, self.marker.as_deref()));
        }
        members
    }

    /// Whether `pid` is one of [`Self::members`].
    pub async fn owns(&self, pid: i32) -> bool {
        let session = getsid(Some(Pid::from_raw(pid)));
        session.is_ok_and(|session| session.as_raw() == self.pid)
            || self.members().await.iter().any(|member| member.pid == pid)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the zombie away; its number is free for others from here on.
    fn reap(&self) {
        let mut state = self.state();
        if state.cleared {
            return;
        }
        self.look(&mut state);
        leaders::forget(self.pid);
        if self.kin == Kin::Own
            && let Err(error) = wait::reap(self.pidfd.as_fd())
        {
            tracing::error!(pid = self.pid, %error, "cannot reap a process");
        }
        state.reaped = true;
        state.cleared = true;
        drop(state);
        leaders::wake_sweep();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.state().cleared {
            self.signal_group(Signal::SIGKILL);
            abandon(self.pid, self.marker.as_deref());
        }
    }
}

/// SIGKILL for whoever belongs to the session, as far as it can be seen at once; the sweep takes
/// the zombies.
fn abandon(leader: i32, marker: Option<&OsStr>) {
    census::kill_now(leader, marker);
    leaders::forget(leader);
    leaders::wake_sweep();
}
