//! What is known of the services while an operation goes on, and how it is shown.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::Verb;
use crate::{
    api::status::Service,
    cli::{error::Error, live::Live, output::Output, render::progress},
};

/// How often elapsed times are drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// The services of an operation as they were last seen.
#[derive(Debug)]
pub struct Progress {
    verb: Verb,
    out: Output,
    quiet: bool,
    live: Option<Live>,
    /// In the order in which they were first seen, each with the time of its last change.
    seen: Vec<(Service, Instant)>,
}

impl Progress {
    /// Shown on `out`, unless `quiet`: in place on a terminal, line by line elsewhere.
    pub fn new(verb: Verb, out: Output, quiet: bool) -> Self {
        let live = (out.terminal && !quiet).then(|| Live::new(out));
        Self { verb, out, quiet, live, seen: Vec::new() }
    }

    /// Whether something on the terminal wants to be drawn again.
    pub fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// The services, in the order in which they were first seen.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.seen.iter().map(|(service, _)| service)
    }

    /// Takes news of a service, and shows it.
    pub fn take(&mut self, service: Service) -> Result<(), Error> {
        let Some((known, since)) = self.seen.iter_mut().find(|(s, _)| s.name == service.name)
        else {
            // How things were before is no news.
            self.seen.push((service, Instant::now()));
            return self.show("");
        };
        let same_state = known.state == service.state;
        let same = same_state
            && known.reason == service.reason
            && known.waiting_for == service.waiting_for;
        if !same_state {
            *since = Instant::now();
        }
        *known = service;
        if same || self.quiet {
            return Ok(());
        }
        let line = format!("{}\n", progress::change(known, self.out.paint));
        match &self.live {
            None => self.out.write(line.as_bytes()),
            // What has gone wrong stays on the screen; what goes well is in the block and the summary.
            Some(_) if is_trouble(known) => self.show(&line),
            Some(_) => self.show(""),
        }
    }

    /// Draws the services that are not done yet, below `above`.
    pub fn show(&mut self, above: &str) -> Result<(), Error> {
        let Some(live) = &mut self.live else { return Ok(()) };
        let now = Instant::now();
        let busy: Vec<(&Service, f64)> = self
            .seen
            .iter()
            .filter(|(service, _)| self.verb.is_busy(service.state))
            .map(|(service, since)| (service, now.duration_since(*since).as_secs_f64()))
            .collect();
        let block = progress::block(&busy, live.room(), self.out.paint);
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
