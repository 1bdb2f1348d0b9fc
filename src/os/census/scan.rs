//! One look at all processes.

use std::{
    collections::HashMap,
    ffi::OsString,
    os::unix::ffi::OsStrExt,
    time::{Duration, Instant},
};

use nix::unistd::{Pid, getpid, getppid, getsid};

use super::Member;
use crate::os::{leaders::Sessions, proc};

/// The living members of each session that was asked for.
pub(super) type Census = HashMap<i32, Vec<Member>>;

/// How long what was found out about a foreign session is believed, however it looks: by then
/// the kernel may have given its number to another.
const BELIEVED: Duration = Duration::from_mins(1);

/// Parents of parents that are followed; a longer chain is somebody else's.
const DEEP: usize = 256;

/// Looks at processes, and remembers whose the foreign sessions are.
///
/// A session's processes all descend from the one that began it, so they belong together:
/// what is known about one holds for all, as long as the session exists.
pub(super) struct Scanner {
    own: i32,
    foreign: HashMap<i32, Owner>,
    forgotten: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// It does not descend from us.
    Nobody,
    /// It was begun by a descendant of this leader.
    Leader(i32),
    /// It descends from us, but its parents are gone and it does not tell whose it is.
    Unknown,
}

impl Scanner {
    pub(super) fn new() -> Self {
        Self { own: getpid().as_raw(), foreign: HashMap::new(), forgotten: None }
    }

    /// The members of the sessions `wanted`, where `known` are all the sessions that are ours.
    pub(super) fn scan(
        &mut self,
        now: Instant,
        known: Sessions,
        wanted: HashMap<i32, Option<OsString>>,
    ) -> Census {
        self.forget_old(now);
        let mut census: Census = wanted.keys().map(|leader| (*leader, Vec::new())).collect();
        let mut sessions = known;
        sessions.extend(wanted);
        let pids = session_of_each();
        let mut foreign: HashMap<i32, Vec<i32>> = HashMap::new();
        let own_session = getsid(None).map_or(0, Pid::as_raw);
        for (&pid, &session) in &pids {
            if let Some(members) = census.get_mut(&session) {
                members.extend(alive(pid));
            } else if session != own_session && !sessions.contains_key(&session) {
                foreign.entry(session).or_default().push(pid);
            }
        }
        self.foreign.retain(|session, owner| {
            let still_ours =
                !matches!(owner, Owner::Leader(leader) if !sessions.contains_key(leader));
            still_ours && foreign.contains_key(session)
        });
        for (session, members) in foreign {
            let owner = self.owner_of(session, &members, &pids, &sessions);
            if let Owner::Leader(leader) = owner
                && let Some(found) = census.get_mut(&leader)
            {
                found.extend(members.into_iter().filter_map(alive));
            }
        }
        census
    }

    fn forget_old(&mut self, now: Instant) {
        let since = *self.forgotten.get_or_insert(now);
        if now.saturating_duration_since(since) >= BELIEVED {
            self.foreign.clear();
            self.forgotten = Some(now);
        }
    }

    fn owner_of(
        &mut self,
        session: i32,
        members: &[i32],
        pids: &HashMap<i32, i32>,
        sessions: &Sessions,
    ) -> Owner {
        if let Some(owner) = self.foreign.get(&session) {
            return *owner;
        }
        let mut owner = Owner::Nobody;
        for pid in members {
            match self.trace(*pid, pids, sessions) {
                Owner::Nobody => {}
                Owner::Unknown => owner = Owner::Unknown,
                found @ Owner::Leader(_) => {
                    owner = found;
                    break;
                }
            }
        }
        if owner != Owner::Unknown {
            self.foreign.insert(session, owner);
        }
        owner
    }

    /// Follows the parents of `pid` until one is known.
    fn trace(&self, pid: i32, pids: &HashMap<i32, i32>, sessions: &Sessions) -> Owner {
        let keeper = getppid().as_raw();
        let mut current = pid;
        for _step in 0..DEEP {
            let Some(stat) = proc::stat(current) else { return Owner::Unknown };
            let parent = stat.parent;
            if parent == self.own || parent == keeper {
                // An orphan that was given to us, or to whoever keeps us.
                return match by_environment(pid, sessions) {
                    Owner::Unknown if parent != self.own => Owner::Nobody,
                    owner => owner,
                };
            }
            if parent <= 1 {
                return Owner::Nobody;
            }
            let session = pids.get(&parent).copied();
            if let Some(leader) = session.filter(|session| sessions.contains_key(session)) {
                return Owner::Leader(leader);
            }
            if let Some(owner) = session.and_then(|session| self.foreign.get(&session)) {
                return *owner;
            }
            current = parent;
        }
        Owner::Nobody
    }
}

/// Kernel threads are in session 0; so is nobody else.
fn session_of_each() -> HashMap<i32, i32> {
    let Ok(pids) = proc::pids() else { return HashMap::new() };
    pids.filter_map(|pid| Some((pid, getsid(Some(Pid::from_raw(pid))).ok()?.as_raw())))
        .filter(|(_, session)| *session != 0)
        .collect()
}

fn alive(pid: i32) -> Option<Member> {
    let stat = proc::stat(pid)?;
    stat.alive.then_some(Member { pid, started: stat.started, group: stat.group })
}

fn by_environment(pid: i32, sessions: &Sessions) -> Owner {
    let Some(environment) = proc::environment(pid) else { return Owner::Unknown };
    let marked = |marker: &OsString| {
        environment.split(|byte| *byte == 0).any(|entry| entry == marker.as_bytes())
    };
    sessions
        .iter()
        .find(|(_, marker)| marker.as_ref().is_some_and(marked))
        .map_or(Owner::Unknown, |(leader, _)| Owner::Leader(*leader))
}
