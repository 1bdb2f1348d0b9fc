//! Things of which two services cannot have the same: fixed ports, domains.

use std::{collections::HashMap, hash::Hash, ops::Range};

use crate::core::{
    config::{draft::Draft, reader::Reader},
    diagnostic::Diagnostic,
    plan::PortSpec,
};

pub(super) fn report(reader: &mut Reader<'_>, draft: &Draft) {
    let ports = draft.services.iter().filter_map(|service| match service.service.port {
        PortSpec::Fixed(port) => {
            let label = format!("here, for {}", service.service.name);
            Some((port, service.port_at.clone(), label))
        }
        PortSpec::Assigned | PortSpec::None => None,
    });
    clash(reader, ports, |port| format!("two services have port {port}"));
    let project = (&draft.project.domain, draft.domain_at.clone(), "here, for the project".into());
    let own = draft.services.iter().filter_map(|service| {
        let domain = service.domain.as_ref()?;
        let label = format!("here, for {}", service.service.name);
        Some((&domain.value, domain.range.clone(), label))
    });
    clash(reader, std::iter::once(project).chain(own), |domain| {
        format!("two have domain {domain}")
    });
}

fn clash<T: Eq + Hash>(
    reader: &mut Reader<'_>,
    things: impl Iterator<Item = (T, Range<usize>, String)>,
    message: impl Fn(&T) -> String,
) {
    let mut seen: HashMap<T, (Range<usize>, String)> = HashMap::new();
    for (thing, range, label) in things {
        match seen.get(&thing) {
            Some((first, first_label)) => reader.report(
                Diagnostic::at(range, message(&thing))
                    .labelled(label)
                    .and_at(first.clone(), first_label.clone()),
            ),
            None => {
                seen.insert(thing, (range, label));
            }
        }
    }
}
