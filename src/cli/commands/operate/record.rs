//! What came of each service of an operation, for those who want it written down.

use std::time::Duration;

use super::{Verb, progress::Progress};
use crate::api::control::Failure;

/// All services.
#[derive(Debug, Default)]
pub struct Record {
    /// In the order in which they were first seen.
    pub cases: Vec<Case>,
}

/// A service.
#[derive(Debug)]
pub struct Case {
    /// Its name.
    pub service: String,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is where it should be.
    Good,
    /// It is not, with the reason and its last lines.
    Failed(String, Vec<String>),
    /// Nobody knows, with the reason.
    Open(String),
}

impl Record {
    /// Takes down what is known; `left`: what to say of services that were still on their way.
    pub(super) fn of(&mut self, verb: Verb, progress: &Progress, failures: &[Failure], left: &str) {
        self.cases.clear();
        for (service, took) in progress.times() {
            let failure = failures.iter().find(|failure| failure.service == service.name);
            let verdict = match failure {
                Some(failure) => {
                    Verdict::Failed(failure.reason.clone(), failure.last_lines.clone())
                }
                None if verb.is_busy(service.state) => Verdict::Open(left.to_owned()),
                None => Verdict::Good,
            };
            self.cases.push(Case { service: service.name.clone(), took, verdict });
        }
    }
}
