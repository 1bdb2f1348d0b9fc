//! What has happened, for `locald events` and `locald why`: numbered without gaps, bounded, and read
//! without asking anybody.

use std::collections::VecDeque;

use tokio::sync::watch;

use crate::{api::event::Event, os::clock};

/// So many of the latest events are kept.
const KEPT: usize = 10_000;

/// The latest events. Whoever has it may record and read.
pub struct EventLog(watch::Sender<Ring>);

/// Events in the order of their numbers.
pub struct Ring {
    events: VecDeque<Event>,
    last: u64,
}

impl EventLog {
    /// Numbering goes on after `last`.
    pub fn new(last: u64) -> Self {
        Self(watch::Sender::new(Ring { events: VecDeque::new(), last }))
    }

    /// Numbers and keeps an event. `event` is one word, `detail` a sentence.
    pub fn record(
        &self,
        project: Option<&str>,
        service: Option<&str>,
        event: &'static str,
        detail: Option<String>,
    ) {
        tracing::info!(project, service, detail, "{event}");
        let at = clock::rfc3339(clock::wall());
        self.0.send_modify(|ring| {
            ring.last += 1;
            if ring.events.len() == KEPT {
                ring.events.pop_front();
            }
            ring.events.push_back(Event {
                seq: ring.last,
                at,
                project: project.map(str::to_owned),
                service: service.map(str::to_owned),
                event: event.to_owned(),
                detail,
            });
        });
    }

    /// The events numbered above `after`, oldest first.
    pub fn since(&self, after: u64) -> Vec<Event> {
        let ring = self.0.borrow();
        let from = ring.events.partition_point(|event| event.seq <= after);
        ring.events.range(from..).cloned().collect()
    }

    /// The number of the latest event.
    pub fn last(&self) -> u64 {
        self.0.borrow().last
    }

    /// Wakes its holder when there is more.
    pub fn watch(&self) -> watch::Receiver<Ring> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_gaps_and_old_events_make_room() {
        let log = EventLog::new(41);
        for _ in 0..KEPT + 5 {
            log.record(None, None, "test", None);
        }
        let all = log.since(0);
        assert_eq!(all.len(), KEPT);
        assert!(all.windows(2).all(|pair| pair[1].seq == pair[0].seq + 1));
        assert_eq!(log.last(), 41 + u64::try_from(KEPT).unwrap() + 5);
        assert_eq!(log.since(log.last() - 1).len(), 1);
        assert!(log.since(u64::MAX).is_empty());
    }
}
