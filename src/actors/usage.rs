//! What services use of the machine, sampled once a second while somebody watches, and only then.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{Instant, MissedTickBehavior, interval},
};

use super::infra::Infra;
use crate::{
    api::live,
    core::usage::{History, Meter, Sample},
    os::proc,
};

/// The time between two samples.
const EVERY: Duration = Duration::from_secs(1);

/// A service, by project and name.
type Whose = (String, String);

/// Samples, for as long as somebody watches.
#[derive(Default)]
pub struct Usage(Arc<Shared>);

#[derive(Default)]
struct Shared {
    latest: watch::Sender<Vec<live::Usage>>,
    so_far: watch::Sender<HashMap<Whose, History>>,
    sampling: AtomicBool,
}

impl Usage {
    /// Wakes its holder with each new sample; there are some while anybody holds one.
    pub fn watch(&self, infra: &Infra) -> watch::Receiver<Vec<live::Usage>> {
        let watch = self.0.latest.subscribe();
        if !self.0.sampling.swap(true, Ordering::AcqRel) {
            tokio::spawn(sample(self.0.clone(), infra.clone()));
        }
        watch
    }

    /// The samples of the last minute, as far as somebody watched.
    pub fn so_far(&self) -> Vec<live::Usage> {
        let so_far = self.0.so_far.borrow();
        so_far.iter().map(|(whose, history)| present(whose, history.samples())).collect()
    }
}

async fn sample(shared: Arc<Shared>, infra: Infra) {
    let (mut meter, began) = (Meter::default(), Instant::now());
    let mut clock = interval(EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        if shared.latest.receiver_count() == 0 {
            shared.so_far.send_replace(HashMap::new());
            shared.sampling.store(false, Ordering::Release);
            // Somebody may have come before that could be seen.
            let back = shared.latest.receiver_count() > 0;
            if !back || shared.sampling.swap(true, Ordering::AcqRel) {
                return;
            }
        }
        let Ok(processes) = spawn_blocking(proc::all).await else { continue };
        let leaders = leaders(&infra);
        let pids: Vec<i32> = leaders.keys().copied().collect();
        let samples = meter.read(began.elapsed(), &processes, &pids);
        let samples: Vec<(&Whose, Sample)> =
            samples.iter().filter_map(|(pid, sample)| Some((leaders.get(pid)?, *sample))).collect();
        shared.so_far.send_modify(|so_far| {
            so_far.retain(|whose, _| samples.iter().any(|(known, _)| *known == whose));
            for (whose, sample) in &samples {
                so_far.entry((*whose).clone()).or_default().push(*sample);
            }
        });
        let latest = samples.iter().map(|(whose, sample)| present(whose, [*sample].into_iter()));
        shared.latest.send_replace(latest.collect());
    }
}

/// The leaders of the sessions of all that runs.
fn leaders(infra: &Infra) -> HashMap<i32, Whose> {
    let mut leaders = HashMap::new();
    for entry in infra.directory.all().values() {
        let project = entry.board.name.to_string();
        for board in entry.board.services().iter() {
            if let Some(running) = board.read(|view| view.running) {
                leaders.insert(running.pid, (project.clone(), board.name.to_string()));
            }
        }
    }
    leaders
}

fn present(whose: &Whose, samples: impl Iterator<Item = Sample> + Clone) -> live::Usage {
    // As fine as a tenth, so that it is short as text.
    let cpu = samples.clone().map(|sample| (sample.cpu * 10.0).round() / 10.0).collect();
    let memory = samples.map(|sample| sample.memory).collect();
    let (project, service) = whose.clone();
    live::Usage { project, service, cpu, memory }
}
