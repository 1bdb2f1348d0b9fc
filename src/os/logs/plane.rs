//! The thread that reads every output and writes every log file.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use tokio::runtime;
use tokio::sync::oneshot;

use super::sink::{Shared, Sink};
use crate::core::log::Limits;

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
    /// Dropped to end the thread.
    _alive: oneshot::Sender<()>,
}

impl LogPlane {
    /// Starts the thread.
    pub fn start(limits: Limits) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel::<()>();
        thread::Builder::new().name("log-plane".to_owned()).spawn(move || {
            // The sender is never used, only dropped.
            drop(runtime.block_on(ended));
        })?;
        let sinks = Mutex::default();
        let inner = Inner { limits, runtime: handle, sinks, _alive: alive };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The log of this path. Writes nothing before there is something to write.
    pub fn sink(&self, path: PathBuf) -> Sink {
        let mut sinks = self.inner.sinks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = sinks.get(&path).and_then(Weak::upgrade) {
            return Sink::of(shared);
        }
        sinks.retain(|_, sink| sink.strong_count() > 0);
        let shared = Shared::new(path.clone(), self.inner.limits, self.inner.runtime.clone());
        let shared = Arc::new(shared);
        sinks.insert(path, Arc::downgrade(&shared));
        Sink::of(shared)
    }
}
