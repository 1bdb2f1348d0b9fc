//! Rewrites the block of one user in a hosts file, and nothing else of it.

use std::collections::BTreeSet;

use crate::Refused;

/// The largest file that is touched.
pub const LARGEST: usize = 1 << 20;
const MARK: &[u8] = b"# locald ";
const BROKEN: Refused = "the marks of a block in the hosts file are broken";

/// A line that bounds a block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Mark {
    uid: u32,
    begins: bool,
    /// The line end before the block is ours.
    joined: bool,
}

/// What is before a block, how it begins, and what is after it.
type Parts<'a> = (&'a [u8], Option<Mark>, &'a [u8]);

/// The file with `names` as the block of `uid`; without names there is no block.
pub fn rewrite(file: &[u8], uid: u32, names: &BTreeSet<String>) -> Result<Vec<u8>, Refused> {
    if file.contains(&0) {
        return Err("the hosts file is no text");
    }
    let (before, old, after) = split(file, uid)?;
    let mut joined = old.is_some_and(|mark| mark.joined);
    let mut before = before.to_vec();
    if old.is_none() && !names.is_empty() && !matches!(before.last(), None | Some(b'\n')) {
        before.push(b'\n');
        joined = true;
    }
    if names.is_empty() {
        // Somebody may have written more below it since.
        if joined && after.is_empty() {
            before.pop();
        }
    } else {
        let how = if joined { " (joined)" } else { "" };
        before.extend_from_slice(format!("# locald {uid} begin{how}\n").as_bytes());
        for name in names {
            before.extend_from_slice(format!("127.0.0.1 {name}\n::1 {name}\n").as_bytes());
        }
        before.extend_from_slice(format!("# locald {uid} end\n").as_bytes());
    }
    before.extend_from_slice(after);
    if before.len() > LARGEST { Err("the hosts file is too large") } else { Ok(before) }
}

/// All blocks must be whole, and each user's the only one.
fn split(file: &[u8], uid: u32) -> Result<Parts<'_>, Refused> {
    let (mut at, mut open, mut seen) = (0, None::<Mark>, BTreeSet::new());
    let mut found = None;
    for line in file.split_inclusive(|&byte| byte == b'\n') {
        let start = at;
        at += line.len();
        let Some(mark) = mark(line) else { continue };
        match (open, mark.begins) {
            (None, true) if seen.insert(mark.uid) => {
                open = Some(mark);
                if mark.uid == uid {
                    found = Some((start, mark, at));
                }
            }
            (Some(begun), false) if begun.uid == mark.uid => {
                open = None;
                if let Some((_, _, end)) = found.as_mut().filter(|_| mark.uid == uid) {
                    *end = at;
                }
            }
            _ => return Err(BROKEN),
        }
    }
    if open.is_some() {
        return Err(BROKEN);
    }
    Ok(match found {
        Some((start, mark, end)) => (&file[..start], Some(mark), &file[end..]),
        None => (file, None, &[]),
    })
}

/// None for any other comment.
fn mark(line: &[u8]) -> Option<Mark> {
    let text = std::str::from_utf8(line.strip_prefix(MARK)?.trim_ascii_end()).ok()?;
    let (uid, what) = text.split_once(' ')?;
    let (begins, joined) = match what {
        "begin" => (true, false),
        "begin (joined)" => (true, true),
        "end" => (false, false),
        _ => return None,
    };
    Some(Mark { uid: uid.parse().ok()?, begins, joined })
}
