//! The children of a supervising actor: ractor's news in, the engine's deeds out.
//!
//! An actor that supervises owns a [`Nursery`], passes it its supervision events and its [`Signal`]s,
//! and calls [`Nursery::stop_all`] before it ends: ractor kills the children of a parent that stops
//! without running their `post_stop`.

mod birth;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use ractor::{ActorCell, ActorId, ActorProcessingErr, ActorRef, Message, SupervisionEvent};
use tokio::time::Instant;

pub use self::birth::{Birth, ChildSpec, Herald, Spawning, StartFn, spawn};
use super::{
    engine::{Effect, Engine, Exit, Input, Life, Phase},
    graph::{Graph, Id},
    plate::{Standing, SupervisorPlate},
};
use crate::core::time::MAX_DURATION;

/// What a supervising actor tells itself, or is told by a child's [`Herald`].
#[derive(Clone, Debug)]
pub enum Signal {
    /// A child has what its dependents need. At most one per life and change of readiness.
    Ready(Id, Life),
    /// A child no longer has it.
    Unready(Id, Life),
    /// A backoff has passed.
    Elapsed(Id, Life),
    /// A child that was told to stop has used up its grace.
    Overdue(Id, Life),
}

/// How a child's error is judged, and when that happened of which it tells, if some time ago.
pub type Judge = fn(&ActorProcessingErr) -> (Exit, Option<Instant>);

/// Any error is a failure, of this moment.
pub fn failure(_: &ActorProcessingErr) -> (Exit, Option<Instant>) {
    (Exit::Failure, None)
}

/// What has happened to a child, for the actor that owns the nursery.
#[derive(Debug)]
pub enum News {
    /// It was born.
    Born(Id, Life),
    /// It was told to stop.
    Told(Id),
    /// It is gone; its error, if it failed.
    Gone(Id, Life, Option<ActorProcessingErr>),
    /// It will be tried again after this long.
    Waits(Id, Duration),
    /// It has failed too often.
    GaveUp(Id),
}

/// Children, and the engine that decides about them.
pub struct Nursery<M> {
    engine: Engine,
    specs: HashMap<Id, ChildSpec>,
    live: HashMap<Id, (ActorCell, Life)>,
    by_actor: HashMap<ActorId, Id>,
    judge: Judge,
    epoch: Instant,
    plate: Arc<SupervisorPlate>,
    myself: ActorRef<M>,
    /// Whose phase has changed, for the owner.
    changes: Vec<Id>,
    /// How many plans had come into effect when the plates were last hung.
    plans_seen: u64,
}

impl<M: Message + From<Signal>> Nursery<M> {
    /// No child is started yet.
    pub fn new(
        myself: &ActorRef<M>,
        graph: Graph,
        specs: HashMap<Id, ChildSpec>,
        judge: Judge,
        plate: Arc<SupervisorPlate>,
    ) -> Self {
        let engine = Engine::new(graph, |id| specs[id].policy);
        let nursery = Self {
            engine,
            specs,
            live: HashMap::new(),
            by_actor: HashMap::new(),
            judge,
            epoch: beginning(),
            plate,
            myself: myself.clone(),
            changes: Vec::new(),
            plans_seen: 0,
        };
        nursery.hang_plates();
        nursery
    }

    /// What the engine thinks of its children.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The moment the engine calls now.
    pub fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Starts every child.
    pub async fn start_all(&mut self) -> Vec<News> {
        let all = self.engine.graph().ids().to_vec();
        self.advance(Input::Start(all)).await
    }

    /// Replaces the plan; `specs` are those of all children of the new one.
    pub async fn reshape(
        &mut self,
        graph: Graph,
        specs: HashMap<Id, ChildSpec>,
        changed: std::collections::BTreeSet<Id>,
    ) -> Vec<News> {
        let shape = super::engine::Shape::new(graph, |id| specs[id].policy, changed);
        self.specs.extend(specs);
        self.advance(Input::Reshape(shape)).await
    }

    /// Takes in a signal.
    pub async fn signal(&mut self, signal: Signal) -> Vec<News> {
        match signal {
            Signal::Ready(id, life) => self.advance(Input::Ready(id, life)).await,
            Signal::Unready(id, life) => self.advance(Input::Unready(id, life)).await,
            Signal::Elapsed(id, life) => self.advance(Input::Elapsed(id, life)).await,
            Signal::Overdue(id, life) => {
                if let Some((cell, current)) = self.live.get(&id)
                    && *current == life
                {
                    cell.kill();
                }
                Vec::new()
            }
        }
    }

    /// Takes in a supervision event.
    pub async fn event(&mut self, event: SupervisionEvent) -> Vec<News> {
        let (actor, (exit, since), error) = match event {
            SupervisionEvent::ActorTerminated(cell, _, None) => {
                (cell.get_id(), (Exit::Success, None), None)
            }
            // Any reason but a requested stop is a failure; "killed" looks like a reason.
            SupervisionEvent::ActorTerminated(cell, _, Some(reason)) => {
                (cell.get_id(), (Exit::Failure, None), Some(reason.into()))
            }
            SupervisionEvent::ActorFailed(cell, error) => {
                (cell.get_id(), (self.judge)(&error), Some(error))
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {
                return Vec::new();
            }
        };
        let Some(id) = self.by_actor.remove(&actor) else { return Vec::new() };
        let Some((_, life)) = self.live.remove(&id) else { return Vec::new() };
        let mut news = vec![News::Gone(id.clone(), life, error)];
        news.extend(self.advance_since(Input::Exited(id, life, exit), since).await);
        news
    }

    /// Steps the engine and does what it wants.
    pub async fn advance(&mut self, input: Input) -> Vec<News> {
        self.advance_since(input, None).await
    }

    /// The same for news of something that happened at `since`: delays count from then.
    async fn advance_since(&mut self, input: Input, since: Option<Instant>) -> Vec<News> {
        let mut news = Vec::new();
        let passed = since.map_or(Duration::ZERO, |since| since.elapsed());
        let mut todo: VecDeque<_> = self.decide(input, passed).collect();
        while let Some((effect, passed)) = todo.pop_front() {
            match effect {
                Effect::Start(id, life) => {
                    let Some(exit) = self.try_birth(&id, life, &mut news).await else { continue };
                    // No event follows a birth that failed: it is ours to report.
                    let exited = Input::Exited(id, life, exit);
                    todo.extend(self.decide(exited, Duration::ZERO));
                }
                Effect::Stop(id, life) => {
                    if self.tell_to_stop(&id, life) {
                        news.push(News::Told(id));
                    }
                }
                Effect::Wake(id, life, after) => {
                    let signal = Signal::Elapsed(id.clone(), life);
                    let left = jittered(after).saturating_sub(passed);
                    self.myself.send_after(left, move || M::from(signal));
                    news.push(News::Waits(id, after));
                }
                Effect::GaveUp(id) => news.push(News::GaveUp(id)),
            }
        }
        self.publish();
        news
    }

    fn decide(
        &mut self,
        input: Input,
        passed: Duration,
    ) -> impl Iterator<Item = (Effect, Duration)> + use<M> {
        let effects = self.engine.step(self.epoch.elapsed(), input);
        effects.into_iter().map(move |effect| (effect, passed))
    }

    /// Returns how it ended if it did not come to life. One that was to start together with what it
    /// needs, and has lost that meanwhile, is not born at all.
    async fn try_birth(&mut self, id: &Id, life: Life, news: &mut Vec<News>) -> Option<Exit> {
        if !matches!(self.engine.phase(id), Phase::Up { .. }) {
            return Some(Exit::Success);
        }
        match self.give_birth(id, life).await {
            Ok(()) => {
                news.push(News::Born(id.clone(), life));
                None
            }
            Err(error) => {
                news.push(News::Gone(id.clone(), life, Some(error.into())));
                Some(Exit::Failure)
            }
        }
    }

    /// Whose phase has changed since the last call.
    pub fn take_changes(&mut self) -> Vec<Id> {
        std::mem::take(&mut self.changes)
    }

    /// Ends all children, dependents first, each within its grace, and waits for it.
    pub async fn stop_all(&mut self) {
        let order = self.stop_layers();
        for layer in order {
            let ends = layer.into_iter().filter_map(|id| {
                let grace = self.specs[&id].grace;
                let (cell, _) = self.live.remove(&id)?;
                Some(end(cell, grace))
            });
            futures_util::future::join_all(ends).await;
        }
        self.by_actor.clear();
    }

    /// Children that may be stopped together, outermost dependents first.
    fn stop_layers(&self) -> Vec<Vec<Id>> {
        let graph = self.engine.graph();
        let mut depth: HashMap<&Id, usize> = HashMap::new();
        for id in graph.ids().iter().rev() {
            let own = *depth.entry(id).or_default();
            for (to, _) in graph.dependencies(id) {
                let below = depth.entry(to).or_default();
                *below = (*below).max(own + 1);
            }
        }
        let mut layers = vec![Vec::new(); depth.values().max().map_or(0, |deepest| deepest + 1)];
        for id in graph.ids() {
            layers[depth[id]].push(id.clone());
        }
        layers
    }

    async fn give_birth(&mut self, id: &Id, life: Life) -> Result<(), ractor::SpawnErr> {
        let myself = self.myself.clone();
        let spec = &self.specs[id];
        let birth = Birth {
            life,
            supervisor: self.myself.get_cell(),
            herald: Herald::new(id.clone(), life, move |signal| {
                // The supervisor is gone only when this child is about to be.
                let _gone = myself.cast(M::from(signal));
            }),
            plate: spec.plate.clone(),
        };
        let cell = (spec.start)(birth).await?;
        self.by_actor.insert(cell.get_id(), id.clone());
        self.live.insert(id.clone(), (cell, life));
        Ok(())
    }

    /// Returns false if it was never born.
    fn tell_to_stop(&self, id: &Id, life: Life) -> bool {
        let Some((cell, _)) = self.live.get(id) else { return false };
        cell.stop(None);
        let signal = Signal::Overdue(id.clone(), life);
        self.myself.send_after(self.specs[id].grace, move || M::from(signal));
        true
    }

    fn hang_plates(&self) {
        let ids = self.engine.graph().ids();
        self.plate.hang(ids.iter().map(|id| self.specs[id].plate.clone()).collect());
    }

    fn publish(&mut self) {
        let changes = self.engine.take_changes();
        for id in &changes {
            let Some(budget) = self.engine.budget(id) else { continue };
            self.specs[id].plate.stand(Standing {
                phase: self.engine.phase(id),
                cell: self.live.get(id).map(|(cell, _)| cell.clone()),
                budget: budget.clone(),
                epoch: self.epoch,
            });
        }
        let reshaped = self.reshaped();
        if reshaped {
            self.hang_plates();
            if !self.engine.is_reshaping() {
                let graph = self.engine.graph();
                self.specs.retain(|id, _| graph.contains(id));
            }
        }
        if reshaped || !changes.is_empty() {
            self.plate.ring();
        }
        self.changes.extend(changes);
    }

    /// Whether a new plan has come into effect since the last call.
    fn reshaped(&mut self) -> bool {
        let plans = self.engine.plans();
        std::mem::replace(&mut self.plans_seen, plans) != plans
    }
}

/// Where its time begins: children that are adopted may have failed long before it was made, and no
/// window is longer.
fn beginning() -> Instant {
    let now = Instant::now();
    now.checked_sub(MAX_DURATION).unwrap_or(now)
}

async fn end(cell: ActorCell, grace: Duration) {
    // `stop_and_wait` returns at once if somebody else has already said stop.
    cell.stop(None);
    if cell.wait(Some(grace)).await.is_err() {
        cell.kill();
        let _gone = cell.wait(Some(grace)).await;
    }
}

/// Adds up to a tenth, so that what failed together does not come back together.
fn jittered(delay: Duration) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(delay) % 1_000;
    delay + delay.mul_f64(f64::from(u32::try_from(random).unwrap_or(0)) / 10_000.0)
}
