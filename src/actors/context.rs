//! What the actors of a project, and those of one service, share.

use std::{
    collections::{BTreeMap, HashMap},
    os::fd::OwnedFd,
    path::PathBuf,
    sync::{Arc, Weak, atomic::AtomicBool},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::time::Instant;

use super::{
    board::{ProjectBoard, ServiceBoard},
    config_watcher::Sight,
    infra::Infra,
    notifier::Outbox,
};
use crate::{
    core::{id::ServiceName, launch::Launch, memory::Body, plan::Plan},
    os::{child::Child, lent::Lent, logs::Sink, notify_socket::NotifySocket},
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
    /// The services it takes over from the project that it was before its name was edited, until its
    /// actor has done so.
    pub inherits: ArcSwapOption<Vec<ServiceName>>,
    /// What its watcher sees with.
    pub sight: Lent<Sight>,
    /// What its notifier has not told yet.
    pub outbox: Lent<Outbox>,
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
    /// What runs since the days of another daemon, until `process` has adopted it.
    pub inherited: ArcSwapOption<Inherited>,
    /// What was launched last, or was to be. `process` is the one writer.
    pub tried: ArcSwapOption<Tried>,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
    /// Whether the next launch throws its data away first, for a server that locald provides.
    pub reset: AtomicBool,
}

/// A process that an earlier daemon has started, and what the heart has kept of it.
pub struct Inherited {
    /// Which, and what it was started with.
    pub body: Body,
    /// Whether it has been ready.
    pub was_ready: bool,
    /// Its terminal, or the pipe from its standard output.
    pub out: Option<OwnedFd>,
    /// The pipe from its standard error.
    pub err: Option<OwnedFd>,
    /// Where it sends notifications.
    pub notify: Option<OwnedFd>,
}

/// An attempt to start a service.
pub struct Tried {
    /// What was to be launched.
    pub launch: Launch,
    /// Whose environment it has: a later client's is no reason to start it again.
    pub caller: Arc<Caller>,
    /// When: what has changed before is known to it.
    pub at: Instant,
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
    /// Whether it was ready before it was ours to watch.
    pub was_ready: bool,
    /// When it was started.
    pub since: Instant,
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
            let text = "what the files say now is in effect";
            self.event("config-fixed", Some(text.to_owned()));
        }
    }

    /// Edits are not noticed as they should be, or are again; this is shown.
    pub fn cannot_watch(&self, why: Option<String>) {
        if **self.board.watch_error.load() == why {
            return;
        }
        self.board.watch_error.store(Arc::new(why.clone()));
        self.board.ring();
        match why {
            Some(why) => self.event("cannot-watch", Some(why)),
            None => self.event("watches-again", Some("all edits are noticed again".to_owned())),
        }
    }

    /// Records an event about the project.
    pub fn event(&self, event: &'static str, detail: Option<String>) {
        self.infra.events.record(Some(&self.board.name), None, event, detail);
    }
}

impl ServiceContext {
    /// That process is nobody's any more. Its actor may be dropped late, when the next life has long
    /// begun: that one is left alone.
    pub fn lose(&self, lost: &Weak<Running>) {
        let Some(lost) = lost.upgrade() else { return };
        let _before = self.running.compare_and_swap(&Some(lost), None);
        self.board.update(|view| {
            // The next life is told of there first.
            if self.running.load().is_none() {
                view.running = None;
            }
        });
    }

    /// Records an event about this service.
    pub fn event(&self, event: &'static str, detail: Option<String>) {
        let project = &self.project;
        project.infra.events.record(Some(&project.board.name), Some(&self.name), event, detail);
    }
}
