//! The heart becomes the program that is to take its place, and forgets nothing: its pid, its children and
//! its descriptors stay, and what it knows of them goes through memory that both have open.

use std::{
    convert::Infallible,
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    os::fd::{AsFd as _, AsRawFd, RawFd},
    path::Path,
};

use rustix::fs::{MemfdFlags, memfd_create};
use serde::{Deserialize, Serialize};

use super::{FOREGROUND, WORD, store::Store};
use crate::os::{
    detach,
    exec::become_successor,
    keep::{self, MEMORY},
    limits,
};

/// Names the descriptor of the memory in the environment.
pub(super) const FD: &str = "LOCALD_HEART_MEMORY";

/// What is to be remembered.
#[derive(Deserialize, Serialize)]
struct Memory {
    /// [`MEMORY`].
    version: u32,
    kept: Vec<Thing>,
    leaders: Vec<i32>,
}

/// Something that is kept.
#[derive(Deserialize, Serialize)]
struct Thing {
    name: String,
    note: Vec<u8>,
    fd: Option<RawFd>,
}

/// Becomes the program. Comes back only with the reason why not, and then nothing has changed.
pub(super) fn become_program(program: &Path, foreground: bool, store: &Store) -> io::Error {
    let outcome = attempt(program, foreground, store);
    for fd in store.kept.values().filter_map(|(_, fd)| fd.as_ref()) {
        if let Err(error) = detach::bequeath(fd, false) {
            return error;
        }
    }
    match outcome {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

fn attempt(program: &Path, foreground: bool, store: &Store) -> io::Result<Infallible> {
    let kept = store.kept.iter().map(|(name, (note, fd))| Thing {
        name: name.clone(),
        note: note.clone(),
        fd: fd.as_ref().map(AsRawFd::as_raw_fd),
    });
    let leaders = store.leaders.iter().copied().collect();
    let memory = Memory { version: MEMORY, kept: kept.collect(), leaders };
    let mut file = File::from(memfd_create("locald-heart", MemfdFlags::CLOEXEC)?);
    file.write_all(&serde_json::to_vec(&memory)?)?;
    file.rewind()?;
    let fds = store.kept.values().filter_map(|(_, fd)| fd.as_ref());
    for fd in fds.map(|fd| fd.as_fd()).chain([file.as_fd()]) {
        detach::bequeath(fd, true)?;
    }
    let args: &[&str] = if foreground { &[WORD, FOREGROUND] } else { &[WORD] };
    let number = file.as_raw_fd().to_string();
    // What it becomes is to know the limit that we were given.
    let unset = [detach::READY_FD, keep::FD];
    Err(limits::with_original(|| become_successor(program, args, (FD, &number), &unset)))
}

/// What the program that we were before has left; none: we were none.
pub(super) fn remembered() -> io::Result<Option<Store>> {
    let Some(fd) = detach::inherited(FD) else { return Ok(None) };
    let mut text = Vec::new();
    File::from(fd).read_to_end(&mut text)?;
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let Memory { kept, leaders, .. } = read(&text).map_err(invalid)?;
    let mut store = Store::default();
    for Thing { name, note, fd } in kept {
        let fd = match fd {
            Some(number) => Some(
                detach::heirloom(number)
                    .ok_or_else(|| invalid(format!("the descriptor of {name} is not open")))?,
            ),
            None => None,
        };
        store.kept.insert(name, (note, fd));
    }
    store.leaders.extend(leaders);
    Ok(Some(store))
}

/// Another version is refused whatever else it says.
fn read(text: &[u8]) -> Result<Memory, String> {
    let value: serde_json::Value =
        serde_json::from_slice(text).map_err(|error| format!("its memory is no JSON: {error}"))?;
    let version = value.get("version").and_then(serde_json::Value::as_u64);
    if version != Some(u64::from(MEMORY)) {
        return Err(format!("its memory is of version {version:?}, this locald reads {MEMORY}"));
    }
    serde_json::from_value(value).map_err(|error| format!("its memory makes no sense: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_version_is_read() {
        let thing = Thing { name: "lock".to_owned(), note: vec![1, 0, 255], fd: Some(7) };
        let memory = Memory { version: MEMORY, kept: vec![thing], leaders: vec![42] };
        let text = serde_json::to_vec(&memory).unwrap();
        let back = read(&text).unwrap();
        assert_eq!((back.kept[0].note.as_slice(), back.kept[0].fd), (&[1, 0, 255][..], Some(7)));
        assert_eq!(back.leaders, [42]);
        let other = serde_json::to_vec(&Memory { version: MEMORY + 1, ..memory }).unwrap();
        assert!(read(&other).is_err_and(|why| why.contains("version")));
        for garbage in [&b""[..], b"{}", b"[]", b"{\"version\":1}"] {
            assert!(read(garbage).is_err());
        }
    }
}
