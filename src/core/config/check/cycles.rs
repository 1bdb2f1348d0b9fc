//! Dependencies that lead back to where they started.

use std::{collections::HashMap, ops::Range};

use super::Edge;
use crate::core::{
    config::{draft::Draft, reader::Reader},
    diagnostic::Diagnostic,
    order::Dependencies,
};

/// So many edges of a cycle are pointed at; its name has all of them.
const POINTED_AT: usize = 8;

pub(super) fn report(reader: &mut Reader<'_>, draft: &Draft, edges: &[Edge]) {
    let graph =
        Dependencies::new(draft.services.len(), edges.iter().map(|edge| (edge.from, edge.to)));
    let cycles = graph.cycles();
    if cycles.is_empty() {
        return;
    }
    let places: HashMap<(usize, usize), &Range<usize>> =
        edges.iter().map(|edge| ((edge.from, edge.to), &edge.range)).collect();
    let name = |number: usize| draft.services[number].service.name.as_str();
    for mut cycle in cycles {
        cycle.push(cycle[0]);
        let names: Vec<_> = cycle.iter().map(|&number| name(number)).collect();
        let message = format!("services depend on each other: {}", names.join(" → "));
        let mut wrong = Diagnostic { message, labels: Vec::new(), help: None };
        for pair in cycle.windows(2).take(POINTED_AT) {
            if let Some(&place) = places.get(&(pair[0], pair[1])) {
                let text = format!("{} needs {}", name(pair[0]), name(pair[1]));
                wrong = wrong.and_at(place.clone(), text);
            }
        }
        reader.report(wrong);
    }
}
