//! Finds a time in log files without reading them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::memchr;

use super::ledger::Opened;
use crate::core::log::{MAX_RECORD, Stamp};

/// Closer than this a reader may as well read.
const NEAR: u64 = 64 * 1024;

/// A place shortly before the first line that is not earlier than `since`: which file, what offset.
/// Right as far as the clock went forward.
pub(super) fn place_of(files: &[Opened], since: Stamp) -> io::Result<(usize, u64)> {
    for (index, opened) in files.iter().enumerate().rev() {
        if stamp_from(&opened.file, 0)?.is_some_and(|(_, at)| at < since) {
            return Ok((index, offset_in(&opened.file, since)?));
        }
    }
    Ok((0, 0))
}

fn offset_in(file: &File, since: Stamp) -> io::Result<u64> {
    // The line at `low` is earlier, the first one that begins at or after `high` is not.
    let (mut low, mut high) = (0, file.metadata()?.len());
    while high.saturating_sub(low) > NEAR {
        let middle = low.midpoint(high);
        match stamp_from(file, middle)? {
            Some((offset, at)) if at < since => low = offset,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// The first record that begins at or after an offset: where, and when it was written.
fn stamp_from(file: &File, from: u64) -> io::Result<Option<(u64, Stamp)>> {
    let mut window = vec![0; 512];
    // The byte before tells whether a line begins here.
    let start = from.saturating_sub(1);
    loop {
        let n = read_some(file, &mut window, start)?;
        let read = &window[..n];
        let mut begin = if from == 0 { Some(0) } else { after_newline(read, 0) };
        while let Some(offset) = begin {
            if let Some(at) = Stamp::parse(&read[offset..]) {
                return Ok(Some((start + offset as u64, at)));
            }
            begin = after_newline(read, offset);
        }
        if n < window.len() || n > 2 * MAX_RECORD {
            return Ok(None);
        }
        window.resize(n * 4, 0);
    }
}

fn after_newline(bytes: &[u8], from: usize) -> Option<usize> {
    memchr(b'\n', &bytes[from..]).map(|newline| from + newline + 1)
}

/// Fills the buffer as far as the file goes.
pub(super) fn read_some(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut n = 0;
    while n < buffer.len() {
        match file.read_at(&mut buffer[n..], offset + n as u64) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n)
}
