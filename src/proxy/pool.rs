//! Connections to services that wait for their next request.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{h1, h2};
use crate::os::traffic::{Phase, Target};

/// So many wait for each service.
const IDLE: usize = 128;
/// None waits longer.
const IDLE_TIME: Duration = Duration::from_mins(1);
/// A request that must not be sent twice goes only over a connection that has waited less than
/// this: many servers close after five seconds, perhaps just now.
const FRESH: Duration = Duration::from_secs(1);

/// The waiting connections of one worker.
#[derive(Default)]
pub(super) struct Pool {
    /// By the address of the target, which is kept alive here.
    places: HashMap<usize, Place>,
}

struct Place {
    /// Held, so that its address does not become that of another.
    target: Arc<Target>,
    life: u32,
    port: u16,
    /// The one used last is at the end.
    idle: Vec<(h1::Upstream, Instant)>,
    shared: Option<h2::Link>,
}

impl Pool {
    /// A connection to this life of a service.
    pub(super) fn take(
        &mut self,
        target: &Arc<Target>,
        phase: Phase,
        careful: bool,
    ) -> Option<h1::Upstream> {
        let place = self.place(target, phase)?;
        while let Some((upstream, since)) = place.idle.pop() {
            if careful && since.elapsed() > FRESH {
                return None;
            }
            if upstream.is_alive() {
                return Some(upstream);
            }
        }
        None
    }

    /// The connection that all requests of HTTP/2 to this life of a service share.
    pub(super) fn shared(&mut self, target: &Arc<Target>, phase: Phase) -> Option<h2::Link> {
        self.place(target, phase)?.shared.clone()
    }

    /// Keeps a connection for the next request.
    pub(super) fn put(
        &mut self,
        target: &Arc<Target>,
        phase: Phase,
        upstream: h1::Upstream,
        now: Instant,
    ) {
        let place = self.claim(target, phase);
        if place.idle.len() < IDLE {
            place.idle.push((upstream, now));
        }
    }

    /// Keeps a connection of HTTP/2 for all requests to come.
    pub(super) fn share(&mut self, target: &Arc<Target>, phase: Phase, link: h2::Link) {
        self.claim(target, phase).shared = Some(link);
    }

    /// Closes what has waited too long, and what belongs to an earlier life; whether any is left.
    pub(super) fn sweep(&mut self) -> bool {
        self.places.retain(|_, place| {
            let now = place.target.now();
            let current = (now.life, now.port) == (place.life, place.port);
            place.idle.retain(|(upstream, since)| {
                current && since.elapsed() < IDLE_TIME && upstream.is_alive()
            });
            place.shared = place.shared.take().filter(|_| current);
            !place.idle.is_empty() || place.shared.is_some()
        });
        !self.places.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn place(&mut self, target: &Arc<Target>, phase: Phase) -> Option<&mut Place> {
        let place = self.places.get_mut(&Arc::as_ptr(target).addr())?;
        place.turn_to(phase);
        Some(place)
    }

    fn claim(&mut self, target: &Arc<Target>, phase: Phase) -> &mut Place {
        let place = self.places.entry(Arc::as_ptr(target).addr()).or_insert_with(|| Place {
            target: target.clone(),
            life: phase.life,
            port: phase.port,
            idle: Vec::new(),
            shared: None,
        });
        place.turn_to(phase);
        place
    }
}

impl Place {
    fn turn_to(&mut self, phase: Phase) {
        if (self.life, self.port) != (phase.life, phase.port) {
            (self.life, self.port) = (phase.life, phase.port);
            self.idle.clear();
            self.shared = None;
        }
    }
}
