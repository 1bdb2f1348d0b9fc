//! What is known of the services while an operation goes on, and how it is shown.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::{Verb, words::Words};
use crate::{
    api::status::Service,
    cli::{
        error::Error,
        live::Live,
        output::Output,
        render::progress::{self, Row},
    },
};

/// How often elapsed times are drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// Of a service that takes longer than this, what it wrote last is shown.
const SLOW: Duration = Duration::from_secs(2);

/// The services of an operation as they were last seen.
#[derive(Debug)]
pub struct Progress {
    verb: Verb,
    out: Output,
    quiet: bool,
    live: Option<Live>,
    began: Instant,
    /// In the order in which they were first seen.
    seen: Vec<Seen>,
}

/// A service as it was last seen.
#[derive(Debug)]
pub struct Seen {
    /// As it was.
    pub service: Service,
    /// When its state changed last.
    since: Instant,
    /// When it was done, if it was not from the beginning.
    done: Option<Instant>,
}

impl Progress {
    /// Shown on `out`, unless `quiet`: in place on a terminal, line by line elsewhere.
    pub fn new(verb: Verb, out: Output, quiet: bool) -> Self {
        let live = (out.live && !quiet).then(|| Live::new(out));
        Self { verb, out, quiet, live, began: Instant::now(), seen: Vec::new() }
    }

    /// Whether something on the terminal wants to be drawn again.
    pub fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// How long it has been going on.
    pub fn took(&self) -> Duration {
        self.began.elapsed()
    }

    /// The services, in the order in which they were first seen.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.seen.iter().map(|seen| &seen.service)
    }

    /// The same, each with how long it took; of one that is not done, how long it has taken so far.
    pub fn times(&self) -> impl Iterator<Item = (&Service, Duration)> {
        self.seen.iter().map(|seen| {
            let busy = self.verb.is_busy(seen.service.state);
            let took = seen.done.map(|done| done - self.began);
            let so_far = if busy { self.took() } else { Duration::ZERO };
            (&seen.service, took.unwrap_or(so_far))
        })
    }

    /// Those that have been in a state on the way for long.
    pub fn slow(&self) -> Vec<String> {
        let slow = |seen: &&Seen| {
            self.verb.is_busy(seen.service.state)
                && seen.since.elapsed() >= SLOW
                && may_write(&seen.service)
        };
        self.seen.iter().filter(slow).map(|seen| seen.service.name.clone()).collect()
    }

    /// Takes news of a service, and shows it.
    pub fn take(&mut self, service: Service, words: &Words) -> Result<(), Error> {
        let busy = self.verb.is_busy(service.state);
        let now = Instant::now();
        let Some(seen) = self.seen.iter_mut().find(|seen| seen.service.name == service.name) else {
            // How things were before is no news.
            self.seen.push(Seen { service, since: now, done: None });
            return self.show("", words);
        };
        let known = &mut seen.service;
        let same_state = known.state == service.state;
        let same = same_state
            && known.reason == service.reason
            && known.waiting_for == service.waiting_for;
        if !same_state {
            seen.since = now;
            seen.done = (!busy).then_some(now);
        }
        *known = service;
        if same || self.quiet {
            return Ok(());
        }
        let line = format!("{}\n", progress::change(known, self.out.paint));
        match &self.live {
            None => self.out.write(line.as_bytes()),
            // What has gone wrong stays on the screen; what goes well is in the block and the summary.
            Some(_) if is_trouble(known) => self.show(&line, words),
            Some(_) => self.show("", words),
        }
    }

    /// Draws the services below `above`: of an operation that ends them, those that are left.
    pub fn show(&mut self, above: &str, words: &Words) -> Result<(), Error> {
        let Some(live) = &mut self.live else { return Ok(()) };
        let said = words.last();
        let rows: Vec<Row<'_>> = self
            .seen
            .iter()
            .filter(|seen| !self.verb.stops() || self.verb.is_busy(seen.service.state))
            .map(|seen| {
                let busy = self.verb.is_busy(seen.service.state);
                let took = match seen.done {
                    Some(done) if !busy => Some(done - self.began),
                    None if !busy => None,
                    _ => Some(seen.since.elapsed()),
                };
                let slow = busy && seen.since.elapsed() >= SLOW;
                Row {
                    service: &seen.service,
                    busy,
                    seconds: took.map(|took| took.as_secs_f64()),
                    said: said.get(&seen.service.name).filter(|_| slow).map(String::as_str),
                }
            })
            .collect();
        let block = progress::block(&rows, live.room(), self.out.paint);
        live.draw(above, block)
    }

    /// Takes away what was drawn.
    pub fn end(&mut self) -> Result<(), Error> {
        self.live.as_mut().map_or(Ok(()), Live::clear)
    }

    /// Takes away what was drawn, on the way out with something worse to say.
    pub fn leave(&mut self) {
        let _said_anyway = self.end();
    }
}

/// When to draw again.
pub fn ticks() -> Interval {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn is_trouble(service: &Service) -> bool {
    use crate::api::status::ServiceState::{Backoff, Failed, Unhealthy};
    matches!(service.state, Backoff | Failed | Unhealthy)
}

/// What waits for others has nothing to say.
fn may_write(service: &Service) -> bool {
    service.state != crate::api::status::ServiceState::Waiting
}
