//! What the heart holds for the daemon: notes and descriptors by name, and the leaders of sessions.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    os::fd::{AsFd as _, OwnedFd},
};

use super::say;
use crate::os::{
    keep::{self, Fate, Packet},
    wait,
};

/// All of it.
#[derive(Default)]
pub(super) struct Store {
    pub(super) kept: BTreeMap<String, (Vec<u8>, Option<OwnedFd>)>,
    /// Those that must stay zombies until the daemon has taken notice.
    pub(super) leaders: BTreeSet<i32>,
}

impl Store {
    /// Does what the daemon asks for. What it does not know comes from a later one, and is nothing to
    /// fall over.
    pub(super) fn obey(&mut self, packet: Packet, line: &OwnedFd) {
        let Packet { word, name, note, fd } = packet;
        let pid = name.parse::<i32>().ok();
        let answered = match (word.as_str(), pid) {
            (keep::KEEP, _) => {
                self.kept.insert(name.clone(), (note, fd));
                Ok(())
            }
            (keep::DROP, _) => {
                self.kept.remove(&name);
                Ok(())
            }
            (keep::LEADS, Some(pid)) => {
                self.leaders.insert(pid);
                Ok(())
            }
            (keep::REAP, Some(pid)) => {
                self.leaders.remove(&pid);
                wait::reap_pid(pid)
            }
            (keep::ENDING, Some(pid)) => {
                let fate = match wait::peek_pid(pid) {
                    Ok(Some(ending)) => Fate::Ended(ending),
                    Ok(None) => Fate::Runs,
                    Err(_) => Fate::Unknown,
                };
                keep::send(line, keep::ENDING, &name, fate.write().as_bytes(), None)
            }
            (keep::ALL, _) => self.give_all(line),
            _ => Ok(()),
        };
        if let Err(error) = answered {
            say(&format!("cannot do what the daemon asked for ({word} {name}): {error}"));
        }
    }

    fn give_all(&self, line: &OwnedFd) -> io::Result<()> {
        for (name, (note, fd)) in &self.kept {
            keep::send(line, keep::KEEP, name, note, fd.as_ref().map(|fd| fd.as_fd()))?;
        }
        for pid in &self.leaders {
            keep::send(line, keep::LEADS, &pid.to_string(), &[], None)?;
        }
        keep::send(line, keep::END, keep::VERSION, &[], None)
    }

    /// Reaps orphans until none is left, or until a dead leader is next in line, or the daemon, which
    /// has died since it was looked after: the signal that tells of it is still to be read.
    pub(super) fn sweep(&self, daemon: Option<i32>) -> io::Result<()> {
        while let Some(pid) = wait::peek_any()? {
            if self.leaders.contains(&pid) || daemon == Some(pid) {
                return Ok(());
            }
            wait::reap_pid(pid)?;
        }
        Ok(())
    }
}
