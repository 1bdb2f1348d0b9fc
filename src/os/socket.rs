//! The IPC socket: only we may connect to it, and only to us do we connect.

use std::{
    fs, io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use nix::{
    sys::{
        socket::{
            AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind as bind_socket, listen,
            socket,
        },
        stat::{Mode, fchmod},
    },
    unistd::geteuid,
};
use tokio::net::{UnixListener, UnixStream};

use super::{
    lock::Lock,
    paths::{self, PathError},
};

/// Connections that may wait to be accepted: all the clients of a busy script.
const WAITING: i32 = 1024;

/// Why there is no socket to serve.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The kernel would not take the path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// What is there was not made by us.
    #[error("will not replace {}: it is not a socket of ours", .0.display())]
    InTheWay(PathBuf),
    /// Anything else the system says.
    #[error("cannot listen on {}: {source}", path.display())]
    System {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Why there is no connection to a daemon.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody listens.
    #[error("no daemon is running")]
    NotRunning,
    /// Somebody else listens, or keeps us out.
    #[error("will not talk to the daemon at {}: it is run by user {owner}", path.display())]
    Foreign {
        /// The socket.
        path: PathBuf,
        /// Who runs it.
        owner: u32,
    },
    /// Anything else the system says.
    #[error("cannot connect to {}: {source}", path.display())]
    System {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Listens on `path`, whose lock the caller holds, so that a socket found there is a dead
/// daemon's. It is 0600 from its first moment. Must be called within a tokio runtime.
pub fn bind(path: &Path, _lock: &Lock) -> Result<UnixListener, BindError> {
    paths::check_socket_path(path)?;
    let failed = |source| BindError::System { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() && found.uid() == geteuid().as_raw() => {
            fs::remove_file(path).map_err(failed)?;
        }
        Ok(_) => return Err(BindError::InTheWay(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let fd = bind_private(path).map_err(|errno| failed(errno.into()))?;
    UnixListener::from_std(fd.into()).map_err(failed)
}

/// Goes on listening on a socket that somebody has kept for us, if it is still the one at `path`.
/// Must be called within a tokio runtime.
pub fn resume(fd: OwnedFd, path: &Path, lock: &Lock) -> Result<UnixListener, BindError> {
    let failed = |source| BindError::System { path: path.to_owned(), source };
    let listener = std::os::unix::net::UnixListener::from(fd);
    let bound = listener.local_addr().is_ok_and(|bound| bound.as_pathname() == Some(path));
    let there = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if !bound || !there {
        drop(listener);
        return bind(path, lock);
    }
    UnixListener::from_std(listener).map_err(failed)
}

/// Connects to the daemon at `path`, if it is run by the same user.
pub async fn connect(path: &Path) -> Result<UnixStream, ConnectError> {
    let failed = |source| ConnectError::System { path: path.to_owned(), source };
    let stream = match dial(path).await {
        Ok(stream) => stream,
        Err(error) => {
            return Err(match (error.kind(), owner(path)) {
                (io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused, _) => {
                    ConnectError::NotRunning
                }
                (io::ErrorKind::PermissionDenied, Some(owner)) => {
                    ConnectError::Foreign { path: path.to_owned(), owner }
                }
                _ => failed(error),
            });
        }
    };
    let owner = peer_uid(&stream).map_err(failed)?;
    if owner != geteuid().as_raw() {
        return Err(ConnectError::Foreign { path: path.to_owned(), owner });
    }
    Ok(stream)
}

/// The user at the other end, as the kernel noted when it connected or listened.
pub fn peer_uid(stream: &UnixStream) -> io::Result<u32> {
    Ok(stream.peer_cred()?.uid())
}

/// Whether the other end is the same user as we are. Not even root is.
pub fn is_ours(stream: &UnixStream) -> bool {
    peer_uid(stream).is_ok_and(|uid| uid == geteuid().as_raw())
}

fn bind_private(path: &Path) -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    // Linux gives the file the mode of the socket, so there is no moment when it is wider.
    fchmod(&fd, Mode::S_IRUSR | Mode::S_IWUSR)?;
    bind_socket(fd.as_raw_fd(), &UnixAddr::new(path)?)?;
    listen(&fd, Backlog::new(WAITING)?)?;
    Ok(fd)
}

/// A blocking connect waits while too many others do, where a non-blocking one fails.
async fn dial(path: &Path) -> io::Result<UnixStream> {
    let path = path.to_owned();
    let dialled =
        tokio::task::spawn_blocking(move || std::os::unix::net::UnixStream::connect(path));
    let stream = dialled.await.map_err(io::Error::other)??;
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

fn owner(path: &Path) -> Option<u32> {
    let own = geteuid().as_raw();
    fs::symlink_metadata(path).ok().map(|data| data.uid()).filter(|owner| *owner != own)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn we_reach_ourselves_and_nobody_else_can() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let lock = Lock::take(&path).unwrap();
        let listener = bind(&path, &lock).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let mut client = connect(&path).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        assert!(is_ours(&server) && is_ours(&client));
        client.write_all(b"hello").await.unwrap();
        let mut text = [0; 5];
        server.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"hello");
    }

    #[tokio::test]
    async fn a_dead_daemons_socket_is_replaced_but_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let lock = Lock::take(&path).unwrap();
        drop(bind(&path, &lock).unwrap());
        assert!(matches!(connect(&path).await, Err(ConnectError::NotRunning)), "refused");
        let _listener = bind(&path, &lock).unwrap();
        connect(&path).await.unwrap();
        fs::remove_file(&path).unwrap();
        assert!(matches!(connect(&path).await, Err(ConnectError::NotRunning)), "no file");
        fs::write(&path, "precious").unwrap();
        assert!(matches!(bind(&path, &lock), Err(BindError::InTheWay(_))));
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    #[tokio::test]
    async fn more_clients_than_may_wait_all_get_in() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let lock = Lock::take(&path).unwrap();
        let listener = bind(&path, &lock).unwrap();
        let clients: Vec<_> = (0..1500)
            .map(|_| {
                let path = path.clone();
                tokio::spawn(async move { connect(&path).await.map(drop) })
            })
            .collect();
        for _ in 0..clients.len() {
            listener.accept().await.unwrap();
        }
        for client in clients {
            client.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn a_path_too_long_is_said_to_be() {
        let dir = tempfile::tempdir().unwrap();
        let lock = Lock::take(&dir.path().join("s")).unwrap();
        let path = dir.path().join("x".repeat(120));
        assert!(matches!(bind(&path, &lock), Err(BindError::Path(_))));
    }
}
