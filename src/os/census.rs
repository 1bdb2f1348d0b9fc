//! Who belongs to which session: its members, and descendants that left it.
//!
//! Scans are shared: whoever asks while one runs is answered by the next.

#![expect(clippy::disallowed_types, reason = "what one scan finds out spares the next some work")]

mod born;
mod marks;
mod scan;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    sync::{Mutex, OnceLock, PoisonError, mpsc},
    thread,
};

use nix::{
    sys::signal::Signal,
    unistd::{Pid, getsid},
};
use tokio::sync::oneshot;

use self::scan::{Census, Scanner};
use super::{clock, leaders, pidfd, proc::StartTime};

/// A living process of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Its pid.
    pub pid: i32,
    /// When it began.
    pub started: StartTime,
    /// Its process group.
    pub group: i32,
}

/// The living processes of the session `leader` and their descendants, the leader included.
/// A descendant without living parents is known by `marker`, an entry of its environment.
/// The look-out begins after this was called.
pub async fn members(leader: i32, marker: Option<&OsStr>) -> Vec<Member> {
    let (reply, answer) = oneshot::channel();
    let request = Request { leader, marker: marker.map(OsStr::to_owned), reply };
    if let Some(requests) = requests()
        && requests.send(request).is_ok()
        && let Ok(members) = answer.await
    {
        return members;
    }
    members_now(leader, marker)
}

/// Whether the environment of `pid` has this entry.
pub(super) fn bears(pid: i32, marker: Option<&OsStr>) -> bool {
    let environment = super::proc::environment(pid).unwrap_or_default();
    let marker = marker.map(OsStrExt::as_bytes);
    marker.is_some_and(|marker| environment.split(|byte| *byte == 0).any(|entry| entry == marker))
}

/// SIGKILL for all that belongs to the session, found by a scan on this thread: for when nobody
/// can wait.
pub(super) fn kill_now(leader: i32, marker: Option<&OsStr>) {
    // A second round for what was forked during the first.
    for _round in 0..2 {
        let mut members = members_now(leader, marker);
        // Whatever was being spawned during the scan is entered after this.
        drop(leaders::quiet());
        members.retain(|member| !leads_another(member.pid, leader));
        let mut killed = false;
        for member in members {
            if member.pid != leader {
                let sent = pidfd::signal_verified(member.pid, member.started, Signal::SIGKILL);
                killed |= sent.is_ok_and(|was_there| was_there);
            }
        }
        if !killed {
            return;
        }
    }
}

/// Whether it belongs to another session that is ours: the next life of a service bears the marker of
/// the one before it, and a scan may have met it before it was entered among the leaders.
fn leads_another(pid: i32, leader: i32) -> bool {
    let session = getsid(Some(Pid::from_raw(pid))).map(Pid::as_raw);
    session.is_ok_and(|session| session != leader && leaders::is_leader(session))
}

struct Request {
    leader: i32,
    marker: Option<OsString>,
    reply: oneshot::Sender<Vec<Member>>,
}

fn members_now(leader: i32, marker: Option<&OsStr>) -> Vec<Member> {
    let wanted = HashMap::from([(leader, marker.map(OsStr::to_owned))]);
    look(wanted).remove(&leader).unwrap_or_default()
}

fn look(wanted: HashMap<i32, Option<OsString>>) -> Census {
    static SCANNER: Mutex<Option<Scanner>> = Mutex::new(None);
    let mut scanner = SCANNER.lock().unwrap_or_else(PoisonError::into_inner);
    let scanner = scanner.get_or_insert_with(Scanner::new);
    scanner.scan(clock::now(), leaders::all(), wanted)
}

/// The thread that scans, started when first needed. It sleeps while nobody asks.
fn requests() -> Option<&'static mpsc::Sender<Request>> {
    static REQUESTS: OnceLock<Option<mpsc::Sender<Request>>> = OnceLock::new();
    REQUESTS
        .get_or_init(|| {
            let (sender, receiver) = mpsc::channel();
            let thread = thread::Builder::new().name("census".to_owned());
            thread.spawn(move || serve(&receiver)).ok().map(|_handle| sender)
        })
        .as_ref()
}

fn serve(requests: &mpsc::Receiver<Request>) {
    while let Ok(first) = requests.recv() {
        let batch: Vec<Request> = std::iter::once(first).chain(requests.try_iter()).collect();
        let wanted = batch.iter().map(|one| (one.leader, one.marker.clone())).collect();
        let census = look(wanted);
        for request in batch {
            // Who stopped asking does not want to know.
            let _told =
                request.reply.send(census.get(&request.leader).cloned().unwrap_or_default());
        }
    }
}
