//! A service that changes its own watched files at each start would restart for ever.

use std::time::Duration;

/// A change so soon after a restart may be the service's own work.
const SOON: Duration = Duration::from_secs(3);

/// So many restarts in a row, each so soon after the one before, are a loop.
const LIMIT: u32 = 6;

/// After a loop, a change that comes after so long a quiet is a person's.
pub const QUIET: Duration = Duration::from_secs(3);

/// What to do about a change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Restart the service.
    Restart,
    /// Leave it alone, and say so: it is in a loop.
    Stop,
    /// Leave it alone, as was said.
    Ignore,
}

/// The restarts of one service by changes.
#[derive(Clone, Debug, Default)]
pub struct Loop {
    restarted: Option<Duration>,
    /// Restarts in a row, each soon after the one before.
    row: u32,
    /// When the last change came, if it is not restarted any more.
    stopped: Option<Duration>,
}

impl Loop {
    /// A file of the service has changed.
    pub fn changed(&mut self, now: Duration) -> Verdict {
        if let Some(last) = self.stopped.replace(now) {
            if now.saturating_sub(last) < QUIET {
                return Verdict::Ignore;
            }
            self.row = 0;
        }
        let soon = self.restarted.is_some_and(|then| now.saturating_sub(then) < SOON);
        self.row = if soon { self.row + 1 } else { 0 };
        if self.row >= LIMIT {
            return Verdict::Stop;
        }
        self.stopped = None;
        self.restarted = Some(now);
        Verdict::Restart
    }

    /// Whether it is in a loop.
    pub fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_loop_is_stopped_and_told_once() {
        let mut own = Loop::default();
        let verdicts: Vec<Verdict> = (0..10).map(|nth| own.changed(at(nth * 200))).collect();
        assert_eq!(verdicts[..6], [Verdict::Restart; 6]);
        assert_eq!(verdicts[6], Verdict::Stop);
        assert_eq!(verdicts[7..], [Verdict::Ignore; 3]);
        assert!(own.is_stopped());
    }

    #[test]
    fn a_person_who_saves_now_and_then_is_no_loop() {
        let mut own = Loop::default();
        assert!((0..50).all(|nth| own.changed(at(nth * 3_000)) == Verdict::Restart));
        // Nor one who now and then saves twice.
        assert!((100..150).all(|nth| {
            own.changed(at(nth * 5_000)) == Verdict::Restart
                && own.changed(at(nth * 5_000 + 1_000)) == Verdict::Restart
        }));
    }

    #[test]
    fn a_person_s_edit_after_a_loop_counts_again() {
        let mut own = Loop::default();
        for nth in 0..8 {
            own.changed(at(nth * 100));
        }
        assert_eq!(own.changed(at(3_600)), Verdict::Ignore, "the noise goes on");
        assert_eq!(own.changed(at(6_600)), Verdict::Restart);
        assert!(!own.is_stopped());
    }
}
