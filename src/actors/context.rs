//! What the actors of a project, and those of one service, share.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
};

use arc_swap::{ArcSwap, ArcSwapOption};

use super::{
    board::{ProjectBoard, ServiceBoard},
    infra::Infra,
};
use crate::{
    core::{id::ServiceName, launch::Launch, plan::Plan},
    os::{child::Child, logs::Sink, notify_socket::NotifySocket},
    supervision::plate::ChildPlate,
};

/// A project. Each life of a service reads it afresh; `project` is the one writer, but for a port
/// that had to be replaced.
pub struct ProjectContext {
    /// Its board.
    pub board: Arc<ProjectBoard>,
    /// The configuration in effect.
    pub plan: ArcSwap<Plan>,
    /// The port of each service that has one.
    pub ports: ArcSwap<HashMap<ServiceName, u16>>,
    /// The client that last started something.
    pub caller: ArcSwap<Caller>,
    /// The infrastructure.
    pub infra: Infra,
}

/// What a service inherits from the client that started it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Caller {
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// Columns and rows of its terminal, if it had one.
    pub terminal: Option<(u16, u16)>,
}

/// A service, over all its lives.
pub struct ServiceContext {
    /// Its project.
    pub project: Arc<ProjectContext>,
    /// Its name.
    pub name: ServiceName,
    /// Its board.
    pub board: Arc<ServiceBoard>,
    /// Where its output goes.
    pub sink: Sink,
    /// Where it may send notifications.
    pub notify_path: PathBuf,
    /// What runs now. `process` is the one writer.
    pub running: ArcSwapOption<Running>,
    /// What was launched last, or was to be. `process` is the one writer.
    pub tried: ArcSwapOption<Tried>,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// An attempt to start a service.
pub struct Tried {
    /// What was to be launched.
    pub launch: Launch,
    /// Whose environment it has: a later client's is no reason to start it again.
    pub caller: Arc<Caller>,
}

/// A process and what it was started with.
pub struct Running {
    /// The leader of its session.
    pub child: Child,
    /// What was launched.
    pub launch: Launch,
    /// Whether it has a terminal.
    pub pty: bool,
    /// Where it sends notifications; none where it could not be bound.
    pub notify: Option<NotifySocket>,
}

impl ProjectContext {
    /// The configuration on disk cannot be put into effect, which is shown until it can.
    pub fn refuse(&self, why: &str) {
        if self.board.config_error.load().as_deref() == Some(why) {
            return;
        }
        self.board.config_error.store(Arc::new(Some(why.to_owned())));
        self.board.ring();
        self.event("config-error", Some(why.to_owned()));
    }

    /// The configuration on disk is in effect.
    pub fn accept(&self) {
        if self.board.config_error.swap(Arc::new(None)).is_some() {
            self.board.ring();
            self.event("config-fixed", None);
        }
    }

    /// Edits are not noticed as they should be, or are again; this is shown.
    pub fn cannot_watch(&self, why: Option<String>) {
        if **self.board.watch_error.load() == why {
            return;
        }
        self.board.watch_error.store(Arc::new(why.clone()));
        self.board.ring();
        self.event(if why.is_some() { "cannot-watch" } else { "watches-again" }, why);
    }

    /// Records an event about the project.
    pub fn event(&self, event: &'static str, detail: Option<String>) {
        self.infra.events.record(Some(&self.board.name), None, event, detail);
    }
}

impl ServiceContext {
    /// Records an event about this service.
    pub fn event(&self, event: &'static str, detail: Option<String>) {
        let project = &self.project;
        project.infra.events.record(Some(&project.board.name), Some(&self.name), event, detail);
    }
}
