//! Why a service starts or stops, in words: what a person asked for, an edit, or another service.

use std::collections::HashSet;

use super::Team;
use crate::{
    actors::context::ServiceContext,
    core::plan::Kind,
    supervision::{
        engine::Phase,
        graph::{Bond, Id},
    },
};

impl Team {
    /// What these services are about to do is for this reason.
    pub(super) fn give_reason(&self, ids: &[Id], why: &str) {
        for id in ids {
            let Some(service) = self.services.get(&**id) else { continue };
            service.board.update(|view| {
                view.cause = Some(why.to_owned());
                view.coming = Some(why.to_owned());
            });
        }
    }

    /// A reason given to services that had nothing to do is none for what they do later.
    pub(super) fn drop_reasons(&self, ids: &[Id]) {
        for id in ids {
            let Some(service) = self.services.get(&**id) else { continue };
            let idle = !matches!(
                self.nursery.engine().phase(id),
                Phase::Pending | Phase::Backoff | Phase::Stopping { .. }
            );
            // Of a plan that is not in effect yet nothing is known.
            if idle && self.nursery.engine().graph().contains(id) {
                service.board.update(|view| view.coming = None);
            }
        }
    }

    /// Why it is told to stop.
    pub(super) fn why_told(&self, service: &ServiceContext, id: &Id) -> Option<String> {
        let given = service.board.read(|view| view.coming.clone());
        given.or_else(|| {
            let why = format!("taken along: {}", self.culprit(id)?);
            service.board.update(|view| {
                view.cause = Some(why.clone());
                view.coming = Some(why.clone());
            });
            Some(why)
        })
    }

    /// Why it starts.
    pub(super) fn why_born(&self, service: &ServiceContext, id: &Id) -> Option<String> {
        let given = service.board.read(|view| view.coming.clone());
        let engine = self.nursery.engine();
        let why = given.or_else(|| {
            let waits_for_it = |other: &&Id| {
                engine.phase(other) == Phase::Pending
                    && engine.graph().dependencies(other).any(|(to, _)| to == id)
            };
            let other = engine.graph().ids().iter().find(waits_for_it)?;
            Some(format!("started for {other}"))
        })?;
        service.board.update(|view| {
            view.cause = Some(why.clone());
            view.coming = None;
        });
        Some(why)
    }

    /// Which service has taken this one down, and how: the first in a chain of bonds.
    fn culprit(&self, id: &Id) -> Option<String> {
        let engine = self.nursery.engine();
        let graph = engine.graph();
        let fallen = |phase| matches!(phase, Phase::Backoff | Phase::GaveUp);
        if graph.is_one_for_all()
            && let Some(guilty) = graph.ids().iter().find(|other| fallen(engine.phase(other)))
        {
            return Some(self.fate(guilty));
        }
        let (mut at, mut seen) = (id.clone(), HashSet::new());
        loop {
            let down = |to: &Id| !matches!(engine.phase(to), Phase::Up { .. } | Phase::Completed);
            let next = graph
                .dependencies(&at)
                .find(|(to, edge)| edge.bond > Bond::Loose && down(to) && !seen.contains(*to))
                .map(|(to, _)| to.clone());
            match next {
                Some(to) => {
                    seen.insert(to.clone());
                    at = to;
                }
                None if at == *id => return None,
                None => return Some(self.fate(&at)),
            }
        }
    }

    fn fate(&self, id: &Id) -> String {
        let engine = self.nursery.engine();
        // Its backoff may have passed meanwhile, but it has not come back yet.
        let failed = |name: &str| {
            self.services.get(name).is_some_and(|s| s.board.read(|view| view.failure.is_some()))
        };
        let what = match engine.phase(id) {
            Phase::Backoff | Phase::GaveUp => "has failed",
            Phase::Pending if failed(id) => "has failed",
            _ if engine.wanted(id) => "is restarted",
            _ => "is stopped",
        };
        format!("{id} {what}")
    }
}

/// Why a service that has failed for good is not tried again.
pub(super) fn no_more(kind: Kind) -> &'static str {
    match kind {
        Kind::Task => "a task is not run again by itself",
        _ => "it is not to be restarted",
    }
}
