//! One service's log: outlives the service's lives, and whoever holds it.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use tokio::runtime;
use tokio::sync::{oneshot, watch};

use super::follow::{Follower, Start};
use super::ledger::Ledger;
use super::pump::{self, Pump};
use super::store::Store;
use super::tail;
use super::tails::{self, Tail, Tails};
use super::terminal::Terminal;
use crate::core::log::{Filter, Head, Limits, MAX_LINE, Splitter, Stamp, Stream};
use crate::os::clock;

/// Cheap to clone. Followers end when the last clone and the last pump are gone.
#[derive(Clone, Debug)]
pub struct Sink {
    shared: Arc<Shared>,
}

/// What the clones of a sink, its pumps and its plane share.
#[derive(Debug)]
pub(super) struct Shared {
    ledger: Arc<Ledger>,
    /// Locked by the plane's thread alone, also while it writes.
    store: Mutex<Store>,
    /// Of the outputs now read; those locks are never held while something is written.
    splitters: Mutex<Vec<Weak<Mutex<Splitter>>>>,
    trouble: watch::Receiver<Option<Arc<str>>>,
    terminal: Arc<Terminal>,
    plane: runtime::Handle,
    /// Lines that an earlier daemon has not seen the end of.
    tails: Arc<Mutex<Tails>>,
}

impl Sink {
    pub(super) fn of(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Stores everything that comes from a terminal or pipe. The sink owns the descriptor from now on.
    pub fn attach(&self, fd: OwnedFd, stream: Stream) -> Pump {
        if let Some(tail) = self.shared.tail(stream) {
            // Whoever began that line is gone.
            let shared = Arc::clone(&self.shared);
            self.shared.plane.spawn(async move { shared.finish(&tail, stream) });
        }
        self.read(fd, stream, Splitter::new(MAX_LINE))
    }

    /// The same for an output that an earlier daemon has begun to read.
    pub fn attach_again(&self, fd: OwnedFd, stream: Stream) -> Pump {
        let text = self.shared.tail(stream).map(|tail| tail.text).unwrap_or_default();
        self.read(fd, stream, Splitter::resume(MAX_LINE, text))
    }

    fn read(&self, fd: OwnedFd, stream: Stream, splitter: Splitter) -> Pump {
        let splitter = Arc::new(Mutex::new(splitter));
        {
            let mut splitters = lock(&self.shared.splitters);
            splitters.retain(|splitter| splitter.strong_count() > 0);
            splitters.push(Arc::downgrade(&splitter));
        }
        pump::start(Arc::clone(&self.shared), fd, stream, splitter)
    }

    /// Stores `locald: text`; several lines become several records.
    pub fn note(&self, text: &str) {
        let text = text.to_owned();
        let shared = Arc::clone(&self.shared);
        self.shared.plane.spawn(async move { shared.note(&text) });
    }

    /// Resolves when every note so far is stored.
    pub async fn settled(&self) {
        let (done, settled) = oneshot::channel::<()>();
        // Tasks of the plane begin in the order in which they were spawned.
        self.shared.plane.spawn(async move { drop(done) });
        let _: Result<(), oneshot::error::RecvError> = settled.await;
    }

    /// The last lines as text, oldest first, with the unfinished one (a prompt) at the end; if asked,
    /// only those since a time. Reads a little from the end of the file, on this thread. Empty where
    /// nothing can be read.
    pub fn last_lines(&self, n: usize, since: Option<SystemTime>) -> Vec<String> {
        let stored = self.shared.ledger.open_all();
        let stored =
            stored.and_then(|log| tail::last(&log, n, since.map(Stamp::of))).unwrap_or_default();
        let mut lines: Vec<String> = stored.iter().map(|line| line.text().into_owned()).collect();
        lines.extend(self.shared.unfinished());
        lines.drain(..lines.len().saturating_sub(n));
        lines
    }

    /// A reader of the log. Only lines that the filter admits are counted and given.
    pub async fn follower(&self, start: Start, filter: Filter) -> std::io::Result<Follower> {
        Follower::new(Arc::clone(&self.shared.ledger), start, filter).await
    }

    /// The service's terminal, if it has one, over all its lives.
    pub fn terminal(&self) -> Arc<Terminal> {
        self.shared.terminal()
    }

    /// Why lines are being lost or files not rotated, if so.
    pub fn trouble(&self) -> Option<String> {
        self.shared.trouble.borrow().as_deref().map(str::to_owned)
    }

    /// Tells when [`Self::trouble`] changes.
    pub fn troubles(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.shared.trouble.clone()
    }
}

impl Shared {
    pub(super) fn new(
        path: PathBuf,
        limits: Limits,
        plane: runtime::Handle,
        tails: Arc<Mutex<Tails>>,
    ) -> Self {
        let (ledger, publish) = Ledger::new(path, limits);
        let ledger = Arc::new(ledger);
        let (told, trouble) = watch::channel(None);
        let store = Mutex::new(Store::new(Arc::clone(&ledger), limits, publish, told));
        let terminal = Arc::default();
        Self { ledger, store, splitters: Mutex::default(), trouble, terminal, plane, tails }
    }

    pub(super) fn terminal(&self) -> Arc<Terminal> {
        Arc::clone(&self.terminal)
    }

    pub(super) fn plane(&self) -> &runtime::Handle {
        &self.plane
    }

    pub(super) fn path(&self) -> &Path {
        self.ledger.path()
    }

    /// Device, inode and length of the file that is written next; none if there is no writing to it.
    pub(super) fn place(&self) -> Option<(u64, u64, u64)> {
        lock(&self.store).place()
    }

    fn tail(&self, stream: Stream) -> Option<Tail> {
        lock(&self.tails).remove(&(self.path().to_owned(), stream))
    }

    /// For the plane's thread: a line whose end nobody will write.
    fn finish(&self, tail: &Tail, stream: Stream) {
        if !tail.text.is_empty() {
            let at = now();
            let mut records = Vec::new();
            Head::new(at, stream, false).write(&tail.text, &mut records);
            self.append(&records, at);
        }
        tails::note(self.path(), stream, tail.turn, None);
    }

    /// For the plane's thread.
    pub(super) fn append(&self, records: &[u8], at: Stamp) {
        lock(&self.store).append(records, at);
    }

    /// For the plane's thread.
    pub(super) fn note(&self, text: &str) {
        let at = now();
        let head = Head::new(at, Stream::Sys, false);
        let mut records = Vec::new();
        let mut splitter = Splitter::new(MAX_LINE);
        let mut record = |line: &[u8], _| head.write(&[b"locald: ", line].concat(), &mut records);
        splitter.push(text.as_bytes(), &mut record);
        splitter.finish(&mut record);
        self.append(&records, at);
    }

    fn unfinished(&self) -> Vec<String> {
        let splitters = lock(&self.splitters);
        let texts = splitters
            .iter()
            .filter_map(Weak::upgrade)
            .map(|splitter| String::from_utf8_lossy(lock(&splitter).unfinished()).into_owned());
        texts.filter(|text| !text.trim_end_matches('\r').is_empty()).collect()
    }
}

/// A panic elsewhere is no reason to stop logging.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time of what is read now.
pub(super) fn now() -> Stamp {
    Stamp::of(clock::wall())
}
