//! A configuration with the places that checks between its parts point at.

use std::{collections::HashSet, ops::Range, sync::Arc};

use super::{
    Project, Service,
    reader::{At, Use},
};
use crate::core::{
    id::ServiceName,
    plan::{Bond, Condition},
};

pub(super) struct Draft {
    pub(super) project: Project,
    /// Where the project's domain is, or its name.
    pub(super) domain_at: Range<usize>,
    /// Each use of a service in the project's `env`, with the variable it is in.
    pub(super) uses: Vec<(Arc<str>, Use)>,
    /// Each use of a service in the project's `on_event`, for which nobody depends on it.
    pub(super) asides: Vec<Use>,
    /// Every service that the file names, those with errors included.
    pub(super) names: HashSet<ServiceName>,
    pub(super) services: Vec<DraftService>,
}

pub(super) struct DraftService {
    pub(super) service: Service,
    /// The service's name in its header.
    pub(super) name_at: Range<usize>,
    /// The value of `port`, else the name.
    pub(super) port_at: Range<usize>,
    /// Its own domain.
    pub(super) domain: Option<At<String>>,
    pub(super) depends_on: Vec<Dependency>,
    /// Each use of a service in `env`, `command` and `health_check`.
    pub(super) uses: Vec<Use>,
    /// Each use of a service in `build`, which needs nobody to run.
    pub(super) asides: Vec<Use>,
}

pub(super) struct Dependency {
    pub(super) on: At<ServiceName>,
    pub(super) condition: Option<At<Condition>>,
    pub(super) bond: Option<Bond>,
}
