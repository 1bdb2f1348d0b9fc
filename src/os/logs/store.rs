//! The writing end of one log: appends whole lines, rotates, and counts what it cannot store.

use std::fs::{DirBuilder, File, Metadata};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr};
use tokio::sync::watch;

use super::ledger::{Ledger, Reach};
use crate::core::log::{Head, Limits, Stamp, Stream};

/// While the file cannot be rotated it may grow to this many times its size.
const OVERSIZE: u64 = 2;

/// Used by the plane's thread alone.
#[derive(Debug)]
pub(super) struct Store {
    ledger: Arc<Ledger>,
    max_size: u64,
    publish: watch::Sender<Reach>,
    trouble: watch::Sender<Option<Arc<str>>>,
    current: Option<Current>,
    /// Lines stored since the daemon began.
    lines: u64,
    /// Lines lost since the last one was stored, and why the last of them was.
    lost: u64,
    reason: String,
    /// The file is too long because it cannot be renamed.
    unrotated: Option<Arc<str>>,
    /// When the file was last looked for under its name.
    checked: Option<Stamp>,
}

#[derive(Debug)]
struct Current {
    file: File,
    identity: (u64, u64),
    size: u64,
    /// The file ends within a line that could not be taken back.
    torn: bool,
}

impl Store {
    /// Opens nothing yet.
    pub(super) fn new(
        ledger: Arc<Ledger>,
        limits: Limits,
        publish: watch::Sender<Reach>,
        trouble: watch::Sender<Option<Arc<str>>>,
    ) -> Self {
        Self {
            ledger,
            max_size: limits.max_size,
            publish,
            trouble,
            current: None,
            lines: 0,
            lost: 0,
            reason: String::new(),
            unrotated: None,
            checked: None,
        }
    }

    /// Stores whole records, or counts them as lost. The time is that of the records.
    pub(super) fn append(&mut self, records: &[u8], at: Stamp) {
        if records.is_empty() {
            return;
        }
        self.look(at);
        if self.lost > 0 {
            let text = format!("locald: {} lost: {}", count(self.lost, "line"), self.reason);
            let mut notice = Vec::new();
            Head::new(at, Stream::Sys, false).write(text.as_bytes(), &mut notice);
            match self.store_some(&notice) {
                Ok(_) => self.lost = 0,
                Err(error) => return self.lose(records, &error),
            }
        }
        let mut rest = records;
        while !rest.is_empty() {
            match self.store_some(rest) {
                Ok(stored) => rest = &rest[stored..],
                Err(error) => return self.lose(rest, &error),
            }
        }
        self.tell(self.unrotated.clone());
    }

    /// Device, inode and length of the file that is written next.
    pub(super) fn place(&mut self) -> Option<(u64, u64, u64)> {
        let current = self.opened().ok()?;
        Some((current.identity.0, current.identity.1, current.size))
    }

    /// Stores the first of the records, as many as one file takes, and says how many bytes they had.
    fn store_some(&mut self, records: &[u8]) -> io::Result<usize> {
        let mut part = fitting(self.opened()?.size, self.max_size, records);
        if part == 0 {
            part = self.make_room(records)?;
        }
        let current = self.opened()?;
        let stored = current.write(&records[..part])?;
        let len = current.size;
        self.lines += memchr_iter(b'\n', &records[..stored]).count() as u64;
        self.publish.send_modify(|reach| reach.len = len);
        Ok(stored)
    }

    /// Begins the next file and says how much goes into it.
    fn make_room(&mut self, records: &[u8]) -> io::Result<usize> {
        match self.ledger.rotate(self.lines, &self.publish) {
            Ok(()) => {
                self.unrotated = None;
                self.current = None;
                Ok(fitting(0, self.max_size, records))
            }
            Err(error) => {
                let path = self.ledger.path().display();
                self.unrotated = Some(format!("cannot rotate {path}: {}", words(&error)).into());
                let bound = self.max_size.saturating_mul(OVERSIZE);
                match fitting(self.opened()?.size, bound, records) {
                    0 => Err(error),
                    part => Ok(part),
                }
            }
        }
    }

    fn opened(&mut self) -> io::Result<&mut Current> {
        if self.current.is_none() {
            let current = self.open()?;
            self.publish.send_modify(|reach| reach.len = current.size);
            self.current = Some(current);
        }
        Ok(self.current.as_mut().expect("opened above"))
    }

    fn open(&self) -> io::Result<Current> {
        let path = self.ledger.path();
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut options = File::options();
        options.read(true).append(true).create(true).mode(0o600);
        let file = options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
        let about = file.metadata()?;
        let mut last = [b'\n'];
        if about.len() > 0 {
            file.read_exact_at(&mut last, about.len() - 1)?;
        }
        let torn = last != *b"\n";
        Ok(Current { file, identity: identity(&about), size: about.len(), torn })
    }

    /// Once a second: whether our file is still the one that has the name.
    fn look(&mut self, at: Stamp) {
        if self.checked.is_some_and(|checked| checked.second() == at.second()) {
            return;
        }
        self.checked = Some(at);
        let Some(current) = &mut self.current else { return };
        match std::fs::metadata(self.ledger.path()) {
            Ok(about) if identity(&about) != current.identity => {
                self.ledger.renew(self.lines, about.len(), &self.publish);
                self.current = None;
            }
            Ok(about) if about.len() < current.size => {
                current.size = about.len();
                self.ledger.renew(self.lines, about.len(), &self.publish);
            }
            Ok(about) => current.size = about.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.ledger.renew(self.lines, 0, &self.publish);
                self.current = None;
            }
            // The descriptor still works; opening would not.
            Err(_) => {}
        }
    }

    fn lose(&mut self, records: &[u8], error: &io::Error) {
        self.lost += memchr_iter(b'\n', records).count() as u64;
        self.reason = words(error);
        let path = self.ledger.path().display();
        self.tell(Some(format!("cannot write {path}: {}", self.reason).into()));
    }

    fn tell(&self, trouble: Option<Arc<str>>) {
        self.trouble.send_if_modified(|told| {
            let news = *told != trouble;
            *told = trouble;
            news
        });
    }
}

impl Current {
    /// Says how many bytes of whole lines were stored, or why none was.
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.torn {
            write_all(&self.file, b"\n").1?;
            (self.torn, self.size) = (false, self.size + 1);
        }
        let (written, result) = write_all(&self.file, part);
        let whole = memrchr(b'\n', &part[..written]).map_or(0, |end| end + 1);
        self.size += whole as u64;
        if whole < written && self.file.set_len(self.size).is_err() {
            self.size += (written - whole) as u64;
            self.torn = true;
        }
        if whole > 0 { Ok(whole) } else { result.map(|()| whole) }
    }
}

/// How many of the bytes go into a file of this size: whole lines, and into an empty one at least one.
fn fitting(size: u64, max: u64, records: &[u8]) -> usize {
    let room = usize::try_from(max.saturating_sub(size)).unwrap_or(usize::MAX);
    if room >= records.len() {
        return records.len();
    }
    match memrchr(b'\n', &records[..room]) {
        Some(end) => end + 1,
        None if size > 0 => 0,
        None => memchr(b'\n', records).map_or(records.len(), |end| end + 1),
    }
}

fn write_all(mut file: &File, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return (written, Err(ErrorKind::WriteZero.into())),
            Ok(n) => written += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

fn identity(about: &Metadata) -> (u64, u64) {
    (about.dev(), about.ino())
}

/// `1 line`, `2 lines`.
pub(super) fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// The system's words without the number.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words).to_owned()
}
