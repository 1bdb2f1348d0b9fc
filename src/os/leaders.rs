//! The sessions that are ours: who was spawned here and has not been reaped.
//!
//! Reaping is the business of the whole process, so this is the one place with process-wide state.

#![expect(clippy::disallowed_types, reason = "spawning and reaping exclude each other by a lock")]

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use tokio::sync::Notify;

use super::keep;

/// What a scan knows about each session: its leader, and the environment entry only it has.
pub(super) type Sessions = HashMap<i32, Option<OsString>>;

/// Shared by those who spawn, held alone by who must not meet a child that is not yet entered.
static GATE: RwLock<()> = RwLock::new(());
static SESSIONS: Mutex<Option<Sessions>> = Mutex::new(None);
static FREED: Notify = Notify::const_new();

/// Permission to spawn: while it is held, no unknown child is reaped and no terminal opened.
pub(super) struct Permit {
    _guard: RwLockReadGuard<'static, ()>,
}

/// While it is held, nothing is being spawned.
pub(super) struct Quiet {
    _guard: RwLockWriteGuard<'static, ()>,
}

pub(super) fn permit() -> Permit {
    Permit { _guard: GATE.read().unwrap_or_else(PoisonError::into_inner) }
}

pub(super) fn quiet() -> Quiet {
    Quiet { _guard: GATE.write().unwrap_or_else(PoisonError::into_inner) }
}

/// Enters a child that was spawned under `_permit`.
pub(super) fn enter(_permit: &Permit, pid: i32, marker: Option<&OsStr>) {
    keep::leads(pid);
    sessions().get_or_insert_default().insert(pid, marker.map(OsStr::to_owned));
}

/// Forgets a leader, from now on anybody may reap it; so its owner does that next, if it can.
pub(super) fn forget(pid: i32) {
    if let Some(sessions) = sessions().as_mut() {
        sessions.remove(&pid);
    }
    keep::reap(pid);
}

/// Tells the sweep that a zombie may have become nobody's, or that one no longer bars its way.
pub(super) fn wake_sweep() {
    FREED.notify_one();
}

/// Completes after [`wake_sweep`].
pub(super) async fn sweep_wanted() {
    FREED.notified().await;
}

pub(super) fn is_leader(pid: i32) -> bool {
    sessions().as_ref().is_some_and(|sessions| sessions.contains_key(&pid))
}

pub(super) fn all() -> Sessions {
    sessions().clone().unwrap_or_default()
}

fn sessions() -> MutexGuard<'static, Option<Sessions>> {
    SESSIONS.lock().unwrap_or_else(PoisonError::into_inner)
}
