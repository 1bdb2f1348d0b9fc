//! One terminal or pipe being read into a sink, by a task of the plane's thread.

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::journal::Journal;
use super::sink::{Shared, lock, now};
use super::tails;
use super::terminal::Terminal;
use crate::core::log::{Head, Splitter, Stream};
use crate::os::watched;

/// Read in one turn of a pump; then the others have theirs.
pub(super) const TURN: usize = 256 * 1024;
/// Split at once: bounds what a turn full of empty lines makes of it.
const PORTION: usize = 16 * 1024;
/// Records written at once.
const BLOCK: usize = 256 * 1024;
/// For output that is still on its way when nobody holds the pump any more.
const GRACE: Duration = Duration::from_millis(200);

/// The reading of one output. Dropping it gives up 200 ms later, if the output has not ended by then.
#[derive(Debug)]
pub struct Pump {
    /// Tells the task how long it may go on.
    stop: Option<oneshot::Sender<Duration>>,
    /// Ends without a word where the plane is gone.
    drained: watch::Receiver<Option<Drained>>,
}

/// How the reading of an output came to its end. All that was read is stored by then, an unfinished
/// last line included, and the descriptor is closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Drained {
    /// Everybody had closed it.
    Ended,
    /// Somebody still holds it open.
    GivenUp,
}

/// What a task works with.
struct Job {
    shared: Arc<Shared>,
    stream: Stream,
    splitter: Arc<Mutex<Splitter>>,
    /// Where the output is a terminal's.
    terminal: Option<Arc<Terminal>>,
    /// The heart knows of an unfinished line.
    noted: AtomicBool,
}

/// What all pumps use: a turn never awaits, so one set serves the thread.
struct Scratch {
    /// None before the plane has begun.
    journal: Option<Journal>,
    records: Vec<u8>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Turn {
    More,
    Empty,
    Ended,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> =
        const { RefCell::new(Scratch { journal: None, records: Vec::new() }) };
}

/// Prepares the plane's thread, which this is.
pub(super) fn use_journal(journal: Journal) {
    SCRATCH.with_borrow_mut(|scratch| scratch.journal = Some(journal));
}

impl Pump {
    /// Resolves when the output is stored to its end. May be awaited again, and dropped meanwhile.
    pub async fn drained(&mut self) -> Drained {
        let drained = self.drained.wait_for(Option::is_some).await;
        drained.ok().and_then(|drained| *drained).unwrap_or(Drained::GivenUp)
    }

    /// Waits for the end, but no longer than this.
    pub async fn stop_within(mut self, grace: Duration) -> Drained {
        if let Some(stop) = self.stop.take() {
            // It fails where the task has ended already.
            let _: Result<(), Duration> = stop.send(grace);
        }
        self.drained().await
    }
}

pub(super) fn start(
    shared: Arc<Shared>,
    fd: OwnedFd,
    stream: Stream,
    splitter: Arc<Mutex<Splitter>>,
) -> Pump {
    let noted = AtomicBool::new(!lock(&splitter).unfinished().is_empty());
    let (stop, stopped) = oneshot::channel();
    let (tell, drained) = watch::channel(None);
    let plane = shared.plane().clone();
    let terminal = rustix::termios::isatty(&fd).then(|| shared.terminal());
    let job = Job { shared, stream, splitter, terminal, noted };
    plane.spawn(async move {
        let end = job.run(fd, stopped).await;
        job.finish();
        if let Some(terminal) = &job.terminal {
            terminal.closed();
        }
        let end = end.unwrap_or_else(|error| {
            job.shared.note(&format!("cannot read the output: {error}"));
            Drained::GivenUp
        });
        // Nobody need be waiting.
        tell.send_replace(Some(end));
    });
    Pump { stop: Some(stop), drained }
}

impl Job {
    async fn run(
        &self,
        fd: OwnedFd,
        mut stopped: oneshot::Receiver<Duration>,
    ) -> io::Result<Drained> {
        unblock(&fd)?;
        if let Some(terminal) = &self.terminal {
            terminal.opened(fd.try_clone()?);
        }
        let fd = watched::readable(fd)?;
        let mut deadline = None;
        loop {
            let expiry = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = expiry => {
                    // What is there already was written in time.
                    let last = self.turn(fd.get_ref())?;
                    return Ok(if last == Turn::Ended { Drained::Ended } else { Drained::GivenUp });
                }
                grace = &mut stopped, if deadline.is_none() => {
                    deadline = Some(Instant::now() + grace.unwrap_or(GRACE));
                }
                ready = fd.readable() => {
                    let mut ready = ready?;
                    match self.turn(fd.get_ref())? {
                        Turn::More => {}
                        Turn::Empty => ready.clear_ready(),
                        Turn::Ended => return Ok(Drained::Ended),
                    }
                    drop(ready);
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Reads what is there, up to a bound, and stores the lines of it.
    fn turn(&self, fd: &OwnedFd) -> io::Result<Turn> {
        SCRATCH.with_borrow_mut(|scratch| {
            let Scratch { journal, records } = scratch;
            let Some(journal) = journal else { return Err(io::ErrorKind::NotConnected.into()) };
            let number = journal.begin(self.shared.path(), self.stream);
            let (len, turn) = fill(fd, journal);
            if len > 0 {
                if let Some((device, inode, size)) = self.shared.place() {
                    journal.appends(device, inode, size);
                }
                self.store(&journal.room()[..len], records);
            }
            let tailless = self.note_tail(number);
            journal.done();
            if tailless {
                tails::note(self.shared.path(), self.stream, number, None);
                self.noted.store(false, Ordering::Relaxed);
            }
            turn
        })
    }

    /// Tells the heart of an unfinished line, before the turn is done; true: of one that is finished.
    fn note_tail(&self, turn: u64) -> bool {
        let splitter = lock(&self.splitter);
        let text = splitter.unfinished();
        if text.is_empty() && !self.noted.load(Ordering::Relaxed) {
            return false;
        }
        tails::note(self.shared.path(), self.stream, turn, Some(text));
        self.noted.store(true, Ordering::Relaxed);
        text.is_empty()
    }

    fn store(&self, input: &[u8], records: &mut Vec<u8>) {
        if let Some(terminal) = &self.terminal
            && !input.is_empty()
        {
            terminal.show(input);
        }
        // A panic may have left something of another service.
        records.clear();
        let at = now();
        let heads = [false, true].map(|continues| Head::new(at, self.stream, continues));
        for portion in input.chunks(PORTION) {
            lock(&self.splitter).push(portion, |line, continues| {
                heads[usize::from(continues)].write(line, records);
            });
            if records.len() >= BLOCK {
                self.shared.append(records, at);
                records.clear();
            }
        }
        self.shared.append(records, at);
    }

    /// Completes the last line, once.
    fn finish(&self) {
        let at = now();
        let mut records = Vec::new();
        let head = Head::new(at, self.stream, false);
        lock(&self.splitter).finish(|line, _| head.write(line, &mut records));
        self.shared.append(&records, at);
        if self.noted.load(Ordering::Relaxed) {
            tails::note(self.shared.path(), self.stream, 0, None);
        }
    }
}

/// Reads until the buffer is full or there is nothing more for now.
fn fill(fd: &OwnedFd, journal: &mut Journal) -> (usize, io::Result<Turn>) {
    let mut len = 0;
    while len < TURN {
        match nix::unistd::read(fd, &mut journal.room()[len..]) {
            // A terminal says EIO when nobody holds its other end.
            Ok(0) | Err(Errno::EIO) => return (len, Ok(Turn::Ended)),
            Ok(n) => {
                len += n;
                journal.has(len);
            }
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => return (len, Ok(Turn::Empty)),
            Err(errno) => return (len, Err(errno.into())),
        }
    }
    (len, Ok(Turn::More))
}

/// A descriptor that blocks would stop every log.
fn unblock(fd: &OwnedFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
    if !flags.contains(OFlag::O_NONBLOCK) {
        fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    }
    Ok(())
}
