//! Lines that have begun and not ended, as the heart knows them: with a journal, all that a log lacks.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use crate::{
    core::log::Stream,
    os::keep::{self, Kept},
};

/// Begins the names of the notes.
const TAILS: &str = "tail/";

/// An unfinished line, and the turn after which it was so.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Tail {
    pub(super) turn: u64,
    pub(super) text: Vec<u8>,
}

/// By log and stream.
pub(super) type Tails = HashMap<(PathBuf, Stream), Tail>;

/// All that the heart has kept.
pub(super) fn take(kept: &mut Kept) -> Tails {
    let names: Vec<String> = kept.0.keys().filter(|it| it.starts_with(TAILS)).cloned().collect();
    let read = |name: String| {
        let (note, _) = kept.0.remove(&name)?;
        let (stream, path) = name.strip_prefix(TAILS)?.split_once('/')?;
        let stream = if stream == "out" { Stream::Out } else { Stream::Err };
        let (turn, text) = note.split_first_chunk()?;
        let tail = Tail { turn: u64::from_le_bytes(*turn), text: text.to_vec() };
        Some(((PathBuf::from(format!("/{path}")), stream), tail))
    };
    names.into_iter().filter_map(read).collect()
}

/// Tells the heart of a tail, or that there is none any more.
pub(super) fn note(path: &Path, stream: Stream, turn: u64, text: Option<&[u8]>) {
    let Some(line) = keep::line() else { return };
    let of = if stream == Stream::Out { "out" } else { "err" };
    let name = format!("{TAILS}{of}{}", path.display());
    match text {
        Some(text) => line.keep(&name, &[&turn.to_le_bytes(), text].concat(), None),
        None => line.drop(&name),
    }
}
