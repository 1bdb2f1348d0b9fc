//! Takes a turn again that death has interrupted.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use super::journal::Begun;
use super::sink::now;
use super::tails::{self, Tail, Tails};
use crate::core::log::{Head, MAX_LINE, Splitter};

/// Writes what was read, in place of whatever part of it is in the log already. Where the log was
/// rotated in the very turn that part is told twice: nothing is lost.
pub(super) fn mend(begun: &Begun, tails: &mut Tails) {
    let key = (begun.path.clone(), begun.stream);
    let tail = tails.remove(&key).unwrap_or_default();
    if tail.turn == begun.turn {
        // It was done, but for saying so.
        tails.insert(key, tail);
        return;
    }
    let mut records = Vec::new();
    let heads = [false, true].map(|continues| Head::new(now(), begun.stream, continues));
    let mut splitter = Splitter::resume(MAX_LINE, tail.text);
    splitter.push(&begun.bytes, |line, continues| {
        heads[usize::from(continues)].write(line, &mut records);
    });
    if !begun.bytes.is_empty()
        && let Err(error) = write(begun, &records)
    {
        tracing::warn!(path = %begun.path.display(), %error, "cannot write what was read last");
    }
    let text = splitter.unfinished().to_vec();
    tails::note(&begun.path, begun.stream, begun.turn, Some(&text));
    tails.insert(key, Tail { turn: begun.turn, text });
}

fn write(begun: &Begun, records: &[u8]) -> io::Result<()> {
    let mut file: File =
        OpenOptions::new().append(true).create(true).mode(0o600).open(&begun.path)?;
    let there = file.metadata()?;
    if let Some((device, inode, before)) = begun.file
        && (there.dev(), there.ino()) == (device, inode)
        && there.len() > before
    {
        file.set_len(before)?;
    }
    file.write_all(records)
}
