//! The socket on which one service speaks `sd_notify(3)`, with the kernel's word on who is speaking.

mod receive;
mod sender;

use std::{
    fs, io,
    os::{
        fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd},
        unix::fs::{FileTypeExt as _, MetadataExt as _},
    },
    path::{Path, PathBuf},
};

use nix::sys::{
    socket::{self, AddressFamily, SockFlag, SockType, UnixAddr, sockopt::PassCred},
    stat::{Mode, fchmod},
};
use tokio::{io::Interest, net::UnixDatagram};

use crate::core::notify::{MAX_DATAGRAM, Note, parse};

pub use sender::{belongs, session_of};

/// A bound socket; its file goes with it.
#[derive(Debug)]
pub struct NotifySocket {
    socket: UnixDatagram,
    path: PathBuf,
    /// Device and inode: the file under our name may be a successor's by the time we go.
    file: (u64, u64),
}

/// What one sender said at once.
#[derive(Debug)]
pub struct Datagram {
    /// The sender by the kernel's word; it may be gone. 0: outside of our pid namespace.
    pub pid: i32,
    /// The sender's user by the kernel's word.
    pub uid: u32,
    /// What was understood of it.
    pub notes: Vec<Note>,
    /// The descriptors that came with a `BARRIER=1`. To close them is the acknowledgement that all earlier notes have been
    /// acted on: drop the datagram only after that.
    pub barrier: Vec<OwnedFd>,
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The kernel has room for 107 bytes.
    #[error("cannot bind {}: the path has {} bytes, a socket's may have 107", .0.display(), .0.as_os_str().len())]
    TooLong(PathBuf),
    /// It is not ours to replace.
    #[error("cannot bind {}: there is a file that is not a socket", .0.display())]
    Occupied(PathBuf),
    /// Anything else.
    #[error("cannot bind {}: {source}", path.display())]
    Io {
        /// The socket's path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl NotifySocket {
    /// Binds the path, for the owner only, in place of a socket left there. Needs a tokio runtime.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let address = UnixAddr::new(path).map_err(|_| BindError::TooLong(path.to_owned()))?;
        let io = |source: io::Error| BindError::Io { path: path.to_owned(), source };
        match fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => fs::remove_file(path).map_err(io)?,
            Ok(_) => return Err(BindError::Occupied(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io(error)),
        }
        let socket = open(&address).map_err(|errno| io(errno.into()))?;
        let found = fs::symlink_metadata(path).map_err(io)?;
        let socket = UnixDatagram::from_std(socket.into()).map_err(io)?;
        Ok(Self { socket, path: path.to_owned(), file: (found.dev(), found.ino()) })
    }

    /// Goes on with a socket that has been bound to the path before: what was sent meanwhile waits in it.
    /// Needs a tokio runtime.
    pub fn resume(socket: OwnedFd, path: &Path) -> io::Result<Self> {
        let bound: UnixAddr = socket::getsockname(socket.as_raw_fd())?;
        let found = fs::symlink_metadata(path)?;
        if bound.path() != Some(path) || !found.file_type().is_socket() {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let socket = UnixDatagram::from_std(socket.into())?;
        Ok(Self { socket, path: path.to_owned(), file: (found.dev(), found.ino()) })
    }

    /// Where it is bound.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next datagram that has anything to say. Nothing is read ahead: senders wait in the kernel's queue, which is short.
    /// Cancel-safe.
    pub async fn recv(&self) -> io::Result<Datagram> {
        loop {
            let heard =
                self.socket.async_io(Interest::READABLE, || heard(self.socket.as_fd())).await;
            match heard {
                Ok(Some(datagram)) => return Ok(datagram),
                // Garbage in a flood must not keep the task to itself.
                Ok(None) => tokio::task::consume_budget().await,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl AsFd for NotifySocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for NotifySocket {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == self.file);
        if ours {
            // Whoever removed it first has done our work.
            drop(fs::remove_file(&self.path));
        }
    }
}

fn open(address: &UnixAddr) -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket::socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
    // The file takes the mode that its socket has when it is bound: it is never open to others.
    fchmod(&socket, Mode::S_IRUSR | Mode::S_IWUSR)?;
    // Before there is a name to send to: no datagram without a sender.
    socket::setsockopt(&socket, PassCred, &true)?;
    socket::bind(socket.as_raw_fd(), address)?;
    Ok(socket)
}

/// One datagram, if it is worth anything.
fn heard(socket: BorrowedFd<'_>) -> io::Result<Option<Datagram>> {
    // One byte more than is looked at tells what is too long.
    let mut bytes = [0; MAX_DATAGRAM + 1];
    let received = receive::receive(socket, &mut bytes)?;
    let notes = parse(&bytes[..received.length]);
    // Descriptors without a barrier are closed here and now: they are no business of ours.
    let barrier = if notes.contains(&Note::Barrier) { received.fds } else { Vec::new() };
    Ok(received.sender.filter(|_| !notes.is_empty()).map(|(pid, uid)| Datagram {
        pid,
        uid,
        notes,
        barrier,
    }))
}

#[cfg(test)]
mod tests;
