//! A reader of one log: from some place in the past, and on as long as wanted.

use std::fs::File;
use std::io;
use std::sync::Arc;

use memchr::memrchr;
use tokio::sync::watch;

use super::ledger::{Generation, Ledger, Opened, Reach, Snapshot};
use super::store::count;
use super::{seek, tail};
use crate::core::log::{Filter, MAX_RECORD, Record, Stamp, StoredLine, Stream};

/// Read at once, unless a line is longer.
const PORTION: usize = 256 * 1024;

/// Where a reader begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Start {
    /// With the oldest line kept.
    All,
    /// With the last n lines that the filter admits.
    Last(usize),
    /// With what comes.
    Now,
}

/// Holds one file open and a place in it, nothing else: however slow its owner is, no service waits
/// and no memory grows. Only where files were rotated away altogether before it came to them does a
/// line `… n lines skipped` stand for what they had.
#[derive(Debug)]
pub struct Follower {
    ledger: Arc<Ledger>,
    reach: watch::Receiver<Reach>,
    filter: Filter,
    portion: usize,
    /// None as long as there is no file.
    place: Option<Place>,
    /// What was being written in the beginning.
    origin: Arc<Generation>,
    /// How far the log reached then: the end of history.
    history: Reach,
    /// The time of the last line read.
    at: Stamp,
}

#[derive(Debug)]
struct Place {
    generation: Arc<Generation>,
    file: Arc<File>,
    offset: u64,
}

type Beginning = (Option<Place>, Arc<Generation>, Reach);

impl Follower {
    pub(super) async fn new(ledger: Arc<Ledger>, start: Start, filter: Filter) -> io::Result<Self> {
        let reach = ledger.watch();
        let find = {
            let (ledger, filter) = (Arc::clone(&ledger), filter.clone());
            move || find(&ledger, start, &filter)
        };
        let (place, origin, history) = blocking(find).await?;
        let (portion, at) = (PORTION, Stamp::MIN);
        Ok(Self { ledger, reach, filter, portion, place, origin, history, at })
    }

    /// Reads less at once, where many followers are read side by side.
    pub(super) fn set_portion(&mut self, portion: usize) {
        self.portion = portion;
    }

    /// The next lines, at least one. Without `follow` ends where the log ended when the follower was
    /// made; with it waits for more, and ends when the log's last holder is gone. Nothing is lost if
    /// the future is dropped and the call made again.
    pub async fn next_batch(&mut self, follow: bool) -> io::Result<Option<Vec<StoredLine>>> {
        loop {
            let reach = *self.reach.borrow_and_update();
            let number = self.place.as_ref().map(|place| place.generation.number);
            if !follow && number.is_none_or(|number| number > self.history.generation) {
                return Ok(None);
            }
            match self.read(reach, follow).await? {
                Some(lines) if lines.is_empty() => continue,
                Some(lines) => return Ok(Some(lines)),
                // All of this file is read, as far as it goes by now.
                None if !follow && number == Some(self.history.generation) => return Ok(None),
                None => {}
            }
            if number.is_none_or(|number| number < reach.generation) {
                match self.advance().await? {
                    Some(skipped) if skipped.is_empty() => continue,
                    Some(skipped) => return Ok(Some(skipped)),
                    // It has no name yet.
                    None => {}
                }
            }
            if !follow || self.reach.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    /// The next wanted lines of this file, maybe none of those read; nothing where there are no more.
    async fn read(&mut self, reach: Reach, follow: bool) -> io::Result<Option<Vec<StoredLine>>> {
        let Some(place) = &mut self.place else { return Ok(None) };
        let number = place.generation.number;
        let ended = number < reach.generation;
        let mut end = if ended { u64::MAX } else { reach.len };
        if !follow && number == self.history.generation {
            end = end.min(self.history.len);
        }
        if place.offset >= end {
            return Ok(None);
        }
        let (file, offset, portion) = (Arc::clone(&place.file), place.offset, self.portion);
        let bytes = blocking(move || whole_lines(&file, offset, end, portion, ended)).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        place.offset += bytes.len() as u64;
        let mut lines = Vec::new();
        for line in bytes.strip_suffix(b"\n").unwrap_or(&bytes).split(|byte| *byte == b'\n') {
            let record = Record::read(line, self.at);
            self.at = record.at;
            if self.filter.admits(&record) {
                let Record { at, stream, line, .. } = record;
                lines.push(StoredLine { at, stream, line: line.to_vec() });
            }
        }
        Ok(Some(lines))
    }

    /// Goes to the next file and tells what was missed on the way. None: there is no next file yet.
    async fn advance(&mut self) -> io::Result<Option<Vec<StoredLine>>> {
        let ledger = Arc::clone(&self.ledger);
        let after = self.place.as_ref().map(|place| place.generation.number);
        let Some(Opened { generation, file }) = blocking(move || ledger.open_next(after)).await?
        else {
            return Ok(None);
        };
        let seen = match &self.place {
            Some(last) => last.generation.ended.get().copied().unwrap_or(generation.first),
            None => self.origin.first,
        };
        let mut skipped = Vec::new();
        let missed = generation.first.saturating_sub(seen);
        if missed > 0 {
            let line = format!("… {} skipped", count(missed, "line")).into_bytes();
            skipped.push(StoredLine { at: self.at, stream: Stream::Sys, line });
        }
        self.place = Some(Place { generation, file, offset: 0 });
        Ok(Some(skipped))
    }
}

fn find(ledger: &Ledger, start: Start, filter: &Filter) -> io::Result<Beginning> {
    let log = ledger.open_all()?;
    let place = match (start, filter.since) {
        (Start::All, None) => Some((0, 0)),
        (Start::All, Some(since)) => Some(seek::place_of(&log.files, since)?),
        (Start::Last(n), _) => tail::place_of_last(&log, n, filter)?,
        (Start::Now, _) => None,
    };
    let newest = log.files.len().saturating_sub(1);
    let (index, offset) = place.unwrap_or((newest, u64::MAX));
    let Snapshot { files, current, reach } = log;
    let place = files.into_iter().nth(index).map(|Opened { generation, file }| {
        let reached = if generation.number == reach.generation { reach.len } else { u64::MAX };
        Place { generation, file, offset: offset.min(reached) }
    });
    Ok((place, current, reach))
}

/// Whole lines from an offset on; of a file that has ended also a last one without line end.
fn whole_lines(
    file: &File,
    offset: u64,
    end: u64,
    portion: usize,
    ended: bool,
) -> io::Result<Vec<u8>> {
    let mut portion = portion;
    loop {
        let wanted = usize::try_from(end - offset).unwrap_or(usize::MAX).min(portion);
        let mut bytes = vec![0; wanted];
        let n = seek::read_some(file, &mut bytes, offset)?;
        bytes.truncate(n);
        if let Some(newline) = memrchr(b'\n', &bytes) {
            bytes.truncate(newline + 1);
            return Ok(bytes);
        }
        let more = n == portion;
        if more && portion < MAX_RECORD {
            portion = MAX_RECORD;
        } else if more || ended {
            // Nothing that locald wrote: given as it is.
            return Ok(bytes);
        } else {
            return Ok(Vec::new());
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
