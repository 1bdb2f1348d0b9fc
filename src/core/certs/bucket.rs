//! A token bucket: so many at once, so many a second.

use std::time::Duration;

/// So many names that nobody knows may come at once: a page with all its hosts, and more.
const BURST: u32 = 128;
/// And one more in this time, later on.
const EVERY: Duration = Duration::from_millis(100);

/// Decides who may go on. It counts how long it takes to be full again, so that it needs no timer.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// The time, since an epoch of the caller's, at which it is full.
    full_at: Duration,
}

impl Bucket {
    /// Takes a token at `now`, if there is one.
    pub fn take(&mut self, now: Duration) -> bool {
        let full_at = self.full_at.max(now) + EVERY;
        let granted = full_at.saturating_sub(now) <= EVERY * BURST;
        if granted {
            self.full_at = full_at;
        }
        granted
    }
}

impl Default for Bucket {
    /// A full one.
    fn default() -> Self {
        Self { full_at: Duration::ZERO }
    }
}
