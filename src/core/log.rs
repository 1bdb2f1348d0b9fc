//! What a stored log line is: how bytes become lines, how a line stands in a file, which lines are wanted.
//!
//! A log file is plain text, one record a line: `2026-01-01T00:00:00.123Z out Listening on 3000`.
//! Everything before the text has a fixed width, so that a record is found by its line end alone.

mod filter;
mod record;
mod splitter;
mod stamp;

use std::borrow::Cow;

pub use filter::Filter;
pub use record::{Head, Record};
pub use splitter::Splitter;
pub use stamp::Stamp;

/// A longer line is stored in pieces of this length.
pub const MAX_LINE: usize = 64 * 1024;

/// No record that locald wrote is longer, its line end included.
pub const MAX_RECORD: usize = Head::LEN + MAX_LINE + 1;

/// Who wrote a line. A terminal has one stream, pipes have two.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Stream {
    /// Standard output, or the terminal: `out` in the file.
    Out,
    /// Standard error: `err` in the file.
    Err,
    /// Written by locald about the service: `sys` in the file, told as standard error elsewhere.
    Sys,
}

/// When a log file is set aside, and how many of those are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes in one file; only a single line longer than that makes a longer file.
    pub max_size: u64,
    /// Rotated files kept beside the current one; none is allowed.
    pub keep: u32,
}

/// A line read back from a log file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredLine {
    /// When locald read it from the service.
    pub at: Stamp,
    /// Who wrote it.
    pub stream: Stream,
    /// The bytes as the service wrote them, without the line end.
    pub line: Vec<u8>,
}

impl StoredLine {
    /// The line as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.line)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_size: 10_000_000, keep: 3 }
    }
}
