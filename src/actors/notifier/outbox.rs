//! The events that a command has not been told of yet: so many at most, the latest.

use std::collections::VecDeque;

use crate::api::event::Event;

/// So many may wait.
const WAITING: usize = 32;

/// The events that are told: a service has given up, its check fails, or it is well again.
const TOLD: [&str; 3] = ["gave-up", "unhealthy", "recovered"];

/// What waits, and how far the history has been read.
#[derive(Debug)]
pub struct Outbox {
    seen: u64,
    waiting: VecDeque<Event>,
}

impl Outbox {
    /// Of what happens after the event numbered `seen`.
    pub(super) fn new(seen: u64) -> Self {
        Self { seen, waiting: VecDeque::new() }
    }

    /// The number of the last event it has read.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Whether an event is one that `project` tells. An event about no service is about locald.
    pub(super) fn wants(project: &str, event: &Event) -> bool {
        event.project.as_deref() == Some(project)
            && event.service.is_some()
            && TOLD.contains(&&*event.event)
    }

    /// Takes in `events`, up to the one numbered `seen`; the oldest give way, and are answered.
    pub(super) fn take_in(&mut self, events: Vec<Event>, seen: u64) -> Vec<Event> {
        self.seen = seen;
        self.waiting.extend(events);
        let over = self.waiting.len().saturating_sub(WAITING);
        self.waiting.drain(..over).collect()
    }

    /// The next to be told.
    pub(super) fn next(&mut self) -> Option<Event> {
        self.waiting.pop_front()
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: u64, word: &str, service: Option<&str>) -> Event {
        Event {
            seq,
            at: String::new(),
            project: Some("shop".to_owned()),
            service: service.map(str::to_owned),
            event: word.to_owned(),
            detail: None,
        }
    }

    #[test]
    fn only_what_concerns_a_service_of_the_project_is_told() {
        let wants = |word, service| Outbox::wants("shop", &event(1, word, service));
        for word in TOLD {
            assert!(wants(word, Some("web")));
            assert!(!wants(word, None), "the project's own actor");
            assert!(!Outbox::wants("other", &event(1, word, Some("web"))));
        }
        for word in ["healthy", "backoff", "stopped", "on-event-failed", "on-event-dropped"] {
            assert!(!wants(word, Some("web")), "{word}");
        }
    }

    #[test]
    fn the_oldest_give_way_and_the_order_stays() {
        let mut outbox = Outbox::new(0);
        let first: Vec<Event> = (1..=30).map(|seq| event(seq, "gave-up", Some("web"))).collect();
        assert!(outbox.take_in(first, 40).is_empty());
        assert_eq!((outbox.seen(), outbox.len()), (40, 30));
        let more = (41..=45).map(|seq| event(seq, "gave-up", Some("web"))).collect();
        let dropped: Vec<u64> = outbox.take_in(more, 45).iter().map(|event| event.seq).collect();
        assert_eq!(dropped, [1, 2, 3]);
        let told: Vec<u64> = std::iter::from_fn(|| outbox.next()).map(|event| event.seq).collect();
        assert_eq!(told, (4..=30).chain(41..=45).collect::<Vec<u64>>());
    }
}
