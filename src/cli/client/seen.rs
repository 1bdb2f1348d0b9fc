//! What of a stream of log lines has been seen, so that another stream goes on where it broke off,
//! without a gap and without a line twice.

use std::{collections::HashMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::api::log::Line;

/// So far before the last line another stream begins: services are told side by side, not in order.
const OVERLAP: Duration = Duration::from_secs(2);

/// Where a service's log was last: the time of its last line, and how many lines had that.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Place {
    at: String,
    lines: usize,
}

/// What has been seen of each service.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    last: HashMap<String, Place>,
    /// What is still to come a second time.
    again: HashMap<String, Place>,
}

impl Seen {
    /// From when on the next stream must tell; none: nothing was seen.
    pub fn resume(&mut self) -> Option<String> {
        self.again.clone_from(&self.last);
        let first = self.last.values().map(|place| &place.at).min()?;
        let at: Timestamp = first.parse().ok()?;
        let overlap = SignedDuration::try_from(OVERLAP).ok()?;
        Some(format!("{:.3}", at.checked_sub(overlap).ok()?))
    }

    /// Whether any line of this service was.
    pub fn knows(&self, service: &str) -> bool {
        self.last.contains_key(service)
    }

    /// Whether this line has not been seen yet.
    pub fn is_new(&mut self, line: &Line) -> bool {
        if let Some(place) = self.again.get_mut(&line.service) {
            // Times of this form are ordered as text.
            if line.at < place.at {
                return false;
            }
            if line.at == place.at && place.lines > 0 {
                place.lines -= 1;
                return false;
            }
            self.again.remove(&line.service);
        }
        match self.last.get_mut(&line.service) {
            Some(place) if place.at == line.at => place.lines += 1,
            Some(place) => *place = Place { at: line.at.clone(), lines: 1 },
            None => {
                let place = Place { at: line.at.clone(), lines: 1 };
                self.last.insert(line.service.clone(), place);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::log::Stream;

    fn line(service: &str, ms: u32, text: usize) -> Line {
        Line {
            at: format!("2026-01-01T00:00:{:02}.{:03}Z", 10 + ms / 1000, ms % 1000),
            project: "shop".to_owned(),
            service: service.to_owned(),
            stream: Stream::Out,
            line: text.to_string(),
        }
    }

    #[test]
    fn nothing_seen_is_nothing_to_resume() {
        assert_eq!(Seen::default().resume(), None);
    }

    #[test]
    fn the_next_stream_begins_a_little_earlier() {
        let mut seen = Seen::default();
        assert!(seen.is_new(&line("web", 500, 0)));
        assert_eq!(seen.resume().as_deref(), Some("2026-01-01T00:00:08.500Z"));
    }

    proptest! {
        /// Two logs, told in any interleaving, broken off anywhere, any number of times.
        #[test]
        fn every_line_comes_once_however_often_the_stream_breaks(
            steps in prop::collection::vec((0..2_usize, 0..3_u32), 1..60),
            breaks in prop::collection::vec(0..60_usize, 0..4),
        ) {
            let mut clock = 0;
            let mut stored = Vec::new();
            for (nth, (who, later)) in steps.iter().enumerate() {
                clock += later * 700;
                stored.push(line(["web", "db"][*who], clock, nth));
            }
            let mut seen = Seen::default();
            let mut got = Vec::new();
            for end in breaks.into_iter().chain([usize::MAX]) {
                let since = seen.resume().unwrap_or_default();
                let told = stored.iter().filter(|line| line.at >= since);
                for line in told.take(end) {
                    if seen.is_new(line) {
                        got.push(line.clone());
                    }
                }
            }
            prop_assert_eq!(got, stored);
        }
    }
}
