//! The watchdog: from when on a sign of life is overdue.

use std::time::Duration;

use super::Moment;

/// Armed once there is an interval and somebody to watch.
#[derive(Debug)]
pub(super) struct Watchdog {
    interval: Option<Duration>,
    /// The watch has begun; before, only the interval may change.
    watching: bool,
    overdue: Option<Moment>,
}

impl Watchdog {
    pub(super) fn new(interval: Option<Duration>) -> Self {
        Self { interval, watching: false, overdue: None }
    }

    pub(super) fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// When the service is given up unless it pings before.
    pub(super) fn overdue(&self) -> Option<Moment> {
        self.overdue
    }

    /// Begins to watch.
    pub(super) fn watch(&mut self, now: Moment) {
        self.watching = true;
        self.ping(now);
    }

    /// Whoever is stopping has nothing left to prove.
    pub(super) fn dismiss(&mut self) {
        self.watching = false;
        self.overdue = None;
    }

    /// A sign of life.
    pub(super) fn ping(&mut self, now: Moment) {
        self.overdue = match self.interval {
            Some(interval) if self.watching => Some(now.saturating_add(interval)),
            _ => None,
        };
    }

    /// A new interval, from now on; zero ends the watch.
    pub(super) fn retime(&mut self, now: Moment, interval: Duration) {
        self.interval = Some(interval).filter(|interval| !interval.is_zero());
        self.ping(now);
    }

    /// Grants time for once; never shortens.
    pub(super) fn extend(&mut self, now: Moment, by: Duration) {
        self.overdue = self.overdue.map(|overdue| overdue.max(now.saturating_add(by)));
    }
}
