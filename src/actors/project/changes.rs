//! What the boards and the event log are told when supervision has moved.

use std::time::Duration;

use ractor::ActorProcessingErr;
use tokio::time::Instant;

use super::{Team, specs};
use crate::{
    actors::{board::ending_sentence, context::ServiceContext, service::End},
    core::plan::Kind,
    supervision::{
        engine::{Input, Phase},
        graph::Id,
        nursery::News,
    },
};

impl Team {
    /// Takes in what a step has led to; an essential service that gave up stops all others.
    pub(super) async fn take_in(&mut self, news: Vec<News>) {
        let mut todo = vec![news];
        while let Some(news) = todo.pop() {
            let essential = self.tell(news);
            self.show_changes();
            if let Some(guilty) = essential {
                let others = self.others(&guilty);
                todo.push(self.nursery.advance(Input::Stop(others)).await);
                self.remember();
            }
        }
    }

    /// Returns the essential service that gave up, if one did.
    fn tell(&self, news: Vec<News>) -> Option<Id> {
        let mut essential = None;
        for item in news {
            let (News::Born(id, _)
            | News::Told(id)
            | News::Gone(id, ..)
            | News::Waits(id, _)
            | News::GaveUp(id)) = &item;
            let Some(service) = self.services.get(&**id) else {
                self.tell_of_watcher(&item);
                continue;
            };
            match &item {
                News::Born(_, life) => {
                    service.board.update(|view| {
                        view.life = *life;
                        view.births += 1;
                        view.failure = None;
                        view.next_start = None;
                    });
                    service.event("starting", None);
                }
                News::Told(_) => service.event("stopping", None),
                News::Gone(.., error) => {
                    let why = error.as_ref().map(failure);
                    let ours = matches!(end(error.as_ref()), Some(End::Unfit(_)));
                    service.board.update(|view| {
                        if ours && let Some(past) = view.exits.back_mut() {
                            past.cause.clone_from(&why);
                        }
                        view.failure = why;
                    });
                }
                News::Waits(_, delay) => self.waits(service, id, *delay),
                News::GaveUp(_) => {
                    self.gave_up(service, id);
                    if service.board.read(|view| view.essential) {
                        essential = Some(id.clone());
                    }
                }
            }
        }
        essential
    }

    /// It is the one child that is no service.
    fn tell_of_watcher(&self, news: &News) {
        if let News::Gone(id, _, Some(error)) = news
            && *id == specs::watcher_id()
        {
            self.context.event("watcher-failed", Some(error.to_string()));
        }
    }

    fn waits(&self, service: &ServiceContext, id: &Id, delay: Duration) {
        let used = self.failures(id);
        service.board.update(|view| {
            view.next_start = Some(Instant::now() + delay);
            view.failures = used;
        });
        let (why, allowed) = service
            .board
            .read(|view| (view.failure.clone().unwrap_or_default(), view.limit.restarts));
        let text = format!(
            "{why}; failure {used} of {allowed}, next start in {:.2} s",
            delay.as_secs_f64()
        );
        service.event("backoff", Some(text));
    }

    fn gave_up(&self, service: &ServiceContext, id: &Id) {
        let used = self.failures(id);
        let text = service.board.read(|view| {
            let why = view.failure.as_deref().unwrap_or("failed");
            if used <= 1 {
                return why.to_owned();
            }
            let within = view.limit.within.as_secs_f64();
            let name = &service.name;
            format!(
                "{why}; gave up after {used} failures within {within} s \
                 (`locald restart {name}` tries again)"
            )
        });
        service.board.update(|view| {
            view.failure = Some(text.clone());
            view.failures = used;
            view.next_start = None;
        });
        service.event("gave-up", Some(text));
    }

    fn failures(&self, id: &Id) -> u32 {
        let now = self.nursery.now();
        self.nursery.engine().budget(id).map_or(0, |budget| budget.used(now))
    }

    /// Copies the phases that have changed to the boards.
    fn show_changes(&mut self) {
        for id in self.nursery.take_changes() {
            let Some(service) = self.services.get(&*id) else { continue };
            let engine = self.nursery.engine();
            let (phase, life, wanted) = (engine.phase(&id), engine.life(&id), engine.wanted(&id));
            let before = service.board.read(|view| view.phase);
            service.board.update(|view| {
                view.phase = phase;
                view.life = life;
                view.wanted = wanted;
            });
            if before != phase {
                announce(service, phase);
            }
        }
    }

    fn others(&self, guilty: &Id) -> Vec<Id> {
        let ids = self.nursery.engine().graph().ids().iter();
        ids.filter(|id| *id != guilty && **id != specs::watcher_id()).cloned().collect()
    }
}

fn announce(service: &ServiceContext, phase: Phase) {
    match phase {
        Phase::Up { ready: true } => service.event("healthy", None),
        Phase::Completed if service.board.read(|view| view.kind) == Kind::Task => {
            service.event("completed", None);
        }
        Phase::Pending => {
            let missing: Vec<String> =
                service.board.waiting_for().iter().map(|n| n.board.name.to_string()).collect();
            if !missing.is_empty() {
                service.event("waiting", Some(format!("waits for {}", missing.join(", "))));
            }
        }
        _ => {}
    }
}

fn end(error: Option<&ActorProcessingErr>) -> Option<&End> {
    error.and_then(|error| error.downcast_ref())
}

fn failure(error: &ActorProcessingErr) -> String {
    match end(Some(error)) {
        Some(End::Exited(how, _)) => ending_sentence(*how, false),
        Some(end) => end.to_string(),
        None => format!("an actor failed: {error}"),
    }
}
