//! One daemon a socket.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    unistd::geteuid,
};

/// The right to serve a socket, for as long as the value (or a copy of its descriptor) lives.
#[derive(Debug)]
pub struct Lock(Flock<File>);

/// Why there is no right to serve a socket.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another daemon has it.
    #[error("another daemon is running{}", pid.map_or_else(String::new, |pid| format!(": pid {pid}")))]
    Held {
        /// The other daemon's pid; none while it has not written it yet.
        pid: Option<i32>,
    },
    /// Under `/tmp` anybody may have put a file there.
    #[error("will not use {}: it belongs to user {owner}; set LOCALD_SOCKET to another place", path.display())]
    Foreign {
        /// The lock file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Anything else the system says.
    #[error("cannot lock {}: {source}", path.display())]
    System {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Lock {
    /// Takes the lock of the socket `socket`: the file `<socket>.lock`, which names us. What a
    /// dead daemon left is taken over.
    pub fn take(socket: &Path) -> Result<Self, LockError> {
        let path = lock_path(socket);
        let failed = |source: io::Error| LockError::System { path: path.clone(), source };
        loop {
            let file = open(&path)?;
            let locked = file.metadata().map_err(failed)?;
            let mut lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => Self(lock),
                Err((mut file, Errno::EAGAIN)) => {
                    return Err(LockError::Held { pid: read_pid(&mut file) });
                }
                Err((_, Errno::EINTR)) => continue,
                Err((_, errno)) => return Err(failed(errno.into())),
            };
            // Somebody may have removed the file between the opening and the locking.
            let there = fs::symlink_metadata(&path);
            if there.is_ok_and(|there| (there.dev(), there.ino()) == (locked.dev(), locked.ino())) {
                lock.sign().map_err(failed)?;
                return Ok(lock);
            }
        }
    }

    /// Goes on holding the lock that somebody has kept for us; another one if its file is gone.
    pub fn resume(fd: OwnedFd, socket: &Path) -> Result<Self, LockError> {
        let path = lock_path(socket);
        let failed = |source: io::Error| LockError::System { path: path.clone(), source };
        let file = File::from(fd);
        let ours = file.metadata().map_err(failed)?;
        let there = fs::symlink_metadata(&path);
        if !there.is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())) {
            return Self::take(socket);
        }
        // The lock belongs to what both descriptors refer to, so this asks for what it has.
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock);
        let mut lock = Self(lock.map_err(|(_, errno)| failed(errno.into()))?);
        lock.sign().map_err(failed)?;
        Ok(lock)
    }

    /// Removes the file, then lets go. Whoever waits on the removed file finds that it has lost its
    /// name, and locks another one.
    pub fn leave(self, socket: &Path) -> io::Result<()> {
        fs::remove_file(lock_path(socket))
    }

    fn sign(&mut self) -> io::Result<()> {
        self.0.set_len(0)?;
        self.0.rewind()?;
        writeln!(self.0, "{}", std::process::id())
    }
}

impl AsFd for Lock {
    /// A copy of it in another process holds the lock as well.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn lock_path(socket: &Path) -> PathBuf {
    let mut path = socket.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

fn open(path: &Path) -> Result<File, LockError> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let owner = match &opened {
        Ok(file) => file.metadata(),
        Err(_) => fs::symlink_metadata(path),
    };
    match owner.map(|data| data.uid()) {
        Ok(owner) if owner != geteuid().as_raw() => {
            Err(LockError::Foreign { path: path.to_owned(), owner })
        }
        _ => opened.map_err(|source| LockError::System { path: path.to_owned(), source }),
    }
}

fn read_pid(file: &mut File) -> Option<i32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::os::testing::eventually;

    fn own_pid() -> i32 {
        i32::try_from(std::process::id()).unwrap()
    }

    #[tokio::test]
    async fn the_second_is_told_the_pid_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("locald.sock");
        let lock = Lock::take(&socket).unwrap();
        let error = Lock::take(&socket).unwrap_err();
        assert!(matches!(error, LockError::Held { pid } if pid == Some(own_pid())));
        assert_eq!(error.to_string(), format!("another daemon is running: pid {}", own_pid()));
        drop(lock);
        // A program just being spawned elsewhere has it open until it is loaded.
        eventually(|| Lock::take(&socket).is_ok()).await;
    }

    #[test]
    fn the_lock_of_the_dead_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("locald.sock");
        let path = dir.path().join("locald.sock.lock");
        fs::write(&path, "99999999 and garbage that is longer\n").unwrap();
        let _lock = Lock::take(&socket).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", own_pid()));
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        symlink(&victim, dir.path().join("locald.sock.lock")).unwrap();
        let error = Lock::take(&dir.path().join("locald.sock")).unwrap_err();
        assert!(matches!(error, LockError::System { .. }), "{error}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    }

    #[test]
    fn the_file_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let _lock = Lock::take(&dir.path().join("s")).unwrap();
        let mode = fs::metadata(dir.path().join("s.lock")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn somebody_elses_file_is_refused() {
        if !geteuid().is_root() {
            // Only root can make one.
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.lock");
        fs::write(&path, "").unwrap();
        std::os::unix::fs::chown(&path, Some(65534), None).unwrap();
        let error = Lock::take(&dir.path().join("s")).unwrap_err();
        assert!(matches!(error, LockError::Foreign { owner: 65534, .. }), "{error}");
    }
}
