//! The thread that reads every output and writes every log file.

use std::collections::HashMap;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use tokio::runtime;
use tokio::sync::oneshot;

use super::journal::Journal;
use super::sink::{Shared, Sink};
use super::tails::{self, Tails};
use super::{mend, pump};
use crate::core::log::Limits;
use crate::os::keep::{self, Kept};

/// The name of the journal among what the heart keeps.
const JOURNAL: &str = "journal";

/// Owns the thread; a clone is the same plane. When the last clone goes, outputs are no longer read.
#[derive(Clone, Debug)]
pub struct LogPlane {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    limits: Limits,
    runtime: runtime::Handle,
    /// Two writers of one file would tear lines: whoever asks for a path gets the same sink.
    sinks: Mutex<HashMap<PathBuf, Weak<Shared>>>,
    tails: Arc<Mutex<Tails>>,
    /// Dropped to end the thread.
    _alive: oneshot::Sender<()>,
}

impl LogPlane {
    /// Starts the thread.
    pub fn start(limits: Limits) -> io::Result<Self> {
        Self::resume(limits, &mut Kept::default())
    }

    /// The same, and what an earlier daemon had read and not yet written is written first.
    pub fn resume(limits: Limits, kept: &mut Kept) -> io::Result<Self> {
        let (mut journal, fd) = Journal::open(kept.take(JOURNAL))?;
        let mut tails = tails::take(kept);
        if let Some(begun) = journal.begun() {
            mend::mend(&begun, &mut tails);
        }
        journal.forget();
        if let Some(line) = keep::line() {
            line.keep(JOURNAL, &[], Some(fd.as_fd()));
        }
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel::<()>();
        thread::Builder::new().name("log-plane".to_owned()).spawn(move || {
            pump::use_journal(journal);
            // The sender is never used, only dropped.
            drop(runtime.block_on(ended));
        })?;
        let sinks = Mutex::default();
        let tails = Arc::new(Mutex::new(tails));
        let inner = Inner { limits, runtime: handle, sinks, tails, _alive: alive };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The log of this path. Writes nothing before there is something to write.
    pub fn sink(&self, path: PathBuf) -> Sink {
        let mut sinks = self.inner.sinks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = sinks.get(&path).and_then(Weak::upgrade) {
            return Sink::of(shared);
        }
        sinks.retain(|_, sink| sink.strong_count() > 0);
        let Inner { limits, runtime, tails, .. } = &*self.inner;
        let shared = Shared::new(path.clone(), *limits, runtime.clone(), tails.clone());
        let shared = Arc::new(shared);
        sinks.insert(path, Arc::downgrade(&shared));
        Sink::of(shared)
    }
}
