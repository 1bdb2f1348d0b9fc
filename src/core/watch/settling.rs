//! Waits for the end of a burst of changes.

use std::time::Duration;

/// Changes that have been seen, and have not settled yet.
#[derive(Clone, Debug)]
pub struct Settling {
    quiet: Duration,
    longest: Duration,
    burst: Option<Burst>,
}

#[derive(Clone, Copy, Debug)]
struct Burst {
    first: Duration,
    last: Duration,
}

impl Settling {
    /// A burst is over when nothing has happened for `quiet`; nobody waits for it longer than
    /// `longest`.
    pub fn new(quiet: Duration, longest: Duration) -> Self {
        Self { quiet, longest, burst: None }
    }

    /// Something has changed.
    pub fn note(&mut self, now: Duration) {
        let burst = self.burst.get_or_insert(Burst { first: now, last: now });
        burst.last = burst.last.max(now);
    }

    /// When to ask whether it has settled; none: nothing has changed.
    pub fn due(&self) -> Option<Duration> {
        let burst = self.burst?;
        Some((burst.last + self.quiet).min(burst.first + self.longest))
    }

    /// Whether a burst is over; then the next change begins another one.
    pub fn is_over(&mut self, now: Duration) -> bool {
        let over = self.due().is_some_and(|due| due <= now);
        if over {
            self.burst = None;
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn settling() -> Settling {
        Settling::new(ms(50), ms(500))
    }

    #[test]
    fn nothing_is_due_without_a_change() {
        let mut settling = settling();
        assert_eq!(settling.due(), None);
        assert!(!settling.is_over(ms(1_000)));
    }

    #[test]
    fn a_burst_is_over_once_after_it_has_been_quiet() {
        let mut settling = settling_with(&[0, 20, 60, 100]);
        assert_eq!(settling.due(), Some(ms(150)));
        assert!(!settling.is_over(ms(149)));
        assert!(settling.is_over(ms(150)));
        assert!(!settling.is_over(ms(151)), "it is told once");
        assert_eq!(settling.due(), None);
    }

    #[test]
    fn one_that_never_ends_is_not_waited_for() {
        let mut settling = settling();
        for at in (0..=490).step_by(10) {
            settling.note(ms(at));
            assert!(!settling.is_over(ms(at)), "at {at}");
        }
        assert_eq!(settling.due(), Some(ms(500)));
        assert!(settling.is_over(ms(500)));
    }

    #[test]
    fn the_next_change_begins_anew() {
        let mut settling = settling_with(&[0]);
        assert!(settling.is_over(ms(50)));
        settling.note(ms(600));
        assert_eq!(settling.due(), Some(ms(650)));
    }

    fn settling_with(changes: &[u64]) -> Settling {
        let mut settling = settling();
        for &at in changes {
            settling.note(ms(at));
        }
        settling
    }
}
