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
    os::{fd::AsRawFd, unix::net::UnixDatagram},
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
        _ => call(SockType::SeqPacket, &command),
    }
}

fn call(kind: SockType, command: &[String]) {
    let mut body = Vec::new();
    io::stdin().read_to_end(&mut body).unwrap();
    let (ours, theirs) =
        socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC).unwrap();
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
