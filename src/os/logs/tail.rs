//! Reads log files from their end, in bounded portions.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;

use memchr::memrchr;

use super::ledger::Snapshot;
use crate::core::log::{Filter, MAX_RECORD, Record, Stamp, StoredLine};

const PORTION: u64 = 64 * 1024;

/// The place of the last `n` wanted lines: which of the files, and the offset in it.
pub(super) fn place_of_last(
    log: &Snapshot,
    n: usize,
    filter: &Filter,
) -> io::Result<Option<(usize, u64)>> {
    let mut place = None;
    let mut left = n;
    back(log, |file, offset, line| {
        let record = Record::parse(line);
        if left == 0 || record.is_some_and(|record| filter.is_early(&record)) {
            return ControlFlow::Break(());
        }
        if filter.matches(record.map_or(line, |record| record.line)) {
            place = Some((file, offset));
            left -= 1;
        }
        ControlFlow::Continue(())
    })?;
    Ok(place)
}

/// The last `n` lines that are not earlier than asked for, oldest first.
pub(super) fn last(log: &Snapshot, n: usize, since: Option<Stamp>) -> io::Result<Vec<StoredLine>> {
    let filter = Filter { grep: None, since };
    let mut lines = Vec::new();
    back(log, |_, _, line| {
        let record = Record::read(line, Stamp::MIN);
        if lines.len() == n || (record.at != Stamp::MIN && filter.is_early(&record)) {
            return ControlFlow::Break(());
        }
        let Record { at, stream, line, .. } = record;
        lines.push(StoredLine { at, stream, line: line.to_vec() });
        ControlFlow::Continue(())
    })?;
    lines.reverse();
    Ok(lines)
}

/// Visits lines from the last to the first as (file, offset, line).
fn back(
    log: &Snapshot,
    mut visit: impl FnMut(usize, u64, &[u8]) -> ControlFlow<()>,
) -> io::Result<()> {
    for (index, opened) in log.files.iter().enumerate().rev() {
        let there = opened.file.metadata()?.len();
        let current = opened.generation.number == log.reach.generation;
        let end = if current { there.min(log.reach.len) } else { there };
        if back_in(&opened.file, end, |offset, line| visit(index, offset, line))?.is_break() {
            break;
        }
    }
    Ok(())
}

fn back_in(
    file: &File,
    mut end: u64,
    mut visit: impl FnMut(u64, &[u8]) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    // What is read and not yet visited: it begins at `end`, and maybe within a line.
    let mut held = Vec::new();
    let mut is_last = true;
    while end > 0 {
        let start = end.saturating_sub(PORTION);
        let mut portion = vec![0; usize::try_from(end - start).expect("at most a portion")];
        file.read_exact_at(&mut portion, start)?;
        portion.append(&mut held);
        held = portion;
        end = start;
        if std::mem::take(&mut is_last) && held.last() == Some(&b'\n') {
            held.pop();
        }
        while let Some(before) = memrchr(b'\n', &held) {
            if visit(start + before as u64 + 1, &held[before + 1..]).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            held.truncate(before);
        }
        // The beginning of the file, or something that locald did not write.
        if start == 0 || held.len() > MAX_RECORD {
            if visit(start, &held).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            held.clear();
        }
    }
    Ok(ControlFlow::Continue(()))
}
