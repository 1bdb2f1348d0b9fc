//! Root's files, reached through descriptors only: no folder or file on the way may be another's to change.

use std::fs::{File, Metadata, Permissions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, renameat};
use nix::poll::{PollTimeout, poll};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, unlinkat};
use rustix::fs::{XattrFlags, fgetxattr, fsetxattr};

use crate::{Done, entry::said};

/// What root's lists are at most, in bytes.
const LARGEST: usize = 1 << 16;
const LABEL: &str = "security.selinux";
/// A file, and what it was when it was opened.
pub(crate) type Opened = (File, Metadata);

const SAFE: OFlag = OFlag::O_NOFOLLOW.union(OFlag::O_CLOEXEC);

/// Opens a folder, one component after the other.
pub(crate) fn folder(path: &'static str) -> Done<File> {
    let mut at = File::open("/").map_err(said("open /"))?;
    check(&at, "/")?;
    for part in path.split('/').skip(1) {
        let next = openat(&at, part, SAFE | OFlag::O_DIRECTORY, Mode::empty());
        at = File::from(next.map_err(said(&format!("open {path}")))?);
        check(&at, path)?;
    }
    Ok(at)
}

/// Opens a regular file of root's with one name; none if there is none.
pub(crate) fn open(dir: &File, name: &str) -> Done<Option<Opened>> {
    // A FIFO must not keep us waiting.
    let file = match openat(dir, name, SAFE | OFlag::O_NONBLOCK, Mode::empty()) {
        Err(Errno::ENOENT) => return Ok(None),
        opened => File::from(opened.map_err(said(&format!("open {name}")))?),
    };
    let stat = check(&file, name)?;
    if !stat.is_file() || stat.nlink() != 1 {
        return Err(format!("{name} is not a regular file with one name"));
    }
    Ok(Some((file, stat)))
}

/// Reads one of root's lists; none if there is none.
pub(crate) fn read(path: &'static str, name: &str) -> Done<Option<Vec<u8>>> {
    let Some((file, _)) = open(&folder(path)?, name)? else { return Ok(None) };
    all(&file, LARGEST, name).map(Some)
}

/// Reads a file that is at most so large.
pub(crate) fn all(file: &File, most: usize, name: &str) -> Done<Vec<u8>> {
    let mut bytes = Vec::new();
    let most_of_it = most as u64 + 1;
    file.take(most_of_it).read_to_end(&mut bytes).map_err(said(&format!("read {name}")))?;
    if bytes.len() > most { Err(format!("{name} is too large")) } else { Ok(bytes) }
}

/// Waits for its turn: only one of us writes.
pub(crate) fn lock() -> Done<File> {
    let flags = SAFE | OFlag::O_RDWR | OFlag::O_CREAT;
    // Nobody else can open it, and so nobody else can hold it.
    let file = openat(folder("/etc/locald")?, ".lock", flags, Mode::S_IRUSR | Mode::S_IWUSR);
    let file = File::from(file.map_err(said("open the lock"))?);
    check(&file, "the lock")?;
    for _ in 0..100 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => pause(),
            Err(TryLockError::Error(error)) => return Err(format!("cannot lock: {error}")),
        }
    }
    Err("another call is busy: try again".to_owned())
}

/// 50 ms.
pub(crate) fn pause() {
    let _none = poll(&mut [], PollTimeout::from(50u8));
}

/// Takes a file away, if it is there.
pub(crate) fn remove(dir: &File, name: &str) -> Done {
    match unlinkat(dir, name, UnlinkatFlags::NoRemoveDir) {
        Err(Errno::ENOENT) => Ok(()),
        done => done.map_err(said(&format!("remove {name}"))),
    }
}

/// Puts a file into its place as a whole, owned and labelled like `like` if there was one. It is never written
/// to where it is.
pub(crate) fn replace(dir: &File, name: &str, bytes: &[u8], like: Option<&Opened>) -> Done {
    let temporary = format!(".{name}.locald");
    // Of a call that was killed; whoever holds the lock is alone.
    remove(dir, &temporary)?;
    let done = write(dir, &temporary, bytes, like).and_then(|()| {
        let seen = |it: &Metadata| (it.ino(), it.size(), it.mtime(), it.mtime_nsec());
        if let Some((_, before)) = like
            && open(dir, name)?.is_none_or(|(_, now)| seen(&now) != seen(before))
        {
            return Err(format!("{name} has changed meanwhile: try again"));
        }
        renameat(dir, temporary.as_str(), dir, name).map_err(|error| match error {
            Errno::EBUSY => format!("cannot replace {name}: it is a mount of its own"),
            _ => format!("cannot replace {name}: {error}"),
        })
    });
    // There is none any more, unless that failed.
    let gone = remove(dir, &temporary);
    done.and(gone).and_then(|()| dir.sync_all().map_err(said("write the folder to the disk")))
}

fn write(dir: &File, temporary: &str, bytes: &[u8], like: Option<&Opened>) -> Done {
    let flags = SAFE | OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
    let file = openat(dir, temporary, flags, Mode::S_IRUSR | Mode::S_IWUSR);
    let mut file = File::from(file.map_err(said(&format!("create {temporary}")))?);
    file.write_all(bytes).map_err(said(&format!("write {temporary}")))?;
    if let Some((before, stat)) = like {
        fchown(&file, Some(stat.uid()), Some(stat.gid())).map_err(said("copy the owner"))?;
        let mut label = [0; 256];
        if let Ok(length) = fgetxattr(before, LABEL, &mut label[..]) {
            fsetxattr(&file, LABEL, &label[..length], XattrFlags::empty())
                .map_err(said("copy the label"))?;
        }
    }
    let mode = like.map_or(0o644, |(_, stat)| stat.mode() & 0o7777);
    file.set_permissions(Permissions::from_mode(mode)).map_err(said("copy the mode"))?;
    file.sync_all().map_err(said(&format!("write {temporary} to the disk")))
}

/// What it is, if only root can change it.
fn check(file: &File, what: &str) -> Done<Metadata> {
    let stat = file.metadata().map_err(said(&format!("look at {what}")))?;
    let only_root = stat.uid() == 0 && stat.mode() & 0o022 == 0;
    only_root.then_some(stat).ok_or_else(|| format!("others than root can change {what}"))
}
