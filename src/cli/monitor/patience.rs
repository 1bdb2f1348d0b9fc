//! How long to wait before the next attempt to reach the daemon.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// Twice as long after each attempt in vain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Patience(Duration);

impl Default for Patience {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Patience {
    /// The time to wait now.
    pub fn wait(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(LONGEST);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_short_first_and_never_very_long() {
        let mut patience = Patience::default();
        let waits: Vec<u128> = (0..8).map(|_| patience.wait().as_millis()).collect();
        assert_eq!(waits, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
    }
}
