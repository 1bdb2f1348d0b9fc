//! One look at all processes.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    time::{Duration, Instant},
};

use nix::unistd::{Pid, getpid, getppid, getsid};

use super::{Member, born::Born, marks};
use crate::os::{leaders::Sessions, proc};

/// The living members of each session that was asked for.
pub(super) type Census = HashMap<i32, Vec<Member>>;

/// How long what was found out about a foreign session is believed, however it looks: by then
/// the kernel may have given its number to another.
const BELIEVED: Duration = Duration::from_mins(1);

/// Parents of parents that are followed; a longer chain is somebody else's.
const DEEP: usize = 256;

/// How long we wait for programs to be loaded, which takes microseconds unless the machine is
/// very busy.
const LOADING: Duration = Duration::from_secs(1);

/// How often those born meanwhile are looked for: enough for all but a bomb, and of that some
/// have been found by then.
const ROUNDS: usize = 20;

/// Looks at processes, and remembers whose the foreign sessions are.
///
/// A session's processes all descend from the one that began it, so they belong together:
/// what is known about one holds for all, as long as the session exists.
pub(super) struct Scanner {
    own: i32,
    foreign: HashMap<i32, Owner>,
    forgotten: Option<Instant>,
}

/// Whose a foreign session is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// It does not descend from us.
    Nobody,
    /// It was begun by a descendant of this leader.
    Leader(i32),
    /// It descends from us, but its parents are gone and it does not tell whose it is.
    Unknown,
}

/// One scan: the session of each process, and those that were asked for.
struct Look<'a> {
    pids: HashMap<i32, i32>,
    sessions: &'a Sessions,
    census: Census,
    /// Until when we wait for programs to be loaded, all in all.
    patience: Instant,
}

impl Scanner {
    pub(super) fn new() -> Self {
        Self { own: getpid().as_raw(), foreign: HashMap::new(), forgotten: None }
    }

    /// The members of the sessions `wanted`, where `known` are all the sessions that are ours.
    ///
    /// While the list is read and worked off, a process may fork and end: it would be seen dead,
    /// and its child not at all. So those born meanwhile are looked at, too.
    pub(super) fn scan(
        &mut self,
        now: Instant,
        known: Sessions,
        wanted: HashMap<i32, Option<OsString>>,
    ) -> Census {
        self.forget_old(now);
        let census = wanted.keys().map(|leader| (*leader, Vec::new())).collect();
        let mut sessions = known;
        sessions.extend(wanted);
        let patience = now + LOADING;
        let mut look = Look { pids: HashMap::new(), sessions: &sessions, census, patience };
        let mut born = Born::from_now();
        let all: Vec<i32> = proc::pids().map(Iterator::collect).unwrap_or_default();
        self.sort_out(&mut look, all);
        self.forget_gone(&look);
        for _round in 0..ROUNDS {
            let new = born.meanwhile();
            if new.is_empty() {
                break;
            }
            self.sort_out(&mut look, new);
        }
        look.census
    }

    fn forget_old(&mut self, now: Instant) {
        let since = *self.forgotten.get_or_insert(now);
        if now.saturating_duration_since(since) >= BELIEVED {
            self.foreign.clear();
            self.forgotten = Some(now);
        }
    }

    fn forget_gone(&mut self, look: &Look<'_>) {
        let there: HashSet<i32> = look.pids.values().copied().collect();
        self.foreign.retain(|session, owner| match owner {
            Owner::Leader(leader) if !look.sessions.contains_key(leader) => false,
            _ => there.contains(session),
        });
    }

    /// Enters the processes `pids` where they belong.
    fn sort_out(&mut self, look: &mut Look<'_>, pids: Vec<i32>) {
        // All their sessions first: the tracing goes by the parents' ones.
        let pids: Vec<(i32, i32)> = pids
            .into_iter()
            .filter_map(|pid| Some((pid, session_of(pid)?)))
            .filter(|(pid, _)| !look.pids.contains_key(pid))
            .collect();
        look.pids.extend(pids.iter().copied());
        let own_session = session_of(0);
        let mut foreign: HashMap<i32, Vec<i32>> = HashMap::new();
        for (pid, session) in pids {
            if let Some(members) = look.census.get_mut(&session) {
                members.extend(alive(pid));
            } else if Some(session) != own_session && !look.sessions.contains_key(&session) {
                foreign.entry(session).or_default().push(pid);
            }
        }
        for (session, members) in foreign {
            if let Owner::Leader(leader) = self.owner_of(session, &members, look)
                && let Some(found) = look.census.get_mut(&leader)
            {
                found.extend(members.into_iter().filter_map(alive));
            }
        }
    }

    fn owner_of(&mut self, session: i32, members: &[i32], look: &Look<'_>) -> Owner {
        if let Some(owner) = self.foreign.get(&session) {
            return *owner;
        }
        let mut owner = Owner::Nobody;
        for pid in members {
            match self.trace(*pid, look) {
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
    fn trace(&self, pid: i32, look: &Look<'_>) -> Owner {
        let keeper = getppid().as_raw();
        let mut current = pid;
        for _step in 0..DEEP {
            let Some(stat) = proc::stat(current) else { return Owner::Unknown };
            let parent = stat.parent;
            if parent == self.own || parent == keeper {
                // An orphan that was given to us, or to whoever keeps us.
                return match marks::owner(current, look.sessions, look.patience) {
                    Owner::Unknown if parent != self.own => Owner::Nobody,
                    owner => owner,
                };
            }
            if parent <= 1 {
                return Owner::Nobody;
            }
            let session = look.pids.get(&parent).copied().or_else(|| session_of(parent));
            if let Some(leader) = session.filter(|session| look.sessions.contains_key(session)) {
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

/// Kernel threads are in session 0, and nobody else is.
fn session_of(pid: i32) -> Option<i32> {
    let session = getsid(Some(Pid::from_raw(pid))).ok()?.as_raw();
    (session != 0).then_some(session)
}

fn alive(pid: i32) -> Option<Member> {
    let stat = proc::stat(pid)?;
    stat.alive.then_some(Member { pid, started: stat.started, group: stat.group })
}
