//! What the projects are given of the infrastructure: addresses, and what outlives its actors.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use super::{
    directory::Directory, event_log::EventLog, log_store, port_allocator, projects, state_store,
};
use crate::{
    os::{paths::Places, trust::Watch},
    supervision::address::Address,
};

/// How long an actor may take to answer another one. Their answers are a matter of microseconds, but
/// one of them may be in the middle of a restart.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The infrastructure, as the rest of the tree sees it.
#[derive(Clone)]
pub struct Infra {
    /// What must survive the daemon.
    pub state_store: Address<state_store::Msg>,
    /// Leases of ports.
    pub ports: Address<port_allocator::Msg>,
    /// Where output goes.
    pub logs: Address<log_store::Msg>,
    /// The branch beside the infrastructure.
    pub projects: Address<projects::Msg>,
    /// What has happened.
    pub events: Arc<EventLog>,
    /// The projects and their boards.
    pub directory: Directory,
    /// Files and folders.
    pub places: Arc<Places>,
    /// Whether the root of our certificates is trusted.
    pub trust: Arc<Watch>,
    /// So many programs may be in the middle of being started.
    pub launching: Arc<Semaphore>,
    /// The program that serves sites: this one.
    pub exe: PathBuf,
}
