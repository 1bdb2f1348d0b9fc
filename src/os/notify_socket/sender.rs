//! Whether the sender of a datagram belongs to a service.

use std::fs;

use nix::{
    errno::Errno,
    unistd::{Pid, getsid, getuid},
};

use super::Datagram;

/// Parents that are looked at before a sender counts as a stranger.
const GENERATIONS: usize = 32;

/// The session of a process that is still there.
pub fn session_of(pid: i32) -> Option<i32> {
    look(pid).ok()
}

/// Whether the sender belongs to the service whose session this is: it is in the session, or it descends from one that is
/// (it has called setsid itself), or it is gone already and was of our own user.
///
/// `systemd-notify --ready` and `printf READY=1 | socat` are often gone when we look, and nothing is left to ask. Accepting
/// them is safe enough: the path of the socket is told to this service alone and lies in a folder that only our user
/// can enter, and whoever runs as our user needs no such trick.
pub fn belongs(datagram: &Datagram, session: i32) -> bool {
    match look(datagram.pid) {
        Ok(of) if of == session => true,
        Ok(_) => descends(datagram.pid, session),
        Err(Errno::ESRCH) => datagram.uid == getuid().as_raw(),
        Err(_) => false,
    }
}

fn look(pid: i32) -> Result<i32, Errno> {
    // 0 would ask for our own session: it is what a sender from another pid namespace has.
    if pid <= 0 {
        return Err(Errno::EPERM);
    }
    getsid(Some(Pid::from_raw(pid))).map(Pid::as_raw)
}

fn descends(pid: i32, session: i32) -> bool {
    let mut pid = pid;
    for _ in 0..GENERATIONS {
        match parent(pid) {
            Some(parent) if parent > 1 => pid = parent,
            _ => return false,
        }
        if session_of(pid) == Some(session) {
            return true;
        }
    }
    false
}

/// The fourth field of `stat`; the second is the command in parentheses, which may contain anything.
fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let after = memchr::memrchr(b')', &stat)? + 1;
    str::from_utf8(&stat[after..]).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::os::{
        child::Child,
        spawn::{Command, Output, spawn},
    };

    fn from(pid: i32, uid: u32) -> Datagram {
        Datagram { pid, uid, notes: Vec::new(), barrier: Vec::new() }
    }

    /// A process in a session of its own.
    fn started(argv: &[&str]) -> Child {
        let command = Command {
            argv: argv.iter().map(Into::into).collect(),
            env: vec![("PATH".into(), "/usr/bin:/bin".into())],
            dir: "/".into(),
            output: Output::Pipes,
            marker: None,
        };
        spawn(&command).expect("started").child
    }

    fn our_session() -> i32 {
        session_of(std::process::id().cast_signed()).expect("we are there")
    }

    #[tokio::test]
    async fn the_session_decides_for_whoever_is_there() {
        let child = started(&["sleep", "100"]);
        let uid = getuid().as_raw();
        assert!(belongs(&from(child.pid(), uid), child.pid()));
        assert!(!belongs(&from(child.pid(), uid), i32::MAX), "our user alone is not enough");
        assert!(!belongs(&from(1, 0), child.pid()), "nor is being root");
        assert!(!belongs(&from(std::process::id().cast_signed(), uid), child.pid()));
    }

    #[tokio::test]
    async fn a_descendant_in_a_session_of_its_own_belongs() {
        let child = started(&["sleep", "100"]);
        assert_ne!(session_of(child.pid()), Some(our_session()));
        assert!(belongs(&from(child.pid(), getuid().as_raw()), our_session()));
    }

    #[tokio::test]
    async fn of_those_gone_only_our_own_user_is_believed() {
        let child = started(&["true"]);
        child.exited().await;
        child.clear(None, Duration::ZERO).await.expect("gone");
        let uid = getuid().as_raw();
        assert!(belongs(&from(child.pid(), uid), 4242));
        assert!(!belongs(&from(child.pid(), uid + 1), 4242));
    }

    #[test]
    fn a_sender_without_a_pid_here_is_a_stranger() {
        for pid in [0, -1, i32::MIN] {
            assert!(!belongs(&from(pid, getuid().as_raw()), our_session()));
        }
    }
}
