//! Root's files, reached through descriptors only: no folder or file on the way may be another's to change.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::{AsFd, OwnedFd},
};

use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, AtFlags, Flock, FlockArg, OFlag, openat, renameat},
    libc,
    poll::{PollTimeout, poll},
    sys::stat::{FileStat, Mode, SFlag, fchmod, fstat, fstatat},
    unistd::{Gid, Uid, UnlinkatFlags, fchown, fsync, unlinkat},
};
use rustix::fs::{XattrFlags, fgetxattr, fsetxattr};

use crate::entry::said;

/// What root's lists are at most, in bytes.
const LARGEST: usize = 1 << 16;
const LABEL: &str = "security.selinux";

/// Opens a folder, one component after the other.
pub(crate) fn folder(path: &'static str) -> Result<OwnedFd, String> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut at = openat(AT_FDCWD, "/", flags, Mode::empty()).map_err(said("open /"))?;
    check(&fstat(&at).map_err(said("look at /"))?, "/")?;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        at = openat(&at, part, flags, Mode::empty()).map_err(said(&format!("open {path}")))?;
        check(&fstat(&at).map_err(said(path))?, path)?;
    }
    Ok(at)
}

/// Opens a regular file of root's with one name; none if there is none.
pub(crate) fn open(dir: impl AsFd, name: &str) -> Result<Option<(File, FileStat)>, String> {
    // A FIFO must not keep us waiting.
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let file = match openat(&dir, name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::ENOENT) => return Ok(None),
        Err(error) => return Err(format!("cannot open {name}: {error}")),
    };
    let stat = fstat(&file).map_err(said(&format!("look at {name}")))?;
    check(&stat, name)?;
    let regular = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG;
    if !regular || stat.st_nlink != 1 {
        return Err(format!("{name} is not a regular file with one name"));
    }
    Ok(Some((file, stat)))
}

/// Reads one of root's lists; none if there is none.
pub(crate) fn read(path: &'static str, name: &str) -> Result<Option<Vec<u8>>, String> {
    let Some((file, _)) = open(folder(path)?, name)? else { return Ok(None) };
    all(file, LARGEST, name).map(Some)
}

/// Reads a file that is at most so large.
pub(crate) fn all(file: File, most: usize, name: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let most_of_it = most as u64 + 1;
    file.take(most_of_it).read_to_end(&mut bytes).map_err(said(&format!("read {name}")))?;
    if bytes.len() > most { Err(format!("{name} is too large")) } else { Ok(bytes) }
}

/// Waits for its turn: only one of us writes.
pub(crate) fn lock() -> Result<Flock<OwnedFd>, String> {
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let dir = folder("/etc/locald")?;
    // Nobody else can open it, and so nobody else can hold it.
    let file = openat(dir, ".lock", flags, Mode::S_IRUSR | Mode::S_IWUSR);
    let mut file = file.map_err(said("open the lock"))?;
    check(&fstat(&file).map_err(said("look at the lock"))?, "the lock")?;
    for _ in 0..100 {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((back, Errno::EWOULDBLOCK)) => file = back,
            Err((_, error)) => return Err(format!("cannot lock: {error}")),
        }
        pause();
    }
    Err("another call is busy: try again".to_owned())
}

/// 50 ms.
pub(crate) fn pause() {
    let _none = poll(&mut [], PollTimeout::from(50u8));
}

/// Puts a file into its place as a whole, owned and labelled like `like` if there was one. It is never written
/// to where it is.
pub(crate) fn replace(
    dir: &OwnedFd,
    name: &str,
    bytes: &[u8],
    like: Option<(&File, &FileStat)>,
) -> Result<(), String> {
    let temporary = format!(".{name}.locald");
    // Of a call that was killed; whoever holds the lock is alone.
    match unlinkat(dir, temporary.as_str(), UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => {}
        Err(error) => return Err(format!("cannot remove {temporary}: {error}")),
    }
    let done = write(dir, &temporary, bytes, like).and_then(|()| {
        if let Some((_, before)) = like {
            let now = fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW);
            let same = |now: FileStat| {
                let seen = |it: &FileStat| (it.st_ino, it.st_size, it.st_mtime, it.st_mtime_nsec);
                seen(&now) == seen(before)
            };
            if !now.is_ok_and(same) {
                return Err(format!("{name} has changed meanwhile: try again"));
            }
        }
        renameat(dir, temporary.as_str(), dir, name).map_err(|error| match error {
            Errno::EBUSY => format!("cannot replace {name}: it is a mount of its own"),
            _ => format!("cannot replace {name}: {error}"),
        })
    });
    if done.is_err() {
        let _gone = unlinkat(dir, temporary.as_str(), UnlinkatFlags::NoRemoveDir);
        return done;
    }
    fsync(dir).map_err(said("write the folder to the disk"))
}

fn write(
    dir: &OwnedFd,
    temporary: &str,
    bytes: &[u8],
    like: Option<(&File, &FileStat)>,
) -> Result<(), String> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW;
    let file = openat(dir, temporary, flags | OFlag::O_CLOEXEC, Mode::S_IRUSR | Mode::S_IWUSR);
    let mut file = File::from(file.map_err(said(&format!("create {temporary}")))?);
    file.write_all(bytes).map_err(said(&format!("write {temporary}")))?;
    let mut mode = Mode::from_bits_truncate(0o644);
    if let Some((before, stat)) = like {
        let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
        fchown(&file, Some(uid), Some(gid)).map_err(said("copy the owner"))?;
        mode = Mode::from_bits_truncate(stat.st_mode & 0o7777);
        let mut label = [0; 256];
        if let Ok(length) = fgetxattr(before, LABEL, &mut label[..]) {
            fsetxattr(&file, LABEL, &label[..length], XattrFlags::empty())
                .map_err(said("copy the label"))?;
        }
    }
    fchmod(&file, mode).map_err(said("copy the mode"))?;
    file.sync_all().map_err(said(&format!("write {temporary} to the disk")))
}

fn check(stat: &FileStat, what: &str) -> Result<(), String> {
    if stat.st_uid == 0 && stat.st_mode & (libc::S_IWGRP | libc::S_IWOTH) == 0 {
        Ok(())
    } else {
        Err(format!("others than root can change {what}"))
    }
}
