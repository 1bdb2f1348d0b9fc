//! What has happened, for `locald events` and `locald why`: numbered without gaps also over the ends
//! of daemons, bounded, written down before it is told, and read without asking anybody.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, path::Path};

use tokio::sync::watch;

use crate::{
    api::event::Event,
    os::{clock, diary::Diary},
};

/// So many of the latest events are kept.
const KEPT: usize = 10_000;

/// The last event of a daemon that ends in order.
const ENDED: &str = "server-stopped";
/// The last event of a daemon that leaves all to the next one.
const LEFT: &str = "server-upgraded";

/// The latest events. Whoever has it may record and read.
pub struct EventLog {
    diary: Diary,
    ring: watch::Sender<Ring>,
}

/// Events in the order of their numbers.
#[derive(Default)]
pub struct Ring {
    events: VecDeque<Event>,
    last: u64,
}

impl EventLog {
    /// Goes on where the file at `path` ends, or after `last` where there is nothing.
    pub fn open(path: &Path, last: u64) -> Self {
        let mut ring = Ring { last, ..Ring::default() };
        let opened = Diary::open(path, |lines| {
            ring = Ring::of(&lines, last);
            ring.last
        });
        let diary = opened.unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), %error, "cannot write events down");
            Diary::nowhere(last)
        });
        Self { diary, ring: watch::Sender::new(ring) }
    }

    /// Numbers, writes down and keeps an event. `event` is one word, `detail` a sentence.
    pub fn record(
        &self,
        project: Option<&str>,
        service: Option<&str>,
        event: &'static str,
        detail: Option<String>,
    ) {
        tracing::info!(project, service, detail, "{event}");
        let make = |seq| {
            let event = Event {
                seq,
                at: clock::rfc3339(clock::wall()),
                project: project.map(str::to_owned),
                service: service.map(str::to_owned),
                event: event.to_owned(),
                detail,
            };
            let line = serde_json::to_string(&event);
            (line.expect("strings and numbers can always be written"), event)
        };
        self.diary.add(make, |event| self.ring.send_modify(|ring| ring.push(event)));
    }

    /// A daemon begins; says so, and what became of the one before it if that is not known.
    pub fn began(&self) {
        let me = format!("locald {} (pid {})", env!("CARGO_PKG_VERSION"), std::process::id());
        let text = match self.last_word().as_deref() {
            None | Some(ENDED) => format!("{me} serves"),
            Some(LEFT) => format!("{me} serves, and goes on with what ran"),
            Some(_) => format!("{me} serves; the daemon before it was killed or has crashed"),
        };
        self.record(None, None, "server-started", Some(text));
    }

    /// The daemon has ended in order, since it was told to by `whom`.
    pub fn ended(&self, whom: &str) {
        let text = format!("all services are stopped; the daemon ends, told to by {whom}");
        self.record(None, None, ENDED, Some(text));
    }

    /// The daemon makes way for this program, and all goes on.
    pub fn left_to(&self, program: &Path) {
        let text = format!(
            "locald {} (pid {}) makes way for {}; services go on",
            env!("CARGO_PKG_VERSION"),
            std::process::id(),
            program.display()
        );
        self.record(None, None, LEFT, Some(text));
    }

    /// The events numbered above `after`, oldest first.
    pub fn since(&self, after: u64) -> Vec<Event> {
        let ring = self.ring.borrow();
        let from = ring.events.partition_point(|event| event.seq <= after);
        ring.events.range(from..).cloned().collect()
    }

    /// The events numbered above `after` of a kind, oldest first, and the number of the latest of all.
    pub fn select(&self, after: u64, of_kind: impl Fn(&Event) -> bool) -> (Vec<Event>, u64) {
        let ring = self.ring.borrow();
        let from = ring.events.partition_point(|event| event.seq <= after);
        let events = ring.events.range(from..).filter(|event| of_kind(event));
        (events.cloned().collect(), ring.last)
    }

    /// The number of the latest event.
    pub fn last(&self) -> u64 {
        self.ring.borrow().last
    }

    /// The word of the latest event; none if nothing has ever happened.
    fn last_word(&self) -> Option<String> {
        self.ring.borrow().events.back().map(|event| event.event.clone())
    }

    /// Wakes its holder when there is more.
    pub fn watch(&self) -> watch::Receiver<Ring> {
        self.ring.subscribe()
    }
}

impl Ring {
    /// The latest of what was written down, as far as it has no gap.
    fn of(lines: &[String], last: u64) -> Self {
        let mut ring = Self { last, ..Self::default() };
        for line in lines {
            let Ok(event) = serde_json::from_str::<Event>(line) else { continue };
            if ring.events.back().is_some_and(|before| before.seq + 1 != event.seq) {
                ring.events.clear();
            }
            ring.push(event);
        }
        if ring.last < last {
            ring = Self { last, ..Self::default() };
        }
        ring
    }

    fn push(&mut self, event: Event) {
        self.last = event.seq;
        if self.events.len() == KEPT {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}
