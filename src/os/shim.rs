//! The client of the shim: finds it, agrees on a version, and asks it for one thing per call.

mod install;
mod source;

use std::{
    fs,
    io::{self, IoSlice, IoSliceMut, Read as _},
    mem::MaybeUninit,
    net::TcpListener,
    os::{fd::OwnedFd, unix::fs::MetadataExt},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use nix::unistd::geteuid;
use rustix::{
    fs::{StatVfsMountFlags, statvfs},
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair, sockopt,
    },
};

use super::loopback::Sockets;
use crate::core::doctor::facts;

pub use self::{
    install::{Plan, as_user, setup, uninstall, users},
    source::Source,
};

/// Where `admin setup` puts it.
pub const PATH: &str = "/usr/local/libexec/locald/locald-shim";
/// The versions of the protocol that we speak.
const PROTOCOL: std::ops::RangeInclusive<u32> = 1..=1;
/// It gives itself 10 s, and two minutes where it runs a helper.
const PATIENCE: Duration = Duration::from_secs(12);
const LONG_PATIENCE: Duration = Duration::from_mins(2);
/// The longest reply.
const LONGEST: usize = 4096;

/// A shim that fits.
#[derive(Clone, Copy, Debug)]
pub struct Shim(());

/// The shim, if there is one that fits; else why not, in words.
pub fn find() -> Result<Shim, String> {
    hello().map(|_| Shim(()))
}

/// What there is of it, for `doctor`.
pub fn look() -> facts::Shim {
    if !Path::new(PATH).exists() {
        return facts::Shim::Absent;
    }
    // Who may execute it and is let in is two things.
    let listed = || users().is_ok_and(|users| users.contains(&geteuid().as_raw()));
    match hello() {
        Err(why) => facts::Shim::Unfit(why),
        Ok(_) if is_nosuid() => {
            facts::Shim::Unfit(format!("{PATH} is on a file system that is mounted with nosuid"))
        }
        Ok(_) if !geteuid().is_root() && !listed() => facts::Shim::NotForUs,
        Ok(hello) => facts::Shim::Fits(hello.release),
    }
}

fn is_nosuid() -> bool {
    statvfs(PATH).is_ok_and(|system| system.f_flag.contains(StatVfsMountFlags::NOSUID))
}

fn hello() -> Result<Hello, String> {
    let file = match fs::symlink_metadata(PATH) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err("`sudo locald admin setup` has not been run".to_owned());
        }
        Err(error) => return Err(format!("cannot look at {PATH}: {error}")),
    };
    if !file.is_file() || file.uid() != 0 || file.mode() & 0o7777 != 0o4755 {
        return Err(format!("{PATH} is not setuid root; `sudo locald admin setup` mends it"));
    }
    greet(Path::new(PATH))
}

impl Shim {
    /// Sockets that listen on one of the ports 80 and 443; each call may have one of its own.
    pub fn bind(self, port: u16) -> Result<Sockets, String> {
        let (text, fds) = call(&["bind"], port.to_string().as_bytes(), PATIENCE)?;
        let sockets: Vec<TcpListener> = fds.into_iter().map(TcpListener::from).collect();
        let Some(first) = sockets.first() else {
            let why = text.trim().strip_prefix(&format!("{port} no "));
            return Err(why.unwrap_or("the shim sent no socket").to_owned());
        };
        let address = first.local_addr().map_err(|error| error.to_string())?;
        if address.port() != port {
            return Err("the shim sent another port".to_owned());
        }
        Ok(Sockets { address, sockets: sockets.into() })
    }

    /// Has the system trust this root.
    pub fn install_root(self, der: &[u8]) -> Result<(), String> {
        call(&["trust", "install"], der, LONG_PATIENCE).map(drop)
    }

    /// Has it no longer trust a root that was installed so.
    pub fn uninstall_root(self, fingerprint: &str) -> Result<(), String> {
        call(&["trust", "uninstall"], fingerprint.as_bytes(), LONG_PATIENCE).map(drop)
    }

    /// Makes these the names of this user in the hosts file.
    pub fn sync_hosts(self, names: &[&str]) -> Result<(), String> {
        // An empty message would be none at all.
        let body = names.join("\n") + "\n";
        call(&["hosts", "sync"], body.as_bytes(), PATIENCE).map(drop)
    }
}

/// What a shim says of itself.
#[derive(Debug, Eq, PartialEq)]
struct Hello {
    release: String,
    /// The versions of the protocol, from and to.
    protocol: (u32, u32),
}

/// What the program there says, if it is a shim that speaks with us.
fn greet(program: &Path) -> Result<Hello, String> {
    #[expect(clippy::disallowed_methods, reason = "this is an adapter of the os layer")]
    let mut command = Command::new(program);
    command.arg("hello").env_clear().stdin(Stdio::null()).stderr(Stdio::null());
    let child = command.stdout(Stdio::piped()).spawn();
    let child = child.map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    let Some(hello) = read_hello(&all(child.stdout)) else {
        return Err(format!("{} is no shim of locald", program.display()));
    };
    let (from, to) = hello.protocol;
    if from <= *PROTOCOL.end() && *PROTOCOL.start() <= to {
        Ok(hello)
    } else {
        Err("the shim is of another version; `sudo locald admin setup` replaces it".to_owned())
    }
}

/// `locald-shim VERSION protocol FROM-TO OPERATION…`
fn read_hello(hello: &str) -> Option<Hello> {
    let mut words = hello.strip_prefix("locald-shim ")?.split_ascii_whitespace();
    let (release, (from, to)) = (words.next()?.to_owned(), words.nth(1)?.split_once('-')?);
    Some(Hello { release, protocol: (from.parse().ok()?, to.parse().ok()?) })
}

/// What comes out of a pipe. Nobody waits for the process at its other end: in the daemon, the reaper does so for
/// all that is no service, and a command does not live longer.
fn all(pipe: Option<impl io::Read>) -> String {
    let mut text = Vec::new();
    if let Some(pipe) = pipe {
        // What was read before an error is all there is.
        let _read = pipe.take(LONGEST as u64).read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// One call: the reply without its `ok`, and the descriptors that came with it.
fn call(words: &[&str], body: &[u8], within: Duration) -> Result<(String, Vec<OwnedFd>), String> {
    let failed = |error: io::Error| format!("cannot ask the shim: {error}");
    let send = || -> io::Result<_> {
        let kind = (AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC);
        let (ours, theirs) = socketpair(kind.0, kind.1, kind.2, None)?;
        sockopt::set_socket_send_buffer_size(&ours, body.len() + LONGEST)?;
        sockopt::set_socket_timeout(&ours, sockopt::Timeout::Recv, Some(within))?;
        let none = &mut SendAncillaryBuffer::default();
        sendmsg(&ours, &[IoSlice::new(body)], none, SendFlags::NOSIGNAL)?;
        #[expect(clippy::disallowed_methods, reason = "this is an adapter of the os layer")]
        let mut command = Command::new(PATH);
        command.args(words).env_clear().stdin(Stdio::from(theirs));
        // Whoever is not let in hears why on standard error, others in the reply.
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        Ok((ours, child))
    };
    let (ours, child) = send().map_err(failed)?;
    let (text, fds) = match receive(&ours) {
        Ok(received) => received,
        // It may still be at work, and say nothing.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(failed(error)),
        Err(error) => {
            let said = all(child.stderr).trim().to_owned();
            return Err(if said.is_empty() { failed(error) } else { said });
        }
    };
    match text.strip_prefix("ok") {
        Some(rest) => Ok((rest.to_owned(), fds)),
        None => Err(text.strip_prefix("no ").unwrap_or(&text).to_owned()),
    }
}

fn receive(socket: &OwnedFd) -> io::Result<(String, Vec<OwnedFd>)> {
    let mut text = vec![0; LONGEST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let parts = &mut [IoSliceMut::new(&mut text)];
    let length = loop {
        match recvmsg(socket, parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(message) => break message.bytes,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    if length == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            fds.extend(received);
        }
    }
    Ok((String::from_utf8_lossy(&text[..length]).into_owned(), fds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_a_range() {
        let hello = read_hello("locald-shim 0.1.0 protocol 1-3 bind trust hosts\n").unwrap();
        assert_eq!(hello, Hello { release: "0.1.0".to_owned(), protocol: (1, 3) });
        for other in ["", "locald-shim", "locald-shim 1 protocol 1", "bash 1 protocol 1-1"] {
            assert_eq!(read_hello(other), None, "{other}");
        }
    }

    #[test]
    fn another_program_is_no_shim() {
        assert!(greet(Path::new("/bin/true")).unwrap_err().contains("no shim"));
        assert!(greet(Path::new("/nowhere")).is_err());
    }
}
