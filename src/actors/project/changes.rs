//! What the boards and the event log are told when supervision has moved.

use std::time::Duration;

use ractor::ActorProcessingErr;
use tokio::time::Instant;

use super::{Team, reasons, specs};
use crate::{
    actors::{
        board::{Past, View, ending_sentence},
        context::ServiceContext,
        service::End,
    },
    core::{plan::Kind, time::duration_text},
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
            let mut touched: Vec<Id> = news.iter().map(|item| about(item).clone()).collect();
            let essential = self.tell(news);
            touched.extend(self.show_changes());
            self.note_down(&touched);
            if let Some(guilty) = essential {
                let others = self.others(&guilty);
                let up = |id: &&Id| self.nursery.engine().wanted(id);
                let ending: Vec<Id> = others.iter().filter(up).cloned().collect();
                self.give_reason(
                    &ending,
                    &format!("stopped: {guilty}, which is essential, gave up"),
                );
                todo.push(self.nursery.advance(Input::Stop(others)).await);
                self.remember();
            }
        }
    }

    /// Returns the essential service that gave up, if one did.
    fn tell(&self, news: Vec<News>) -> Option<Id> {
        let mut essential = None;
        for item in news {
            let id = about(&item);
            let Some(service) = self.services.get(&**id) else {
                self.tell_of_aside(&item);
                continue;
            };
            match &item {
                News::Born(_, life) if self.adopting => {
                    service.board.update(|view| view.life = *life);
                    service.event("adopted", None);
                }
                News::Born(_, life) => {
                    service.board.update(|view| {
                        view.life = *life;
                        view.births += 1;
                        view.failure = None;
                        view.next_start = None;
                    });
                    service.event("starting", self.why_born(service, id));
                }
                News::Told(_) => service.event("stopping", self.why_told(service, id)),
                News::Gone(.., error) => {
                    let why = error.as_ref().map(|error| failure(service, error));
                    service.board.update(|view| view.failure = why);
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

    /// Of a child that is no service.
    fn tell_of_aside(&self, news: &News) {
        let News::Gone(id, _, Some(error)) = news else { return };
        if *id == specs::watcher_id() {
            self.context.event("watcher-failed", Some(error.to_string()));
        } else if *id == specs::notifier_id() {
            self.context.event("notifier-failed", Some(error.to_string()));
        }
    }

    fn waits(&self, service: &ServiceContext, id: &Id, delay: Duration) {
        let used = self.failures(id);
        service.board.update(|view| {
            view.next_start = Some(Instant::now() + delay);
            view.count(used);
            let why = view.failure.as_deref().unwrap_or("it failed");
            view.coming = Some(format!("started again by itself after: {why}"));
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
            if used <= view.limit.restarts {
                return why.to_owned();
            }
            let within = view.limit.within.as_secs_f64();
            let name = &service.name;
            format!(
                "{why}; gave up after {} within {within} s (`locald restart {name}` tries again)",
                if used == 1 { "a failure".to_owned() } else { format!("{used} failures") }
            )
        });
        service.board.update(|view| {
            view.failure = Some(text.clone());
            view.lost = true;
            view.count(used);
            view.next_start = None;
        });
        let (kind, allowed) = service.board.read(|view| (view.kind, view.limit.restarts));
        let last = used <= allowed;
        let text = if last { format!("{text}; {}", reasons::no_more(kind)) } else { text };
        service.event("gave-up", Some(text));
    }

    fn failures(&self, id: &Id) -> u32 {
        let now = self.nursery.now();
        self.nursery.engine().budget(id).map_or(0, |budget| budget.used(now))
    }

    /// Copies the phases that have changed to the boards.
    fn show_changes(&mut self) -> Vec<Id> {
        let changes = self.nursery.take_changes();
        for id in &changes {
            let Some(service) = self.services.get(&**id) else { continue };
            let engine = self.nursery.engine();
            let (phase, life, wanted) = (engine.phase(id), engine.life(id), engine.wanted(id));
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
        changes
    }

    fn others(&self, guilty: &Id) -> Vec<Id> {
        let ids = self.nursery.engine().graph().ids().iter();
        ids.filter(|id| *id != guilty && !specs::is_aside(id)).cloned().collect()
    }
}

fn announce(service: &ServiceContext, phase: Phase) {
    match phase {
        Phase::Up { ready: true } => {
            let since = service.board.read(|view| view.running.map(|running| running.since));
            let took = |since: Instant| format!("after {}", duration_text(since.elapsed()));
            service.event("healthy", since.map(took));
            find_again(service);
        }
        Phase::Completed if service.board.read(|view| view.kind) == Kind::Task => {
            let how = service.board.read(|view| view.exits.back().map(Past::history));
            service.event("completed", how);
            find_again(service);
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

/// One that had given up and is well again has recovered.
fn find_again(service: &ServiceContext) {
    if service.board.read(|view| view.lost) {
        service.board.update(|view| view.lost = false);
        service.event("recovered", Some("it is well again after it had given up".to_owned()));
    }
}

fn about(news: &News) -> &Id {
    let (News::Born(id, _)
    | News::Told(id)
    | News::Gone(id, ..)
    | News::Waits(id, _)
    | News::GaveUp(id)) = news;
    id
}

fn end(error: Option<&ActorProcessingErr>) -> Option<&End> {
    error.and_then(|error| error.downcast_ref())
}

/// Its process has written down how it ended before it told of that.
fn failure(service: &ServiceContext, error: &ActorProcessingErr) -> String {
    match end(Some(error)) {
        Some(End::Exited(how, _)) => {
            let past =
                |view: &View| view.exits.back().filter(|past| past.how == *how).map(Past::sentence);
            service.board.read(past).unwrap_or_else(|| ending_sentence(*how))
        }
        Some(end) => end.to_string(),
        None => format!("an actor failed: {error}"),
    }
}
