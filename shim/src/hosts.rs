//! Rewrites the block of one user in a hosts file, and nothing else of it.

use std::{collections::BTreeSet, ops::Range};

use crate::{Refused, must};

/// The largest file that is touched.
pub const LARGEST: usize = 1 << 20;
const MARK: &str = "# locald ";
const BROKEN: Refused = "the marks of a block in the hosts file are broken";

/// The file with `names` as the block of `uid`; without names there is no block.
pub fn rewrite(file: &[u8], uid: u32, names: &BTreeSet<String>) -> Result<Vec<u8>, Refused> {
    must(!file.contains(&0), "the hosts file is no text")?;
    let old = find(file, uid)?;
    let (block, mut joined) = old.clone().unwrap_or((file.len()..file.len(), false));
    let (mut all, after) = (file[..block.start].to_vec(), &file[block.end..]);
    if names.is_empty() {
        // Somebody may have written more below it since.
        if joined && after.is_empty() {
            all.pop();
        }
    } else {
        if old.is_none() && !matches!(all.last(), None | Some(b'\n')) {
            all.push(b'\n');
            joined = true;
        }
        let [begin, begin_joined, end] = marks(uid);
        let lines = names.iter().map(|name| format!("127.0.0.1 {name}\n::1 {name}\n"));
        let begin = if joined { begin_joined } else { begin };
        all.extend(format!("{begin}\n{}{end}\n", lines.collect::<String>()).into_bytes());
    }
    all.extend_from_slice(after);
    must(all.len() <= LARGEST, "the hosts file is too large")?;
    Ok(all)
}

/// The lines around a block; the second begins one before which the line end is ours, too.
fn marks(uid: u32) -> [String; 3] {
    ["begin", "begin (joined)", "end"].map(|what| format!("{MARK}{uid} {what}"))
}

/// The block of a user, which must be whole and the only one, and whether the line end before it is ours.
fn find(file: &[u8], uid: u32) -> Result<Option<(Range<usize>, bool)>, Refused> {
    let marks = marks(uid);
    let (mut at, mut open, mut found) = (0, None, None);
    for line in file.split_inclusive(|&byte| byte == b'\n') {
        let (start, text) = (at, line.trim_ascii_end());
        at += line.len();
        let mark = marks.iter().position(|mark| mark.as_bytes() == text);
        match (mark, open, &found) {
            (Some(kind @ 0..=1), None, None) => open = Some((start, kind == 1)),
            (Some(2), Some((start, joined)), None) => {
                (open, found) = (None, Some((start..at, joined)));
            }
            (None, None, _) => {}
            // Another's mark is between ours, or something that was one.
            (None, Some(_), _) if !line.starts_with(MARK.as_bytes()) => {}
            _ => return Err(BROKEN),
        }
    }
    if open.is_some() { Err(BROKEN) } else { Ok(found) }
}
