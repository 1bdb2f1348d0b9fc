//! Commands of people: what is meant by them, and how to see that they are done.

use std::sync::atomic::Ordering;

use super::Team;
use crate::{
    actors::context::Caller,
    core::{
        id::ServiceName,
        near::nearest,
        state::{ProjectState, ServiceState, TerminalSize},
    },
    supervision::{
        engine::{Input, Life, Phase},
        graph::Id,
    },
};

/// What somebody wants.
#[derive(Clone, Debug)]
pub struct Command {
    /// What to do.
    pub verb: Verb,
    /// To which services; none: to all it may concern.
    pub services: Vec<String>,
    /// Who asks, for services that are started.
    pub caller: Option<Caller>,
}

/// What to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verb {
    /// Start what is not up, with what it needs.
    Start,
    /// The same, of what an earlier daemon had up.
    Resume,
    /// Stop, bonded dependents first.
    Stop,
    /// Stop, then start.
    Restart {
        /// Take all dependents along.
        cascade: bool,
    },
    /// Stop, throw the data away, then start; all dependents are taken along.
    Reset,
}

/// What was set in motion.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// The services it is about, with what they need.
    pub targets: Vec<Target>,
}

/// One service of a [`Ticket`].
#[derive(Clone, Debug)]
pub struct Target {
    /// The service.
    pub name: ServiceName,
    /// The life that it had, if it had one: a stop is done when that is over.
    pub ends: Option<Life>,
}

/// Why a command makes no sense.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such service.
    #[error("project {project} has no service {name:?}")]
    NoSuchService {
        /// The project.
        project: String,
        /// What was asked for.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// Only what locald provides has data that it knows of.
    #[error("{0} has no data to throw away: it is neither postgres nor redis")]
    NotProvided(String),
}

impl Team {
    /// Sets a command in motion.
    pub(super) async fn command(&mut self, command: Command) -> Result<Ticket, Refusal> {
        let ids = self.meant(&command)?;
        self.caller(command.caller);
        let ticket = self.ticket(command.verb, &ids);
        let (input, cause) = match command.verb {
            Verb::Start => (Input::Start(ids.clone()), "started by a person"),
            Verb::Resume => (Input::Start(ids.clone()), "started again with the daemon"),
            Verb::Stop => (Input::Stop(ids.clone()), "stopped by a person"),
            Verb::Restart { .. } => (Input::Restart(ids.clone()), "restarted by a person"),
            Verb::Reset => (Input::Restart(ids.clone()), "reset by a person"),
        };
        if command.verb == Verb::Reset {
            self.mark_for_reset(&command.services)?;
        }
        let starts = matches!(command.verb, Verb::Start | Verb::Resume);
        for id in &ids {
            let idle = !self.nursery.engine().phase(id).is_alive();
            if let Some(service) = self.services.get(&**id)
                && (idle || !starts)
            {
                service.board.update(|view| view.births = 0);
            }
        }
        self.give_reason(&ids, cause);
        let news = self.nursery.advance(input).await;
        self.take_in(news).await;
        self.drop_reasons(&ids);
        if command.verb != Verb::Stop {
            self.show_newcomers(&ids);
        }
        self.remember();
        Ok(ticket)
    }

    /// Services of a plan that is not in effect yet, since others are still going down for it: the
    /// engine will start them then.
    pub(super) fn show_newcomers(&self, ids: &[Id]) {
        let graph = self.nursery.engine().graph();
        for id in ids.iter().filter(|id| !graph.contains(id)) {
            if let Some(service) = self.services.get(&**id) {
                service.board.update(|view| {
                    view.phase = Phase::Pending;
                    view.wanted = true;
                });
            }
        }
    }

    /// Writes down what is wanted, for the next daemon.
    pub(super) fn remember(&self) {
        let context = &self.context;
        let caller = context.caller.load();
        let services = context.board.services();
        let state = |board: &crate::actors::board::ServiceBoard| ServiceState {
            wanted: board.read(|view| view.wanted),
            ..ServiceState::default()
        };
        context.infra.state_store.put(ProjectState {
            dir: context.board.dir.to_string_lossy().into_owned(),
            name: context.board.name.clone(),
            env: caller.env.clone(),
            terminal: caller.terminal.map(|(cols, rows)| TerminalSize { cols, rows }),
            configuration: context.plan.load().written.0.clone(),
            services: services.iter().map(|board| (board.name.clone(), state(board))).collect(),
        });
    }

    /// The services that a command is about.
    fn meant(&self, command: &Command) -> Result<Vec<Id>, Refusal> {
        if command.services.is_empty() {
            return Ok(self.all_for(command.verb));
        }
        let mut ids = Vec::new();
        for name in &command.services {
            if !self.services.contains_key(name.as_str()) {
                return Err(self.no_such(name));
            }
            ids.push(Id::from(name.as_str()));
        }
        if matches!(command.verb, Verb::Restart { cascade: true } | Verb::Reset) {
            ids = self.with_dependents(ids);
        }
        Ok(ids)
    }

    fn all_for(&self, verb: Verb) -> Vec<Id> {
        let plan = self.context.plan.load();
        let engine = self.nursery.engine();
        plan.services
            .iter()
            .filter(|service| match verb {
                Verb::Start | Verb::Resume => service.autostart,
                Verb::Stop => true,
                Verb::Restart { .. } | Verb::Reset => {
                    service.autostart || engine.wanted(&service.name.as_str().into())
                }
            })
            .map(|service| Id::from(service.name.as_str()))
            .collect()
    }

    /// Has the next launch of these throw their data away. None of them, if one has none.
    fn mark_for_reset(&self, names: &[String]) -> Result<(), Refusal> {
        let plan = self.context.plan.load();
        let provided = |name: &&String| plan.service(name).is_some_and(|s| s.provision().is_some());
        if let Some(other) = names.iter().find(|name| !provided(name)) {
            return Err(Refusal::NotProvided(other.clone()));
        }
        let services = names.iter().filter_map(|name| self.services.get(name.as_str()));
        services.for_each(|service| service.reset.store(true, Ordering::Relaxed));
        Ok(())
    }

    fn with_dependents(&self, ids: Vec<Id>) -> Vec<Id> {
        let graph = self.nursery.engine().graph();
        // Dependencies come first, so one pass finds all transitive dependents.
        let mut meant: std::collections::HashSet<Id> = ids.into_iter().collect();
        for id in graph.ids() {
            if graph.dependencies(id).any(|(to, _)| meant.contains(to)) {
                let up = self.nursery.engine().wanted(id);
                if up {
                    meant.insert(id.clone());
                }
            }
        }
        graph.ids().iter().filter(|id| meant.contains(*id)).cloned().collect()
    }

    /// What to watch to see the command done.
    fn ticket(&self, verb: Verb, ids: &[Id]) -> Ticket {
        let engine = self.nursery.engine();
        let mut meant: std::collections::HashSet<&Id> = ids.iter().collect();
        let mut extra = Vec::new();
        if verb == Verb::Stop {
            // Those that are taken down with them.
            for id in engine.graph().ids() {
                let bonded = engine.graph().dependencies(id).any(|(to, edge)| {
                    meant.contains(to) && edge.bond > crate::supervision::graph::Bond::Loose
                });
                if bonded && engine.phase(id).is_alive() && meant.insert(id) {
                    extra.push(id);
                }
            }
        }
        let target = |id: &Id| {
            let alive = engine.phase(id).is_alive();
            let name = self.services.get(&**id)?.name.clone();
            Some(Target { name, ends: alive.then(|| engine.life(id)) })
        };
        Ticket { targets: ids.iter().chain(extra).filter_map(target).collect() }
    }

    fn no_such(&self, name: &str) -> Refusal {
        let known = self.services.keys().map(ServiceName::as_str);
        Refusal::NoSuchService {
            project: self.context.board.name.to_string(),
            name: name.to_owned(),
            nearest: nearest(name, known).map(str::to_owned),
        }
    }
}

impl Team {
    /// Marks everything that runs as on its way down, when the actor itself ends.
    pub(super) fn going_down(&self) {
        for service in self.services.values() {
            service.board.update(|view| {
                if view.phase.is_alive() {
                    view.phase = Phase::Stopping { told: true };
                }
            });
        }
    }

    /// Marks everything as down.
    pub(super) fn down(&self) {
        for service in self.services.values() {
            service.board.update(|view| {
                view.phase = Phase::Stopped;
                view.next_start = None;
            });
        }
    }
}
