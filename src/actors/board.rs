//! What the actors of a project know of its services, readable at any time without asking them.
//!
//! Each service has one board, written by the actors responsible for it: the project (phase,
//! counters), the process (pid, exits), the probe (health). Every write rings the project's bell.

mod present;
mod words;

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use tokio::{sync::watch, time::Instant};

use crate::{
    core::{
        id::{ProjectName, ServiceName},
        plan::{Condition, Kind, Limit, Protocol, ServicePlan},
    },
    os::{child::Ending, traffic::Target},
    supervision::{
        engine::{Life, Phase},
        graph::Needs,
    },
};

pub use self::words::{ending_sentence, exit, killer, process_detail, service_detail, watching};

/// So many exits are remembered per service.
const EXITS: usize = 10;

/// A project's board.
pub struct ProjectBoard {
    /// Its name.
    pub name: ProjectName,
    /// The folder of its configuration.
    pub dir: PathBuf,
    /// Its domain.
    pub domain: ArcSwap<String>,
    /// Why the configuration on disk is not the one that runs.
    pub config_error: ArcSwap<Option<String>>,
    /// Why edits are not noticed, while they are not.
    pub watch_error: ArcSwap<Option<String>>,
    /// How many folders are watched for edits.
    pub watched: AtomicUsize,
    services: ArcSwap<Vec<Arc<ServiceBoard>>>,
    bell: watch::Sender<u64>,
    routes: watch::Sender<u64>,
}

/// A service's board.
pub struct ServiceBoard {
    /// Its name.
    pub name: ServiceName,
    /// Where requests for it go: follows every change of the view.
    pub target: Arc<Target>,
    /// The host that leads to it; none if it has no port.
    pub host: ArcSwap<Option<String>>,
    needs: ArcSwap<Vec<Needed>>,
    view: watch::Sender<View>,
    bell: watch::Sender<u64>,
}

/// A dependency, as seen from its dependent.
#[derive(Clone)]
pub struct Needed {
    /// The board of the dependency.
    pub board: Arc<ServiceBoard>,
    /// What it must have reached.
    pub condition: Condition,
}

/// A service, as of now.
#[derive(Clone, Debug)]
pub struct View {
    /// How often this was written.
    pub version: u64,
    /// What it is.
    pub kind: Kind,
    /// Where it is in its supervisor's eyes.
    pub phase: Phase,
    /// Its latest life.
    pub life: Life,
    /// Whether somebody wants it up.
    pub wanted: bool,
    /// Its process, while it has one.
    pub running: Option<Running>,
    /// The port it is to listen on.
    pub port: Option<u16>,
    /// How clients get in, for a server that locald provides.
    pub access: Option<String>,
    /// Lives since a person last started it.
    pub births: u32,
    /// Its last exits, the newest last.
    pub exits: VecDeque<Past>,
    /// Why its liveness check fails, while it does.
    pub unhealthy: Option<String>,
    /// What the service says of itself (`STATUS=`).
    pub status: Option<String>,
    /// What is odd about the start under way.
    pub hint: Option<String>,
    /// Why its probe has given up on this life.
    pub unfit: Option<String>,
    /// Why it is down, if it has failed.
    pub failure: Option<String>,
    /// Whether it has given up and has not been well since.
    pub lost: bool,
    /// When it is tried again, in backoff.
    pub next_start: Option<Instant>,
    /// Failures within the window when it last failed.
    pub failures: u32,
    /// When the last of those does not count any more.
    pub forgiven: Option<Instant>,
    /// What it is allowed.
    pub limit: Limit,
    /// Who or what last started, stopped or restarted it.
    pub cause: Option<String>,
    /// Who or what is about to.
    pub coming: Option<String>,
    /// Processes that outlived SIGKILL, as "pid (command)".
    pub survivors: Vec<String>,
    /// Whether its giving up stops the project.
    pub essential: bool,
    /// What the proxy speaks with it.
    pub protocol: Protocol,
}

/// A living process.
#[derive(Clone, Copy, Debug)]
pub struct Running {
    /// Leader of its session.
    pub pid: i32,
    /// When it was started.
    pub since: Instant,
}

/// An exit and what it led to.
#[derive(Clone, Debug)]
pub struct Past {
    /// How it ended.
    pub how: Ending,
    /// Whether we had asked for it.
    pub asked: bool,
    /// When.
    pub at: SystemTime,
    /// How long it had run.
    pub ran: Duration,
    /// Why, if more is known than how.
    pub cause: Option<String>,
}

impl ProjectBoard {
    /// Without services yet.
    pub fn new(name: ProjectName, dir: PathBuf, domain: String) -> Self {
        Self {
            name,
            dir,
            domain: ArcSwap::from_pointee(domain),
            config_error: ArcSwap::from_pointee(None),
            watch_error: ArcSwap::from_pointee(None),
            watched: AtomicUsize::new(0),
            services: ArcSwap::default(),
            bell: watch::Sender::new(0),
            routes: watch::Sender::new(0),
        }
    }

    /// Its services, in the order of the configuration.
    pub fn services(&self) -> Arc<Vec<Arc<ServiceBoard>>> {
        self.services.load_full()
    }

    /// The board of one service.
    pub fn service(&self, name: &str) -> Option<Arc<ServiceBoard>> {
        self.services.load().iter().find(|board| board.name.as_str() == name).cloned()
    }

    /// Replaces the list; boards of services that stay are kept by `make`.
    pub fn list(&self, services: Vec<Arc<ServiceBoard>>) {
        self.services.store(Arc::new(services));
        self.routes.send_modify(|count| *count += 1);
        self.ring();
    }

    /// Wakes its holder when the list of services has changed, and with it what leads to them.
    pub fn watch_routes(&self) -> watch::Receiver<u64> {
        self.routes.subscribe()
    }

    /// A board for a new service of this project.
    pub fn board_for(&self, name: ServiceName, view: View) -> Arc<ServiceBoard> {
        Arc::new(ServiceBoard {
            target: Arc::new(Target::new(self.name.clone(), name.clone())),
            name,
            host: ArcSwap::default(),
            needs: ArcSwap::default(),
            view: watch::Sender::new(view),
            bell: self.bell.clone(),
        })
    }

    /// Wakes its holder at every change of any service.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    /// Tells the watchers that something has changed.
    pub fn ring(&self) {
        self.bell.send_modify(|count| *count += 1);
    }
}

impl ServiceBoard {
    /// Changes the view, and rings.
    pub fn update(&self, change: impl FnOnce(&mut View)) {
        self.view.send_modify(|view| {
            change(view);
            view.version += 1;
            self.target.publish(view.traffic());
        });
        self.bell.send_modify(|count| *count += 1);
    }

    /// Looks at the view without copying it. Must be quick: writers wait.
    pub fn read<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        look(&self.view.borrow())
    }

    /// What it depends on.
    pub fn needs(&self) -> Arc<Vec<Needed>> {
        self.needs.load_full()
    }

    /// Replaces what it depends on.
    pub fn set_needs(&self, needs: Vec<Needed>) {
        self.needs.store(Arc::new(needs));
    }

    /// Those of its dependencies that keep it from starting now.
    pub fn waiting_for(&self) -> Vec<Needed> {
        if self.read(|view| view.phase) != Phase::Pending {
            return Vec::new();
        }
        self.needs.load().iter().filter(|need| !need.is_met()).cloned().collect()
    }

    /// How many of its dependencies keep it from starting now.
    pub fn missing(&self) -> usize {
        if self.read(|view| view.phase) != Phase::Pending {
            return 0;
        }
        self.needs.load().iter().filter(|need| !need.is_met()).count()
    }

    /// Writes an exit down.
    pub fn exited(&self, past: Past) {
        self.update(|view| {
            view.running = None;
            view.status = None;
            view.unhealthy = None;
            view.unfit = None;
            view.hint = None;
            if view.exits.len() == EXITS {
                view.exits.pop_front();
            }
            view.exits.push_back(past);
        });
    }
}

impl Needed {
    fn is_met(&self) -> bool {
        self.board.read(|view| view.phase.satisfies(needs(self.condition, view.kind)))
    }
}

/// A condition in the supervisor's terms. A task is healthy when it has completed.
pub fn needs(condition: Condition, kind: Kind) -> Needs {
    match condition {
        Condition::Started => Needs::Started,
        Condition::Healthy if kind == Kind::Task => Needs::Completed,
        Condition::Healthy => Needs::Ready,
        Condition::Completed => Needs::Completed,
    }
}

impl View {
    /// It has just failed: so many failures count now.
    pub fn count(&mut self, failures: u32) {
        self.failures = failures;
        self.forgiven = Some(Instant::now() + self.limit.within);
    }

    /// A service that nobody has started yet.
    pub fn new(service: &ServicePlan) -> Self {
        Self {
            version: 0,
            kind: service.kind,
            phase: Phase::Stopped,
            life: 0,
            wanted: false,
            running: None,
            port: None,
            access: None,
            births: 0,
            exits: VecDeque::new(),
            unhealthy: None,
            status: None,
            hint: None,
            unfit: None,
            failure: None,
            lost: false,
            next_start: None,
            failures: 0,
            forgiven: None,
            limit: service.limit,
            cause: None,
            coming: None,
            survivors: Vec::new(),
            essential: service.essential,
            protocol: service.protocol,
        }
    }

    /// Whether it is up and its process is not known: not yet, or no longer.
    pub fn is_bodiless(&self) -> bool {
        matches!(self.phase, Phase::Up { .. }) && self.running.is_none()
    }
}
