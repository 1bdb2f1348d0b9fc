//! From when to when certificates are good.

use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_hours(24);

/// A span of time, as certificates have it: whole seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    /// The first moment.
    pub from: SystemTime,
    /// The last one.
    pub until: SystemTime,
}

impl Validity {
    /// Whether a clock that shows `now` accepts it.
    pub fn contains(&self, now: SystemTime) -> bool {
        self.from <= now && now <= self.until
    }

    /// Whether only a third of it is left, or the clock has jumped out of it.
    pub fn is_due(&self, now: SystemTime) -> bool {
        let Ok(left) = self.until.duration_since(now) else { return true };
        let whole = self.until.duration_since(self.from).unwrap_or_default();
        now < self.from || left <= whole / 3
    }
}

/// Of a root made now: five years, and a day back for clocks that are late.
pub fn root_validity(now: SystemTime) -> Validity {
    Validity { from: now - DAY, until: now + 5 * 365 * DAY }
}

/// Of a leaf made now: seven days and an hour back, and never longer than its root's.
pub fn leaf_validity(now: SystemTime, root: Validity) -> Validity {
    let from = now - Duration::from_hours(1);
    Validity { from: from.max(root.from), until: (now + 7 * DAY).min(root.until) }
}
