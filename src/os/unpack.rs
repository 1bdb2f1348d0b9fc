//! Unpacks an archive of strangers (`.tar.gz`): files and folders, all of them below where they belong.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, BufReader, Read},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Component, Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use flate2::read::GzDecoder;
use tar::{Archive, Entry, EntryType};

/// How much an archive may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes, unpacked, with all that is about them.
    pub bytes: u64,
    /// Files and folders.
    pub entries: usize,
}

/// Why an archive cannot be unpacked. What was unpacked by then is to be thrown away.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// Something that no honest archive has.
    #[error("the archive has {what}, {name:?}")]
    Hostile {
        /// What it is.
        what: &'static str,
        /// How the archive calls it.
        name: String,
    },
    /// Larger than anybody wants.
    #[error("the archive has more than {} MB or {} files", .0.bytes / 1_000_000, .0.entries)]
    TooLarge(Limits),
    /// It is no archive, or only a part of one.
    #[error("cannot read the archive: {0}")]
    Unreadable(io::Error),
    /// The disk is full, and so on.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Nobody wants it any more.
    #[error("it was interrupted")]
    Interrupted,
}

/// Unpacks what `keep` gives a place below `into`, which is there and empty. Everything is for all to
/// read, also where the umask says otherwise.
pub fn unpack(
    archive: File,
    into: &Path,
    keep: impl Fn(&Path) -> Option<PathBuf>,
    limits: Limits,
    interrupted: &AtomicBool,
) -> Result<(), UnpackError> {
    let too_large = || UnpackError::TooLarge(limits);
    let plain = GzDecoder::new(BufReader::new(archive)).take(limits.bytes + 1);
    let mut archive = Archive::new(plain);
    let mut left = limits.bytes;
    for (count, entry) in archive.entries().map_err(UnpackError::Unreadable)?.enumerate() {
        if interrupted.load(Ordering::Relaxed) {
            return Err(UnpackError::Interrupted);
        }
        if count == limits.entries {
            return Err(too_large());
        }
        let entry = entry.map_err(UnpackError::Unreadable)?;
        left = left.checked_sub(entry.size()).ok_or_else(too_large)?;
        let Some((name, is_folder)) = examine(&entry)? else { continue };
        let Some(name) = keep(&name) else { continue };
        let path = into.join(name);
        if is_folder {
            folder(into, &path)?;
        } else {
            if let Some(parent) = path.parent() {
                folder(into, parent)?;
            }
            file(entry, &path, interrupted)?;
        }
    }
    Ok(())
}

/// The harmless name of an entry, and whether it is a folder; none if it is nothing by itself.
fn examine(entry: &Entry<'_, impl Read>) -> Result<Option<(PathBuf, bool)>, UnpackError> {
    let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let hostile = |what| UnpackError::Hostile { what, name: name.clone() };
    let is_folder = match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => false,
        EntryType::Directory => true,
        EntryType::XGlobalHeader => return Ok(None),
        EntryType::Symlink | EntryType::Link => return Err(hostile("a link")),
        _ => return Err(hostile("something that is no file")),
    };
    let path = entry.path().map_err(UnpackError::Unreadable)?;
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => plain.push(part),
            Component::CurDir => {}
            _ => return Err(hostile("a name that leads out of it")),
        }
    }
    if plain.as_os_str().is_empty() && !is_folder {
        return Err(hostile("a file without a name"));
    }
    Ok(Some((plain, is_folder)))
}

fn folder(top: &Path, path: &Path) -> Result<(), UnpackError> {
    let below = path.strip_prefix(top).unwrap_or(path);
    let mut folder = top.to_owned();
    for part in below {
        folder.push(part);
        let made = match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
            other => {
                other.and_then(|()| fs::set_permissions(&folder, Permissions::from_mode(0o755)))
            }
        };
        made.map_err(|source| UnpackError::Unwritable { path: folder.clone(), source })?;
    }
    Ok(())
}

fn file(
    mut entry: Entry<'_, impl Read>,
    path: &Path,
    interrupted: &AtomicBool,
) -> Result<(), UnpackError> {
    let failed = |source| UnpackError::Unwritable { path: path.to_owned(), source };
    let runs = entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0);
    // Nothing else of its mode: nobody is to become another user by it.
    let mode = if runs { 0o755 } else { 0o644 };
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = opened.map_err(failed)?;
    let size = entry.size();
    let mut written = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        if interrupted.load(Ordering::Relaxed) {
            return Err(UnpackError::Interrupted);
        }
        let count = entry.read(&mut buffer).map_err(UnpackError::Unreadable)?;
        if count == 0 {
            break;
        }
        io::Write::write_all(&mut file, &buffer[..count]).map_err(failed)?;
        written += count as u64;
    }
    if written != size {
        return Err(UnpackError::Unreadable(io::ErrorKind::UnexpectedEof.into()));
    }
    file.set_permissions(Permissions::from_mode(mode)).map_err(failed)
}

#[cfg(test)]
mod tests;
