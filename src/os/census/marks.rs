//! Whose an orphan is, by what its environment says.

use std::{ffi::OsString, os::unix::ffi::OsStrExt, thread, time::Instant};

use super::scan::Owner;
use crate::os::{clock, leaders::Sessions, proc};

pub(super) fn owner(pid: i32, sessions: &Sessions, patience: Instant) -> Owner {
    let environment = environment(pid, patience);
    let marked = |marker: &OsString| {
        environment.split(|byte| *byte == 0).any(|entry| entry == marker.as_bytes())
    };
    sessions
        .iter()
        .find(|(_, marker)| marker.as_ref().is_some_and(marked))
        .map_or(Owner::Unknown, |(leader, _)| Owner::Leader(*leader))
}

/// Empty when there is none, or when it is not ours to read. While a program is being loaded it
/// has none yet, so that is waited for: it is some microseconds away.
fn environment(pid: i32, patience: Instant) -> Vec<u8> {
    let mut empty = 0;
    while empty < 2 {
        let Some(stat) = proc::stat(pid).filter(|stat| stat.alive) else { return Vec::new() };
        let environment = proc::environment(pid).unwrap_or_default();
        if !environment.is_empty() {
            return environment;
        }
        if !stat.loading {
            // It may have begun to load after the look at it; hardly twice.
            empty += 1;
        } else if clock::now() > patience {
            break;
        } else {
            thread::yield_now();
        }
    }
    Vec::new()
}
