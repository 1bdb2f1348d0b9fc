//! What concerns several parts of a configuration: who needs whom, cycles, clashes.

mod clashes;
mod cycles;
mod needs;

use std::{collections::HashMap, ops::Range};

use super::{Config, draft::Draft, reader::Reader};
use crate::core::id::ServiceName;

/// A dependency, said or implied, and where.
struct Edge {
    from: usize,
    to: usize,
    range: Range<usize>,
}

/// Resolves the dependencies; anything wrong is noted in the reader.
pub(super) fn check(reader: &mut Reader<'_>, mut draft: Draft) -> Config {
    let index: HashMap<ServiceName, usize> = draft
        .services
        .iter()
        .enumerate()
        .map(|(number, service)| (service.service.name.clone(), number))
        .collect();
    let (needs, edges) = needs::resolve(reader, &draft, &index);
    cycles::report(reader, &draft, &edges);
    clashes::report(reader, &draft);
    for (service, needs) in draft.services.iter_mut().zip(needs) {
        service.service.needs = needs;
    }
    let services = draft.services.into_iter().map(|service| service.service).collect();
    Config { project: draft.project, services }
}
