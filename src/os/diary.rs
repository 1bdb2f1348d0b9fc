//! Numbered lines that are in a file before anybody hears of them, so that whoever comes after us
//! goes on where we were, however we ended.

#![expect(clippy::disallowed_types, reason = "lines are numbered, written and told one at a time")]

#[cfg(test)]
mod tests;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::clock;

/// A file that is larger becomes the old one, and that before it is removed.
const SIZE: u64 = 2 << 20;

/// So much waits for a disk that takes nothing.
const BACKLOG: usize = 1 << 20;

/// A disk that took nothing is tried again after this long.
const PAUSE: Duration = Duration::from_secs(1);

/// The file, and who comes next.
pub struct Diary(Mutex<Pen>);

struct Pen {
    last: u64,
    /// None: nothing is written down.
    book: Option<Book>,
    /// What is still to be written.
    backlog: Vec<u8>,
    /// When to try again, after a failure.
    again: Option<Instant>,
}

struct Book {
    path: PathBuf,
    file: File,
    size: u64,
}

impl Diary {
    /// One that nobody reads again; numbers go on after `last`.
    pub fn nowhere(last: u64) -> Self {
        Self(Mutex::new(Pen { last, book: None, backlog: Vec::new(), again: None }))
    }

    /// The one at `path`, made if there is none. What is written there, oldest first, goes to `read`,
    /// which says after which number to go on.
    pub fn open(path: &Path, read: impl FnOnce(Vec<String>) -> u64) -> io::Result<Self> {
        let mut lines = whole_lines(&old(path)).map_or_else(|_| Vec::new(), |(lines, _)| lines);
        let size = match whole_lines(path) {
            Ok((newer, size)) => {
                lines.extend(newer);
                size
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        let file = create(path)?;
        // Whoever wrote it was killed amid its last line, which nobody has heard of then.
        file.set_len(size)?;
        let book = Some(Book { path: path.to_owned(), file, size });
        let last = read(lines);
        Ok(Self(Mutex::new(Pen { last, book, backlog: Vec::new(), again: None })))
    }

    /// Has a line made for the next number, writes it, then has it told. One at a time, so all are
    /// told in order. Where the disk takes nothing, it is told all the same and written later.
    pub fn add<T>(&self, make: impl FnOnce(u64) -> (String, T), tell: impl FnOnce(T)) {
        let mut pen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (line, what) = make(pen.last + 1);
        pen.last += 1;
        pen.write(&line);
        tell(what);
    }
}

impl Pen {
    fn write(&mut self, line: &str) {
        let Some(book) = &mut self.book else { return };
        if self.backlog.len() + line.len() > BACKLOG {
            self.backlog.clear();
        }
        self.backlog.extend_from_slice(line.as_bytes());
        self.backlog.push(b'\n');
        if self.again.is_some_and(|at| clock::now() < at) {
            return;
        }
        match book.append(&self.backlog) {
            Ok(()) => {
                self.backlog.clear();
                self.again = None;
            }
            Err(error) => {
                if self.again.is_none() {
                    tracing::warn!(path = %book.path.display(), %error, "cannot write events down");
                }
                self.again = Some(clock::now() + PAUSE);
            }
        }
    }
}

impl Book {
    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        if self.size > SIZE {
            fs::rename(&self.path, old(&self.path))?;
            (self.file, self.size) = (create(&self.path)?, 0);
        }
        let written = self.file.write_all(text);
        match written {
            Ok(()) => self.size += text.len() as u64,
            // Half a line would be in the way of the next attempt.
            Err(_) => self.file.set_len(self.size)?,
        }
        written
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn old(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

/// The lines that are finished, and the size of all of them.
fn whole_lines(path: &Path) -> io::Result<(Vec<String>, u64)> {
    let bytes = fs::read(path)?;
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let text = String::from_utf8_lossy(&bytes[..end]);
    Ok((text.lines().map(str::to_owned).collect(), end as u64))
}
