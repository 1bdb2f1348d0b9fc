//! A world around an engine: carries out its effects, and knows what must be true after each step.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
    time::Duration,
};

use super::id;
use crate::supervision::{
    engine::{Effect, Engine, Exit, Input, Life, Phase, Policy, Restart, Shape},
    graph::{Bond, Edge, Graph, Id},
};

type Edges = Vec<(Id, Id, Edge)>;

/// What was so before a step.
struct Before {
    edges: Rc<Edges>,
    phases: BTreeMap<Id, Phase>,
    policies: Rc<BTreeMap<Id, Policy>>,
    one_for_all: bool,
    plans: u64,
    /// Whether plans change in this step, so that the old edges prove nothing.
    replanned: bool,
}

pub(super) struct World {
    pub(super) engine: Engine,
    /// Who lives, and whether it was told to stop.
    pub(super) live: BTreeMap<Id, (Life, bool)>,
    pub(super) timers: Vec<(Id, Life)>,
    /// Whom somebody may want, at most: those asked for, and all they need.
    pub(super) wanted: BTreeSet<Id>,
    /// Whom somebody asked for.
    pub(super) asked: BTreeSet<Id>,
    policies: Rc<BTreeMap<Id, Policy>>,
    edges: Rc<Edges>,
    now: Duration,
    last_life: Life,
    /// Asked for, but for a plan to come to make.
    foreseen: BTreeSet<Id>,
    /// Plans to come.
    shapes: VecDeque<(BTreeMap<Id, Policy>, Edges)>,
    /// Members of the wave.
    wave: BTreeSet<Id>,
    /// Dependents that stay up while this dependency is away for a moment.
    excused: BTreeSet<(Id, Id)>,
    /// The phases as told by the engine's changes.
    shown: BTreeMap<Id, Phase>,
}

pub(super) fn edges_of(graph: &Graph) -> Edges {
    let of = |from: &Id| -> Edges {
        graph.dependencies(from).map(|(to, edge)| (from.clone(), to.clone(), edge)).collect()
    };
    graph.ids().iter().flat_map(of).collect()
}

fn runs(phase: Phase) -> bool {
    matches!(phase, Phase::Up { .. })
}

fn stops(phase: Phase) -> bool {
    matches!(phase, Phase::Stopping { .. })
}

impl World {
    pub(super) fn new(graph: Graph, policies: BTreeMap<Id, Policy>) -> Self {
        let stopped = graph.ids().iter().map(|id| (id.clone(), Phase::Stopped));
        Self {
            shown: stopped.collect(),
            edges: Rc::new(edges_of(&graph)),
            engine: Engine::new(graph, |id| policies[id]),
            live: BTreeMap::new(),
            timers: Vec::new(),
            wanted: BTreeSet::new(),
            asked: BTreeSet::new(),
            policies: Rc::new(policies),
            now: Duration::ZERO,
            last_life: 0,
            foreseen: BTreeSet::new(),
            shapes: VecDeque::new(),
            wave: BTreeSet::new(),
            excused: BTreeSet::new(),
        }
    }

    pub(super) fn members(&self) -> Vec<Id> {
        self.engine.graph().ids().to_vec()
    }

    pub(super) fn phases(&self) -> BTreeMap<Id, Phase> {
        self.members().into_iter().map(|id| (id.clone(), self.engine.phase(&id))).collect()
    }

    pub(super) fn reshape(
        &mut self,
        graph: Graph,
        policies: BTreeMap<Id, Policy>,
        changed: BTreeSet<Id>,
    ) {
        let edges = edges_of(&graph);
        let shape = Shape::new(graph, |id| policies[id], changed);
        self.shapes.push_back((policies, edges));
        self.step(Input::Reshape(shape));
    }

    #[expect(clippy::needless_pass_by_value, reason = "as the engine's own")]
    pub(super) fn step(&mut self, input: Input) {
        self.now += Duration::from_millis(700);
        self.foresee(&input);
        let mut before = Before {
            edges: self.edges.clone(),
            phases: self.shown.clone(),
            policies: self.policies.clone(),
            one_for_all: self.engine.graph().is_one_for_all(),
            plans: self.engine.plans(),
            replanned: matches!(input, Input::Reshape(_)),
        };
        let effects = self.engine.step(self.now, input.clone());
        before.replanned |= self.engine.plans() != before.plans;
        self.engine.check_counters();
        self.follow_plans(before.plans);
        self.follow_command(&input, &before);
        self.follow_death(&input, &before);
        self.check_effects(effects, &before);
        self.check_losses(&input, &before);
        self.check_state();
    }

    fn foresee(&mut self, input: &Input) {
        let here = self.members();
        let Some((next, _)) = self.shapes.front() else { return };
        match input {
            Input::Start(ids) | Input::Restart(ids) => {
                let absent = |id: &&Id| !here.contains(id) || !next.contains_key(*id);
                self.foreseen.extend(ids.iter().filter(absent).cloned());
            }
            Input::Stop(ids) => self.foreseen.retain(|id| !ids.contains(id)),
            _ => {}
        }
    }

    /// Forgets those who have left, and wants those foreseen who have come.
    fn follow_plans(&mut self, before: u64) {
        for _ in before..self.engine.plans() {
            let (policies, edges) =
                self.shapes.pop_front().expect("plans come into effect in their order");
            let stays = |id: &Id| policies.contains_key(id);
            self.wanted.retain(stays);
            self.asked.retain(stays);
            self.wave.retain(stays);
            self.shown.retain(|id, _| policies.contains_key(id));
            let next = self.shapes.front();
            let arrived: Vec<Id> = self.foreseen.iter().filter(|id| stays(id)).cloned().collect();
            self.foreseen
                .retain(|id| !stays(id) || next.is_some_and(|(next, _)| !next.contains_key(id)));
            for id in &arrived {
                self.want(id, &edges);
            }
            self.asked.extend(arrived);
            self.policies = Rc::new(policies);
            self.edges = Rc::new(edges);
        }
        if self.shapes.is_empty() {
            self.foreseen.clear();
        }
        assert_eq!(self.shapes.len(), self.engine.pending_shapes());
    }

    fn follow_command(&mut self, input: &Input, before: &Before) {
        let members = self.members();
        let edges = self.edges.clone();
        match input {
            Input::Start(ids) | Input::Restart(ids) => {
                for id in ids.iter().filter(|id| members.contains(id)) {
                    self.asked.insert(id.clone());
                    self.want(id, &edges);
                }
            }
            Input::Stop(ids) => {
                self.wanted.retain(|id| !ids.contains(id));
                self.asked.retain(|id| !ids.contains(id));
            }
            _ => {}
        }
        if let Input::Restart(ids) = input {
            let known = ids.iter().filter(|id| before.phases.contains_key(*id));
            if known.clone().count() > 1 {
                self.wave.extend(known.cloned());
            }
        }
    }

    /// With all it may need, whether or not that is there.
    fn want(&mut self, id: &Id, edges: &Edges) {
        let mut todo = vec![id.clone()];
        let mut seen = BTreeSet::new();
        while let Some(id) = todo.pop() {
            if seen.insert(id.clone()) {
                todo.extend(edges.iter().filter(|(from, ..)| *from == id).map(|e| e.1.clone()));
                self.wanted.insert(id);
            }
        }
    }

    /// A death under `one_for_all` makes a wave; a temporary bystander of a death is forgotten.
    fn follow_death(&mut self, input: &Input, before: &Before) {
        let Some(dead) = self.died(input, before) else { return };
        if before.one_for_all {
            let concerned = |phase: Phase| {
                runs(phase) || stops(phase) || matches!(phase, Phase::Pending | Phase::Backoff)
            };
            let all = before.phases.iter().filter(|(_, phase)| concerned(**phase));
            self.wave.extend(all.map(|(id, _)| id.clone()));
        }
        if before.replanned {
            return;
        }
        for (id, &phase) in &before.phases {
            let policy = before.policies[id];
            let fell = *id != dead && runs(phase) && stops(self.engine.phase(id));
            if fell && policy.restart == Restart::Temporary && !policy.oneshot {
                self.wanted.remove(id);
                self.asked.remove(id);
            }
        }
    }

    /// Who has failed in this step without being told to stop.
    fn died(&self, input: &Input, before: &Before) -> Option<Id> {
        let Input::Exited(id, _, exit) = input else { return None };
        let up = before.phases.get(id).is_some_and(|&phase| runs(phase));
        let gone = up && !self.live.contains_key(id);
        let permanent = || before.policies[id].restart == Restart::Permanent;
        (gone && (*exit == Exit::Failure || permanent())).then(|| id.clone())
    }

    fn check_effects(&mut self, effects: Vec<Effect>, before: &Before) {
        for effect in effects {
            match effect {
                Effect::Start(id, life) => self.check_start(id, life),
                Effect::Stop(id, life) => self.check_stop(&id, life, before),
                Effect::Wake(id, life, delay) => {
                    assert!(!delay.is_zero());
                    self.timers.push((id, life));
                }
                Effect::GaveUp(id) => {
                    let phase = self.engine.phase(&id);
                    let planned = before.replanned;
                    assert!(phase == Phase::GaveUp || planned, "{id} gave up and is {phase:?}");
                }
            }
        }
    }

    fn check_start(&mut self, id: Id, life: Life) {
        assert!(!self.live.contains_key(&id), "two lives of {id} at once");
        assert!(self.wanted.contains(&id), "nobody wanted {id}");
        assert!(life > self.last_life, "life {life} is not new");
        self.last_life = life;
        let missing = self.engine.unmet(&id).next();
        assert!(missing.is_none(), "{id} started without {missing:?}");
        if self.wave.contains(&id) {
            for other in &self.wave {
                let phase = self.engine.phase(other);
                let down = !stops(phase) && phase != Phase::Backoff;
                assert!(down, "{id} started while {other} of its wave was {phase:?}");
            }
        }
        self.live.insert(id, (life, false));
    }

    fn check_stop(&mut self, id: &Id, life: Life, before: &Before) {
        let entry = self.live.get_mut(id).expect("only the living are told to stop");
        assert_eq!(entry.0, life);
        assert!(!entry.1, "told {id} to stop twice");
        entry.1 = true;
        if before.replanned {
            return;
        }
        let mut todo = vec![id.clone()];
        while let Some(below) = todo.pop() {
            for (from, ..) in before.edges.iter().filter(|(_, to, _)| *to == below) {
                let phase = self.engine.phase(from);
                assert!(!stops(phase), "{id} told to stop before its dependent {from} was down");
                if !runs(phase) {
                    todo.push(from.clone());
                }
            }
        }
    }

    /// Nobody stays up on a lost dependency.
    fn check_losses(&mut self, input: &Input, before: &Before) {
        if !before.replanned {
            for id in self.reached(input, before) {
                assert!(!runs(self.engine.phase(&id)), "{id} outlived what it is bonded to");
            }
        }
        let planned = matches!(input, Input::Start(_) | Input::Restart(_));
        for (from, to, edge) in self.edges.iter() {
            let (above, below) = (self.engine.phase(from), self.engine.phase(to));
            let harmless = !runs(above) || runs(below) || below == Phase::Completed;
            if harmless && self.excused.is_empty() {
                continue;
            }
            let pair = (from.clone(), to.clone());
            if harmless || edge.bond == Bond::Loose {
                self.excused.remove(&pair);
            } else if before.replanned || (planned && edge.bond == Bond::Crash) {
                self.excused.insert(pair);
            } else {
                assert!(self.excused.contains(&pair), "{} is up, {} {below:?}", pair.0, pair.1);
            }
        }
    }

    /// Whom the loss that this input tells of concerns, by the table of bonds.
    fn reached(&self, input: &Input, before: &Before) -> BTreeSet<Id> {
        let (lost, bond) = match input {
            Input::Stop(ids) => (ids.clone(), Bond::Crash),
            Input::Restart(ids) => (ids.clone(), Bond::Always),
            _ => match self.died(input, before) {
                None => return BTreeSet::new(),
                Some(_) if before.one_for_all => {
                    let up = before.phases.iter().filter(|(_, phase)| runs(**phase));
                    return up.map(|(id, _)| id.clone()).collect();
                }
                Some(id) => (vec![id], Bond::Crash),
            },
        };
        let mut todo = lost.clone();
        let mut reached = BTreeSet::new();
        while let Some(id) = todo.pop() {
            for (from, _, _) in before.edges.iter().filter(|(_, to, e)| *to == id && e.bond >= bond)
            {
                let was = before.phases[from];
                let passes = runs(was) || stops(was) || was == Phase::Pending;
                if passes && reached.insert(from.clone()) {
                    todo.push(from.clone());
                }
            }
        }
        reached.into_iter().filter(|id| !lost.contains(id) && runs(before.phases[id])).collect()
    }

    fn check_state(&mut self) {
        for id in self.engine.take_changes() {
            self.shown.insert(id.clone(), self.engine.phase(&id));
        }
        let (phases, ids) = (&self.shown, self.engine.graph().ids());
        assert!(self.live.keys().all(|id| phases.contains_key(id)), "an orphan");
        assert_eq!(phases.len(), ids.len(), "a change was not told");
        for (id, phase) in ids.iter().map(|id| (id, self.engine.phase(id))) {
            assert_eq!(phases[id], phase, "a change of {id} was not told");
            assert_eq!(phase.is_alive(), self.live.contains_key(id), "{id} is {phase:?}");
            let wanted = self.engine.wanted(id);
            assert!(!wanted || self.wanted.contains(id), "nobody wants {id}");
            let leaves = self.shapes.front().is_some_and(|(next, _)| !next.contains_key(id));
            assert!(wanted || leaves || !self.asked.contains(id), "{id} was asked for");
            assert!(wanted || !runs(phase), "{id} runs for nobody");
        }
        let phase = |id: &Id| phases[id];
        if !self.wave.iter().any(|id| stops(phase(id)) || phase(id) == Phase::Backoff) {
            self.wave.clear();
        }
    }
}

pub(super) fn name(n: usize) -> Id {
    id(format!("n{n}"))
}
