//! The notify socket against real senders.

use std::{
    io::{ErrorKind, IoSlice, Read as _},
    os::{
        fd::RawFd,
        unix::{fs::PermissionsExt as _, net::UnixDatagram as Sender},
    },
    time::Duration,
};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use tokio::time::timeout;

use super::*;

struct Fixture {
    _folder: tempfile::TempDir,
    path: PathBuf,
    socket: NotifySocket,
    sender: Sender,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("web.sock");
    let socket = NotifySocket::bind(&path).expect("bound");
    let sender = Sender::unbound().expect("a socket");
    sender.connect(&path).expect("connected");
    sender.set_nonblocking(true).expect("set");
    Fixture { _folder: folder, path, socket, sender }
}

impl Fixture {
    fn send_with(&self, bytes: &[u8], fds: &[RawFd]) {
        let parts = [IoSlice::new(bytes)];
        let rights = [ControlMessage::ScmRights(fds)];
        let sent = sendmsg::<()>(self.sender.as_raw_fd(), &parts, &rights, MsgFlags::empty(), None);
        assert_eq!(sent, Ok(bytes.len()));
    }

    async fn recv(&self) -> Datagram {
        let heard = timeout(Duration::from_secs(10), self.socket.recv()).await;
        heard.expect("in time").expect("received")
    }
}

#[tokio::test]
async fn the_kernel_names_the_sender() {
    let fixture = fixture();
    fixture.sender.send(b"STATUS=up\nREADY=1").expect("sent");
    let datagram = fixture.recv().await;
    assert_eq!(datagram.pid, std::process::id().cast_signed());
    assert_eq!(datagram.uid, nix::unistd::getuid().as_raw());
    assert_eq!(datagram.notes, [Note::Status("up".into()), Note::Ready]);
    assert!(datagram.barrier.is_empty());
}

#[tokio::test]
async fn garbage_is_skipped_and_what_is_too_long_is_cut() {
    let fixture = fixture();
    fixture.sender.send(b"").expect("sent");
    fixture.sender.send(b"\xff\x00\n\n=").expect("sent");
    let mut long = b"READY=1\nSTATUS=".to_vec();
    long.resize(100_000, b'x');
    fixture.sender.send(&long).expect("sent");
    assert_eq!(fixture.recv().await.notes, [Note::Ready]);
}

#[tokio::test]
async fn a_flood_waits_in_the_kernel_and_none_of_it_is_lost() {
    let fixture = fixture();
    let mut sent = 0;
    let full = loop {
        match fixture.sender.send(format!("STATUS={sent}").as_bytes()) {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock, "the sender is held up, not we");
    for number in 0..sent {
        assert_eq!(fixture.recv().await.notes, [Note::Status(number.to_string())]);
    }
}

#[tokio::test]
async fn a_barrier_is_acknowledged_when_the_datagram_goes() {
    let fixture = fixture();
    let (mut read, write) = io::pipe().expect("a pipe");
    nix::fcntl::fcntl(&read, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK))
        .expect("set");
    fixture.send_with(b"BARRIER=1", &[write.as_raw_fd()]);
    drop(write);
    let datagram = fixture.recv().await;
    assert_eq!(datagram.notes, [Note::Barrier]);
    assert_eq!(datagram.barrier.len(), 1);
    let open = read.read(&mut [0]).expect_err("not yet closed");
    assert_eq!(open.kind(), ErrorKind::WouldBlock);
    drop(datagram);
    assert_eq!(read.read(&mut [0]).expect("closed"), 0);
}

#[tokio::test]
async fn other_descriptors_are_closed_at_once_however_many() {
    let fixture = fixture();
    let (mut read, write) = io::pipe().expect("a pipe");
    fixture.send_with(b"READY=1", &[write.as_raw_fd(); 200]);
    fixture.send_with(b"garbage", &[write.as_raw_fd(); 3]);
    fixture.sender.send(b"STOPPING=1").expect("sent");
    drop(write);
    assert_eq!(fixture.recv().await.notes, [Note::Ready]);
    let last = fixture.recv().await;
    assert_eq!(last.notes, [Note::Stopping]);
    // Ends only when every copy is closed.
    assert_eq!(read.read(&mut [0]).expect("closed"), 0);
}

#[tokio::test]
async fn the_file_is_for_its_owner_only_and_goes_with_the_socket() {
    let Fixture { _folder, path, socket, .. } = fixture();
    let mode = fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(socket.path(), path);
    drop(socket);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_successor_takes_the_path_over_and_keeps_it() {
    let Fixture { _folder, path, socket: old, .. } = fixture();
    let new = NotifySocket::bind(&path).expect("bound over the old one");
    drop(old);
    let sender = Sender::unbound().expect("a socket");
    sender.send_to(b"READY=1", &path).expect("the new one is there");
    assert_eq!(new.recv().await.expect("received").notes, [Note::Ready]);
}

#[tokio::test]
async fn what_is_not_a_socket_is_not_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notes.txt");
    fs::write(&path, "mine").expect("written");
    assert!(matches!(NotifySocket::bind(&path), Err(BindError::Occupied(_))));
    assert_eq!(fs::read(&path).expect("still there"), b"mine");
    let long = folder.path().join("x".repeat(120));
    let error = NotifySocket::bind(&long).expect_err("too long").to_string();
    assert!(error.ends_with("bytes, a socket's may have 107"), "{error}");
    let nowhere = NotifySocket::bind(&folder.path().join("gone/web.sock"));
    assert!(matches!(nowhere, Err(BindError::Io { .. })));
}
