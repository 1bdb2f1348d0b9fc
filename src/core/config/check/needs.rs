//! The dependencies of each service: those it names, then those its `${…}` imply.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
};

use super::Edge;
use crate::core::{
    config::{
        draft::{Dependency, Draft, DraftService},
        reader::{At, Reader, Use},
    },
    diagnostic::Diagnostic,
    id::ServiceName,
    near::quoted,
    plan::{Condition, Kind, Need, PortSpec, hidden},
};

/// So many services may be used in the project's `env`: each is a dependency of every service.
const PROJECT_USES: usize = 100;

/// The dependencies of each service, and all of them as edges.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    draft: &Draft,
    index: &HashMap<ServiceName, usize>,
) -> (Vec<Vec<Need>>, Vec<Edge>) {
    let shared = shared_uses(reader, draft, index);
    let asides = draft.services.iter().flat_map(|service| &service.asides);
    for used in draft.asides.iter().chain(asides) {
        target(reader, draft, index, used);
    }
    let mut resolver = Resolver { reader, draft, index, edges: Vec::new() };
    let needs = (0..draft.services.len()).map(|from| resolver.needs(from, &shared)).collect();
    (needs, resolver.edges)
}

struct Resolver<'a, 's> {
    reader: &'a mut Reader<'s>,
    draft: &'a Draft,
    index: &'a HashMap<ServiceName, usize>,
    edges: Vec<Edge>,
}

/// What the project's variables use: first each service once, then again.
#[derive(Default)]
struct SharedUses<'a> {
    list: Vec<Shared<'a>>,
    distinct: usize,
}

/// A service that a variable of the project uses.
struct Shared<'a> {
    variable: &'a Arc<str>,
    to: usize,
    range: &'a Range<usize>,
}

impl Resolver<'_, '_> {
    fn needs(&mut self, from: usize, shared: &SharedUses<'_>) -> Vec<Need> {
        let service = &self.draft.services[from];
        let mut seen: HashMap<usize, Range<usize>> = HashMap::new();
        let mut needs = Vec::new();
        for dependency in &service.depends_on {
            let Some(&to) = self.index.get(&dependency.on.value) else { continue };
            if to == from {
                let message = format!("{} depends on itself", quoted(&service.service.name));
                self.reader.report(Diagnostic::at(dependency.on.range.clone(), message));
            } else if let Some(first) = seen.get(&to) {
                let message = format!("{} is named twice", quoted(&dependency.on.value));
                self.reader.report(
                    Diagnostic::at(dependency.on.range.clone(), message)
                        .and_at(first.clone(), "first here"),
                );
            } else {
                needs.push(self.explicit(to, dependency));
                seen.insert(to, dependency.on.range.clone());
                self.edges.push(Edge { from, to, range: dependency.on.range.clone() });
            }
        }
        let mut imply = |resolver: &mut Self, to: usize, range: &Range<usize>| {
            if to != from && !seen.contains_key(&to) {
                needs.push(resolver.implied(to));
                seen.insert(to, range.clone());
                resolver.edges.push(Edge { from, to, range: range.clone() });
            }
        };
        for used in &service.uses {
            if let Some(to) = target(self.reader, self.draft, self.index, used) {
                imply(self, to, &used.range);
            }
        }
        if shared.distinct > 0 {
            let hidden = hidden(&self.draft.project.env, &service.service);
            let hidden: HashSet<&Arc<str>> = hidden.iter().collect();
            let relevant =
                if hidden.is_empty() { &shared.list[..shared.distinct] } else { &shared.list };
            for used in relevant.iter().filter(|used| !hidden.contains(used.variable)) {
                imply(self, used.to, used.range);
            }
        }
        needs
    }

    fn explicit(&mut self, to: usize, dependency: &Dependency) -> Need {
        let target = &self.draft.services[to];
        let mut need = self.implied(to);
        need.bond = dependency.bond.unwrap_or(need.bond);
        if let Some(condition) = &dependency.condition {
            self.fits(condition, target);
            need.condition = condition.value;
        }
        need
    }

    fn implied(&self, to: usize) -> Need {
        let target = &self.draft.services[to].service;
        let condition = match target.kind {
            Kind::Task => Condition::Completed,
            Kind::Exec | Kind::Worker | Kind::Site | Kind::Postgres | Kind::Redis => {
                Condition::Healthy
            }
        };
        Need { on: target.name.clone(), condition, bond: self.draft.project.strategy.bond() }
    }

    fn fits(&mut self, condition: &At<Condition>, target: &DraftService) {
        let (name, kind) = (quoted(&target.service.name), target.service.kind);
        let why = match (condition.value, kind == Kind::Task) {
            (Condition::Completed, false) => format!("{name} never completes: it is no task"),
            (Condition::Healthy, true) => {
                format!("{name} is never healthy: it is a task, which completes")
            }
            _ => return,
        };
        self.reader.report(
            Diagnostic::at(condition.range.clone(), why)
                .and_at(target.name_at.clone(), format!("of type {kind}")),
        );
    }
}

fn shared_uses<'a>(
    reader: &mut Reader<'_>,
    draft: &'a Draft,
    index: &HashMap<ServiceName, usize>,
) -> SharedUses<'a> {
    let mut targets = HashSet::new();
    let mut shared = Vec::new();
    let mut repeated = Vec::new();
    for (variable, used) in &draft.uses {
        let Some(to) = target(reader, draft, index, used) else { continue };
        // Those that add a service come first; the others matter to who overrides a variable.
        let place = if targets.insert(to) { &mut shared } else { &mut repeated };
        place.push(Shared { variable, to, range: &used.range });
        if targets.len() > PROJECT_USES {
            let message = format!("the project's `env` uses more than {PROJECT_USES} services");
            reader.report(
                Diagnostic::at(used.range.clone(), message)
                    .help("every service would depend on all of them"),
            );
            return SharedUses::default();
        }
    }
    let distinct = shared.len();
    shared.extend(repeated);
    SharedUses { list: shared, distinct }
}

/// The service in a `${…}`, if it is there and has what is asked for.
fn target(
    reader: &mut Reader<'_>,
    draft: &Draft,
    index: &HashMap<ServiceName, usize>,
    used: &Use,
) -> Option<usize> {
    let Some(&to) = index.get(&used.service) else {
        // A service with errors of its own is not unknown.
        if !draft.names.contains(&used.service) {
            let message = format!("unknown service {}", quoted(&used.service));
            let mut wrong = Diagnostic::at(used.range.clone(), message);
            wrong.help = reader.advice(&used.service, draft.names.iter().map(|name| &**name));
            reader.report(wrong);
        }
        return None;
    };
    let target = &draft.services[to];
    if target.service.port == PortSpec::None {
        let (name, field) = (quoted(&used.service), used.field.as_str());
        let why = format!("{name} has no port, and so no `{field}`");
        let wrong = Diagnostic::at(used.range.clone(), why)
            .and_at(target.port_at.clone(), format!("of type {}", target.service.kind));
        reader.report(wrong);
        return None;
    }
    let provided = target.service.kind.product().is_some();
    if used.field.is_of_provided() && !provided {
        let (name, field) = (quoted(&used.service), used.field.as_str());
        let why = format!("{name} has no `{field}`: it is not provided by locald");
        let wrong = Diagnostic::at(used.range.clone(), why)
            .and_at(target.name_at.clone(), format!("of type {}", target.service.kind));
        reader.report(wrong);
        return None;
    }
    Some(to)
}
