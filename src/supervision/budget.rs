//! Restart intensity and backoff as one idea: the restarts still inside the window set the delay.

use std::{collections::VecDeque, time::Duration};

/// A moment since the daemon started. Never read from a clock in this module.
pub type Moment = Duration;

/// How often a child may fail, and how long to wait before it is tried again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// More failures than this within the window give up (OTP: *intensity*).
    pub restarts: u32,
    /// The window (OTP: *period*).
    pub within: Duration,
    /// The delay before the first restart.
    pub initial: Duration,
    /// Each further failure within the window multiplies the delay by this.
    pub factor: f64,
    /// No delay is longer.
    pub max: Duration,
}

/// What a failure leads to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Try again, after this long.
    RestartAfter(Duration),
    /// Too many failures.
    GiveUp,
}

/// The failures of one child that still count.
#[derive(Clone, Debug)]
pub struct Budget {
    limit: Limit,
    recent: VecDeque<Moment>,
}

impl Limit {
    /// The first failure gives up: for children that share the fate of their group.
    pub const NONE: Self = Self {
        restarts: 0,
        within: Duration::from_mins(1),
        initial: Duration::ZERO,
        factor: 1.0,
        max: Duration::ZERO,
    };

    fn delay(&self, failures: u32) -> Duration {
        let exponent = i32::try_from(failures).unwrap_or(i32::MAX);
        let seconds = self.initial.as_secs_f64() * self.factor.powi(exponent);
        Duration::try_from_secs_f64(seconds).map_or(self.max, |delay| delay.min(self.max))
    }
}

impl Budget {
    /// Nothing spent.
    pub fn new(limit: Limit) -> Self {
        Self { limit, recent: VecDeque::new() }
    }

    /// Counts a failure. A child that has been quiet for the window starts afresh.
    pub fn spend(&mut self, now: Moment) -> Verdict {
        self.forget_old(now);
        let used = u32::try_from(self.recent.len()).unwrap_or(u32::MAX);
        self.recent.push_back(now);
        if used >= self.limit.restarts {
            return Verdict::GiveUp;
        }
        Verdict::RestartAfter(self.limit.delay(used))
    }

    /// Failures within the window that ends now.
    pub fn used(&self, now: Moment) -> u32 {
        u32::try_from(self.failures(now).count()).unwrap_or(u32::MAX)
    }

    /// Counts what an earlier budget has counted, oldest first.
    pub fn recall(&mut self, failures: Vec<Moment>) {
        self.recent = failures.into();
    }

    /// The failures that count at `now`, oldest first.
    pub fn failures(&self, now: Moment) -> impl Iterator<Item = Moment> {
        let within = self.limit.within;
        self.recent.iter().copied().filter(move |&at| now.saturating_sub(at) <= within)
    }

    /// Forgets all failures.
    pub fn reset(&mut self) {
        self.recent.clear();
    }

    /// What it was made with.
    pub fn limit(&self) -> &Limit {
        &self.limit
    }

    fn forget_old(&mut self, now: Moment) {
        while self.recent.front().is_some_and(|&at| now.saturating_sub(at) > self.limit.within) {
            self.recent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_delay_grows_by_the_factor_up_to_the_maximum() {
        let limit = Limit {
            restarts: 9,
            within: ms(60_000),
            initial: ms(10),
            factor: 4.0,
            max: ms(10_000),
        };
        let mut budget = Budget::new(limit);
        let delays: Vec<_> = (0..7).map(|_| budget.spend(ms(1))).collect();
        let expected = [10, 40, 160, 640, 2_560, 10_000, 10_000];
        assert_eq!(delays, expected.map(|d| Verdict::RestartAfter(ms(d))));
    }

    #[test]
    fn more_than_the_limit_gives_up_and_a_quiet_window_forgives() {
        let limit =
            Limit { restarts: 1, within: ms(100), initial: ms(10), factor: 2.0, max: ms(50) };
        let mut budget = Budget::new(limit);
        assert_eq!(budget.spend(ms(0)), Verdict::RestartAfter(ms(10)));
        assert_eq!(budget.spend(ms(100)), Verdict::GiveUp);
        assert_eq!(budget.used(ms(100)), 2);
        assert_eq!(budget.spend(ms(201)), Verdict::RestartAfter(ms(10)));
        assert_eq!(budget.used(ms(302)), 0);
    }

    #[test]
    fn the_next_budget_goes_on_where_the_last_one_was() {
        let limit =
            Limit { restarts: 2, within: ms(100), initial: ms(10), factor: 2.0, max: ms(50) };
        let mut last = Budget::new(limit);
        for at in [0, 50, 130] {
            last.spend(ms(at));
        }
        let failures: Vec<_> = last.failures(ms(150)).collect();
        assert_eq!(failures, [ms(50), ms(130)]);
        let mut next = Budget::new(limit);
        next.recall(failures);
        assert_eq!(next.used(ms(150)), 2);
        assert_eq!(next.spend(ms(150)), Verdict::GiveUp);
    }

    proptest! {
        #[test]
        fn never_more_than_the_limit_inside_any_window(
            gaps in prop::collection::vec(0u64..5_000, 1..60),
            restarts in 0u32..6,
            within in 1u64..10_000,
            factor in 1.0f64..100.0,
        ) {
            let limit =
                Limit { restarts, within: ms(within), initial: ms(10), factor, max: ms(500) };
            let mut budget = Budget::new(limit);
            let mut now = Duration::ZERO;
            let mut granted: Vec<Duration> = Vec::new();
            for gap in gaps {
                now += ms(gap);
                if let Verdict::RestartAfter(delay) = budget.spend(now) {
                    prop_assert!(delay >= limit.initial && delay <= limit.max);
                    granted.push(now);
                }
                let inside = granted.iter().filter(|&&at| now <= at + limit.within).count();
                prop_assert!(inside <= restarts as usize);
            }
        }
    }
}
