//! What the next daemon must know of the services, and taking up what the last one knew.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::Team;
use crate::{
    actors::{
        board::{Past, View},
        context::Inherited,
    },
    core::memory::{self, Exit, Mind, Stage},
    os::{child::Ending, clock, keep},
    supervision::{
        budget::Moment,
        engine::{Adopted, Input, Phase},
        graph::Id,
    },
};

/// A service as the last daemon left it.
pub struct Heir {
    /// What its supervisor knew.
    pub mind: Mind,
    /// Its process, if it has one.
    pub process: Option<Inherited>,
}

impl Heir {
    /// Whether it runs, and is to go on.
    pub fn runs(&self) -> bool {
        matches!(phase(&self.mind, self.process.is_some()), Phase::Up { .. })
    }
}

impl Team {
    /// Takes services up where they were; their processes are not touched.
    pub(super) async fn adopt(&mut self, heirs: Vec<Heir>) {
        let (now, wall) = (self.nursery.now(), clock::wall());
        let (mut adopted, mut again, mut down) = (Vec::new(), Vec::new(), Vec::new());
        for Heir { mind, process } in heirs {
            let Some(service) = self.services.get(&mind.service) else { continue };
            let id = Id::from(mind.service.as_str());
            let phase = phase(&mind, process.is_some());
            service.inherited.store(process.map(Arc::new));
            if let Phase::Stopping { .. } = phase {
                if mind.wanted { again.push(id.clone()) } else { down.push(id.clone()) }
            }
            let failures = failures(&mind, now, wall);
            service.board.update(|view| {
                recall(view, &mind);
                view.phase = phase;
                view.wanted = mind.wanted;
            });
            adopted.push(Adopted { id, phase, wanted: mind.wanted, failures });
        }
        self.adopting = true;
        let news = self.nursery.advance(Input::Adopt(adopted)).await;
        self.take_in(news).await;
        self.adopting = false;
        for input in [Input::Restart(again), Input::Stop(down)] {
            let news = self.nursery.advance(input).await;
            self.take_in(news).await;
        }
        self.remember();
    }

    /// Tells the heart what is known of these services.
    pub(super) fn note_down(&self, ids: &[Id]) {
        let Some(line) = keep::line() else { return };
        let (now, at) = (self.nursery.now(), clock::wall());
        for id in ids {
            let Some(service) = self.services.get(&**id) else { continue };
            let engine = self.nursery.engine();
            let failures = engine.budget(id).into_iter().flat_map(|budget| budget.failures(now));
            let failures_ms = failures.map(|at| millis(now.saturating_sub(at))).collect();
            let mind = service.board.read(|view| Mind {
                version: memory::VERSION,
                dir: self.context.board.dir.to_string_lossy().into_owned(),
                service: service.name.clone(),
                stage: stage(engine.phase(id), view),
                wanted: engine.wanted(id),
                births: view.births,
                failures_ms,
                at_ms: since_epoch(at),
                failure: view.failure.clone(),
                cause: view.cause.clone(),
                exits: view.exits.iter().map(exit).collect(),
            });
            let name = memory::mind_name(&self.context.board.name, id);
            line.keep(&name, &memory::write(&mind), None);
        }
    }
}

/// A process that is there is up, whatever was noted last.
fn phase(mind: &Mind, has_process: bool) -> Phase {
    match mind.stage {
        Stage::Ready if has_process => Phase::Up { ready: true },
        Stage::Stopping if has_process => Phase::Stopping { told: false },
        _ if has_process && mind.wanted => Phase::Up { ready: false },
        _ if has_process => Phase::Stopping { told: false },
        Stage::Completed => Phase::Completed,
        Stage::GaveUp => Phase::GaveUp,
        _ if mind.wanted => Phase::Pending,
        _ => Phase::Stopped,
    }
}

fn stage(phase: Phase, view: &View) -> Stage {
    match phase {
        Phase::Pending | Phase::Backoff => Stage::Pending,
        // One that is unhealthy has been ready.
        Phase::Up { ready } if ready || view.unhealthy.is_some() => Stage::Ready,
        Phase::Up { .. } => Stage::Up,
        Phase::Stopping { .. } => Stage::Stopping,
        Phase::Stopped => Stage::Stopped,
        Phase::Completed => Stage::Completed,
        Phase::GaveUp => Stage::GaveUp,
    }
}

fn failures(mind: &Mind, now: Moment, wall: SystemTime) -> Vec<Moment> {
    let passed = Duration::from_millis(since_epoch(wall).saturating_sub(mind.at_ms));
    let ages = mind.failures_ms.iter().map(|&age| Duration::from_millis(age) + passed);
    ages.map(|age| now.saturating_sub(age)).collect()
}

fn recall(view: &mut View, mind: &Mind) {
    view.births = mind.births;
    view.lost = mind.stage == Stage::GaveUp;
    view.failure.clone_from(&mind.failure);
    view.failures = u32::try_from(mind.failures_ms.len()).unwrap_or(u32::MAX);
    view.cause.clone_from(&mind.cause);
    view.exits = mind.exits.iter().map(past).collect();
}

fn exit(past: &Past) -> Exit {
    let (code, signal) = match past.how {
        Ending::Code(code) => (Some(code), None),
        Ending::Signal(signal) => (None, Some(signal)),
    };
    let (asked, at_ms, ran_ms) = (past.asked, since_epoch(past.at), millis(past.ran));
    Exit { code, signal, asked, at_ms, ran_ms, cause: past.cause.clone() }
}

fn past(exit: &Exit) -> Past {
    let how = match (exit.signal, exit.code) {
        (Some(signal), _) => Ending::Signal(signal),
        (None, code) => Ending::Code(code.unwrap_or_default()),
    };
    let at = UNIX_EPOCH.checked_add(Duration::from_millis(exit.at_ms)).unwrap_or(UNIX_EPOCH);
    let ran = Duration::from_millis(exit.ran_ms);
    Past { how, asked: exit.asked, at, ran, cause: exit.cause.clone() }
}

fn since_epoch(at: SystemTime) -> u64 {
    millis(at.duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
