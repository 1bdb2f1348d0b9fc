//! Which log files there are, under which names, and how far they reach.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::watch;

use crate::core::log::Limits;

/// How far the log reaches: whole lines only.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Reach {
    /// The file being written.
    pub(super) generation: u64,
    /// Its bytes that may be read.
    pub(super) len: u64,
}

/// One file of the log, whatever its name is by now.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) number: u64,
    /// Lines stored by this daemon before it, and after it: what a reader missed is a difference.
    pub(super) first: u64,
    pub(super) ended: OnceLock<u64>,
}

/// A generation with a descriptor that survives its names.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    pub(super) generation: Arc<Generation>,
    pub(super) file: Arc<File>,
}

/// All files of a log at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// Those that are there, oldest first.
    pub(super) files: Vec<Opened>,
    /// The generation being written, even if it has no file yet.
    pub(super) current: Arc<Generation>,
    pub(super) reach: Reach,
}

/// The names of one log's files.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    keep: usize,
    names: Mutex<Names>,
    reach: watch::Receiver<Reach>,
}

#[derive(Debug)]
struct Names {
    current: Arc<Generation>,
    /// The first has the suffix `.1`.
    rotated: VecDeque<Arc<Generation>>,
}

impl Ledger {
    /// Finds the files that an earlier daemon left.
    pub(super) fn new(path: PathBuf, limits: Limits) -> (Self, watch::Sender<Reach>) {
        let keep = usize::try_from(limits.keep).unwrap_or(usize::MAX);
        let kept = (1..=keep).take_while(|n| suffixed(&path, *n).exists()).count() as u64;
        let generation =
            |number: u64| Arc::new(Generation { number, first: 0, ended: OnceLock::new() });
        let rotated: VecDeque<_> = (0..kept).rev().map(generation).collect();
        for generation in &rotated {
            generation.ended.get_or_init(|| 0);
        }
        let len = std::fs::metadata(&path).map_or(0, |about| about.len());
        let (publish, reach) = watch::channel(Reach { generation: kept, len });
        let names = Mutex::new(Names { current: generation(kept), rotated });
        (Self { path, keep, names, reach }, publish)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn watch(&self) -> watch::Receiver<Reach> {
        self.reach.clone()
    }

    /// Gives the current file the name `.1`, the others the next one, and begins a generation.
    pub(super) fn rotate(&self, lines: u64, publish: &watch::Sender<Reach>) -> io::Result<()> {
        let mut names = self.lock();
        for n in (1..self.keep.min(names.rotated.len() + 1)).rev() {
            found(std::fs::rename(suffixed(&self.path, n), suffixed(&self.path, n + 1)))?;
        }
        if self.keep == 0 {
            found(std::fs::remove_file(&self.path))?;
        } else {
            found(std::fs::rename(&self.path, suffixed(&self.path, 1)))?;
        }
        // What a configuration with a larger `keep` has left.
        let surplus = self.keep.saturating_add(1)..;
        let removed = |n| std::fs::remove_file(suffixed(&self.path, n)).is_ok();
        surplus.take_while(|n| removed(*n)).for_each(drop);
        let ended = names.succeed(lines, 0, publish);
        names.rotated.push_front(ended);
        names.rotated.truncate(self.keep);
        Ok(())
    }

    /// Begins a generation because somebody has removed, replaced or emptied the current file.
    pub(super) fn renew(&self, lines: u64, len: u64, publish: &watch::Sender<Reach>) {
        self.lock().succeed(lines, len, publish);
    }

    /// Opens every file that there is.
    pub(super) fn open_all(&self) -> io::Result<Snapshot> {
        let names = self.lock();
        let mut files = Vec::new();
        for (path, generation) in self.in_order(&names) {
            files.extend(open(&path, generation)?);
        }
        let reach = *self.reach.borrow();
        Ok(Snapshot { files, current: Arc::clone(&names.current), reach })
    }

    /// The oldest file after a generation (or of all). None: it is not there yet.
    pub(super) fn open_next(&self, after: Option<u64>) -> io::Result<Option<Opened>> {
        let names = self.lock();
        let later = |generation: &Generation| after.is_none_or(|after| generation.number > after);
        for (path, generation) in self.in_order(&names).filter(|(_, it)| later(it)) {
            if let Some(opened) = open(&path, generation)? {
                return Ok(Some(opened));
            }
        }
        Ok(None)
    }

    fn in_order<'a>(
        &'a self,
        names: &'a Names,
    ) -> impl Iterator<Item = (PathBuf, &'a Arc<Generation>)> {
        let rotated = names.rotated.iter().enumerate().rev();
        let rotated = rotated.map(|(i, generation)| (suffixed(&self.path, i + 1), generation));
        rotated.chain([(self.path.clone(), &names.current)])
    }

    fn lock(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Names {
    fn succeed(&mut self, lines: u64, len: u64, publish: &watch::Sender<Reach>) -> Arc<Generation> {
        let number = self.current.number + 1;
        self.current.ended.get_or_init(|| lines);
        let next = Generation { number, first: lines, ended: OnceLock::new() };
        publish.send_replace(Reach { generation: number, len });
        std::mem::replace(&mut self.current, Arc::new(next))
    }
}

fn open(path: &Path, generation: &Arc<Generation>) -> io::Result<Option<Opened>> {
    // Non-blocking, for somebody may have put a FIFO there.
    let file =
        File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
    match file {
        Ok(file) => Ok(Some(Opened { generation: Arc::clone(generation), file: Arc::new(file) })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn suffixed(path: &Path, n: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{n}"));
    name.into()
}

/// A file that somebody has removed needs no renaming.
fn found(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
