//! Requests that wait for their service.

use std::{sync::Arc, time::Duration};

use tokio::{
    select,
    time::{Instant, sleep_until},
};

use super::{
    answer::Answer,
    forward::{Job, gone},
    pages,
    side::Client,
};
use crate::os::traffic::{State, Target};

/// A person waits so long for nothing to be seen.
const SPLASH: Duration = Duration::from_millis(1500);

/// What waiting has come to.
pub(super) enum Held {
    /// The service runs.
    Up,
    /// The client has gone.
    Gone,
    /// There is something to be said instead.
    Answer(Answer),
}

/// Waits until the service runs; of the request nothing but its head is read meanwhile.
pub(super) async fn hold<C: Client>(job: &mut Job<'_, C>, target: &Arc<Target>) -> Held {
    let settings = job.worker.sources.settings.load();
    let navigation = job.request.is_navigation();
    let limit = if navigation { SPLASH.min(settings.hold) } else { settings.hold };
    drop(settings);
    let until = Instant::now().max(job.since + limit);
    let mut phases = target.phases();
    let state = select! {
        biased;
        phase = phases.wait_for(|phase| phase.state != State::Coming) => phase.map(|phase| phase.state),
        () = gone(job.client) => return Held::Gone,
        () = job.worker.drained() => return Held::Answer(pages::ending(job.request)),
        () = sleep_until(until) => Ok(State::Coming),
    };
    match state {
        Ok(State::Up) => Held::Up,
        Ok(State::Coming) if navigation => Held::Answer(pages::splash(job, target).await),
        Ok(State::Coming) => Held::Answer(pages::held_too_long(job, target).await),
        Ok(State::Down) | Err(_) => Held::Answer(pages::down(job, target).await),
    }
}
