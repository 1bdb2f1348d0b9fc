//! Projects and services for tests.

use std::path::PathBuf;

use crate::api::status::{Project, ProjectState, Service, ServiceState};

/// A service of which nothing but its state is known.
pub(crate) fn service(name: &str, state: ServiceState) -> Service {
    Service {
        name: name.to_owned(),
        kind: "exec".to_owned(),
        state,
        pid: None,
        port: None,
        url: None,
        restarts: 0,
        uptime_s: None,
        last_exit: None,
        reason: None,
        depends_on: Vec::new(),
        waiting_for: Vec::new(),
    }
}

/// A project with these services.
pub(crate) fn project(services: Vec<Service>) -> Project {
    Project {
        name: "shop".to_owned(),
        path: PathBuf::from("/home/me/shop"),
        domain: "shop.localhost".to_owned(),
        state: ProjectState::Degraded,
        config_error: None,
        watch_error: None,
        services,
    }
}
