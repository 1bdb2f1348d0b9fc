//! One datagram: a word, a name, a note, and maybe a descriptor.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// No note is longer.
pub const LONGEST_NOTE: usize = 65 << 10;
/// No name is longer, word included.
const LONGEST_HEAD: usize = 5 << 10;

/// What is said at once.
#[derive(Debug)]
pub struct Packet {
    /// What it is about.
    pub word: String,
    /// Whom.
    pub name: String,
    /// More of it.
    pub note: Vec<u8>,
    /// What comes with it.
    pub fd: Option<OwnedFd>,
}

/// Says something on the line.
pub fn send(
    socket: impl AsFd,
    word: &str,
    name: &str,
    note: &[u8],
    fd: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let head = format!("{word} {name}\n");
    if head.len() > LONGEST_HEAD || note.len() > LONGEST_NOTE || name.contains('\n') {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds: Vec<BorrowedFd<'_>> = fd.into_iter().collect();
    if !fds.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(&fds));
    }
    let parts = [IoSlice::new(head.as_bytes()), IoSlice::new(note)];
    loop {
        match sendmsg(&socket, &parts, &mut control, SendFlags::NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Hears what is said next; none: the other end is closed.
pub fn receive(socket: impl AsFd) -> io::Result<Option<Packet>> {
    hear(socket, RecvFlags::CMSG_CLOEXEC)
}

/// Hears what has been said already, else fails with `WouldBlock`.
pub fn try_receive(socket: impl AsFd) -> io::Result<Option<Packet>> {
    hear(socket, RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT)
}

fn hear(socket: impl AsFd, flags: RecvFlags) -> io::Result<Option<Packet>> {
    let mut bytes = vec![0; LONGEST_HEAD + LONGEST_NOTE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let length = loop {
        let mut parts = [IoSliceMut::new(&mut bytes)];
        match recvmsg(&socket, &mut parts, &mut control, flags) {
            Ok(message) => break message.bytes,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    if length == 0 {
        return Ok(None);
    }
    let mut fd = None;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            fd = fds.last();
        }
    }
    bytes.truncate(length);
    let end = memchr::memchr(b'\n', &bytes).ok_or(io::ErrorKind::InvalidData)?;
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| io::ErrorKind::InvalidData)?;
    let (word, name) = head.split_once(' ').ok_or(io::ErrorKind::InvalidData)?;
    let (word, name) = (word.to_owned(), name.to_owned());
    // In memory of its own size: the heart keeps it, and most are short.
    let note = bytes[end + 1..].to_vec();
    Ok(Some(Packet { word, name, note, fd }))
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::{Read as _, Write as _},
    };

    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

    use super::*;

    fn line() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap()
    }

    #[test]
    fn what_is_said_is_heard_with_its_descriptor() {
        let (ours, theirs) = line();
        let (read, write) = nix::unistd::pipe().unwrap();
        send(&ours, "keep", "run/a b", b"one\ntwo", Some(read.as_fd())).unwrap();
        send(&ours, "all", "", b"", None).unwrap();
        drop((ours, read));
        let packet = receive(&theirs).unwrap().unwrap();
        assert_eq!(
            (&*packet.word, &*packet.name, &*packet.note),
            ("keep", "run/a b", &b"one\ntwo"[..])
        );
        File::from(write).write_all(b"x").unwrap();
        let mut heard = [0];
        File::from(packet.fd.unwrap()).read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"x");
        let packet = receive(&theirs).unwrap().unwrap();
        assert_eq!((&*packet.word, &*packet.name, packet.fd.is_none()), ("all", "", true));
        assert!(receive(&theirs).unwrap().is_none(), "closed");
    }

    #[test]
    fn what_is_too_long_or_no_packet_is_refused() {
        let (ours, theirs) = line();
        assert!(send(&ours, "keep", "a\nb", b"", None).is_err());
        assert!(send(&ours, "keep", "a", &vec![0; LONGEST_NOTE + 1], None).is_err());
        send(&ours, "keep", "a", &vec![7; LONGEST_NOTE], None).unwrap();
        assert_eq!(receive(&theirs).unwrap().unwrap().note.len(), LONGEST_NOTE);
        nix::unistd::write(&ours, b"garbage").unwrap();
        assert_eq!(receive(&theirs).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
