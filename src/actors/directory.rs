//! The projects that the daemon has, and where to reach them. `projects` is the one writer.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::{board::ProjectBoard, context::ProjectContext, project};
use crate::supervision::address::Address;

/// A project that the daemon has.
#[derive(Clone)]
pub struct Entry {
    /// What is known of it.
    pub board: Arc<ProjectBoard>,
    /// What its actors share.
    pub context: Arc<ProjectContext>,
    /// Its actor.
    pub address: Address<project::Msg>,
}

/// All projects, by folder.
#[derive(Clone, Default)]
pub struct Directory {
    entries: Arc<ArcSwap<BTreeMap<PathBuf, Entry>>>,
    bell: Arc<watch::Sender<u64>>,
}

impl Directory {
    /// All, by folder.
    pub fn all(&self) -> Arc<BTreeMap<PathBuf, Entry>> {
        self.entries.load_full()
    }

    /// The project in this folder.
    pub fn get(&self, dir: &Path) -> Option<Entry> {
        self.entries.load().get(dir).cloned()
    }

    /// Replaces the whole.
    pub fn publish(&self, entries: BTreeMap<PathBuf, Entry>) {
        self.entries.store(Arc::new(entries));
        self.bell.send_modify(|count| *count += 1);
    }

    /// Wakes its holder when projects come or go.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }
}
