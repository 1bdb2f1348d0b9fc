//! Takes away the zombies that nobody waits for: orphans of services, which become our children.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use super::{leaders, wait};

/// Makes this process the parent of every orphan among its descendants.
pub fn become_subreaper() -> io::Result<()> {
    Ok(nix::sys::prctl::set_child_subreaper(true)?)
}

/// The sweep, for as long as it is polled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reaper;

impl Reaper {
    /// Sweeps whenever a child has ended. Returns only if signals cannot be watched.
    pub async fn run(self) -> io::Result<()> {
        let mut child_ended = signal(SignalKind::child())?;
        loop {
            if let Err(error) = sweep() {
                tracing::error!(%error, "cannot reap orphans");
            }
            tokio::select! {
                heard = child_ended.recv() => if heard.is_none() { return Ok(()) },
                () = leaders::sweep_wanted() => {}
            }
        }
    }
}

/// Reaps orphans until none is left, or until a dead leader is next in line: that one belongs to
/// its owner, who wakes the sweep when it has taken it.
fn sweep() -> io::Result<()> {
    let _quiet = leaders::quiet();
    while let Some(pid) = wait::peek_any()? {
        if leaders::is_leader(pid) {
            return Ok(());
        }
        wait::reap_pid(pid)?;
    }
    Ok(())
}
