//! Calls a program as the daemon calls the shim, for tests: hands it a socket as standard input, sends what
//! comes on our own standard input, and tells what comes back.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "it is part of a test"
)]

use std::{
    env,
    ffi::CString,
    io::{self, IoSliceMut, Read},
    mem::MaybeUninit,
    net::TcpListener,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::net::UnixDatagram,
    },
    process::{Command, Stdio},
    time::Duration,
};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, getsockopt, send, setsockopt, socketpair, sockopt,
};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

fn main() {
    let mut args = env::args().skip(1);
    let how = args.next().unwrap();
    let command: Vec<String> = args.collect();
    match how.as_str() {
        // A program without arguments, not even its name.
        "nameless" => {
            let program = CString::new(command[0].as_str()).unwrap();
            let none: [CString; 0] = [];
            let Err(why) = nix::unistd::execve(&program, &none, &none);
            println!("{why}");
        }
        // What is said to the system's log within a moment.
        "log" => {
            let socket = UnixDatagram::bind("/dev/log").unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            println!("listening");
            let mut buffer = [0; 1024];
            while let Ok(length) = socket.recv(&mut buffer) {
                println!("log {}", String::from_utf8_lossy(&buffer[..length]));
            }
        }
        "stream" => call(SockType::Stream, &command),
        "senders" => senders(&command),
        _ => call(SockType::SeqPacket, &command),
    }
}

fn pair(kind: SockType) -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC).unwrap()
}

/// Who the kernel says has written the reply, and what is said on standard error.
fn senders(command: &[String]) {
    let mut body = Vec::new();
    io::stdin().read_to_end(&mut body).unwrap();
    let [request, error] = [pair(SockType::SeqPacket), pair(SockType::SeqPacket)];
    for (ours, _) in [&request, &error] {
        setsockopt(ours, sockopt::PassCred, &true).unwrap();
    }
    send(request.0.as_raw_fd(), &body, MsgFlags::empty()).unwrap();
    let mut command = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::from(request.1))
        .stderr(Stdio::from(error.1))
        .spawn()
        .unwrap();
    command.wait().unwrap();
    for (what, ours) in [("replied", request.0), ("said", error.0)] {
        let mut text = [0; 4096];
        let mut space =
            [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1), ScmRights(8))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut text)];
        let Ok(message) = recvmsg(&ours, &mut parts, &mut control, RecvFlags::DONTWAIT) else {
            continue;
        };
        for part in control.drain() {
            if let RecvAncillaryMessage::ScmCredentials(by) = part
                && message.bytes > 0
            {
                let text = String::from_utf8_lossy(&text[..message.bytes]).replace('\n', "|");
                println!("{} {what} {text}", by.uid.as_raw());
            }
        }
    }
}

fn call(kind: SockType, command: &[String]) {
    let mut body = Vec::new();
    io::stdin().read_to_end(&mut body).unwrap();
    let (ours, theirs) = pair(kind);
    setsockopt(&ours, sockopt::SndBuf, &(1 << 20)).unwrap();
    if !body.is_empty() {
        send(ours.as_raw_fd(), &body, MsgFlags::empty()).unwrap();
    }
    let mut child =
        Command::new(&command[0]).args(&command[1..]).stdin(Stdio::from(theirs)).spawn().unwrap();
    let status = child.wait().unwrap();
    println!("exit {}", status.code().unwrap_or(-1));
    let mut text = [0; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut text)];
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let length = match recvmsg(&ours, &mut parts, &mut control, flags) {
        Ok(message) if message.bytes > 0 => message.bytes,
        _ => return println!("no reply"),
    };
    println!("reply {}", String::from_utf8_lossy(&text[..length]).replace('\n', "|"));
    for message in control.drain() {
        let RecvAncillaryMessage::ScmRights(fds) = message else { panic!("no descriptors") };
        for fd in fds {
            let listening = getsockopt(&fd, sockopt::AcceptConn).unwrap();
            println!("fd {} {listening}", TcpListener::from(fd).local_addr().unwrap());
        }
    }
}
