//! The client of the shim: finds it, agrees on a version, and asks it for one thing per call.

mod install;

use std::{
    fs,
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    net::TcpListener,
    os::{fd::OwnedFd, unix::fs::MetadataExt},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair, sockopt,
};

use super::loopback::Sockets;

pub use self::install::{Plan, as_user, setup, uninstall, users};

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
    fits(Path::new(PATH)).map(|()| Shim(()))
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

/// Whether the program there is a shim that speaks with us.
fn fits(program: &Path) -> Result<(), String> {
    #[expect(clippy::disallowed_methods, reason = "this is an adapter of the os layer")]
    let mut command = Command::new(program);
    let run = command.arg("hello").env_clear().stdin(Stdio::null()).stderr(Stdio::null()).output();
    let out = run.map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    let hello = String::from_utf8_lossy(&out.stdout);
    let Some((from, to)) = versions(&hello) else {
        return Err(format!("{} is no shim of locald", program.display()));
    };
    if from <= *PROTOCOL.end() && *PROTOCOL.start() <= to {
        Ok(())
    } else {
        Err("the shim is of another version; `sudo locald admin setup` replaces it".to_owned())
    }
}

/// `locald-shim VERSION protocol FROM-TO OPERATION…`
fn versions(hello: &str) -> Option<(u32, u32)> {
    let mut words = hello.strip_prefix("locald-shim ")?.split_ascii_whitespace();
    let (from, to) = words.nth(2)?.split_once('-')?;
    Some((from.parse().ok()?, to.parse().ok()?))
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
    let received = receive(&ours);
    let end = child.wait_with_output();
    let (text, fds) = match received {
        Ok(received) => received,
        Err(error) => {
            let said = end.map(|end| String::from_utf8_lossy(&end.stderr).trim().to_owned());
            return Err(said.ok().filter(|said| !said.is_empty()).unwrap_or_else(|| failed(error)));
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
        assert_eq!(versions("locald-shim 0.1.0 protocol 1-3 bind trust hosts\n"), Some((1, 3)));
        for other in ["", "locald-shim", "locald-shim 1 protocol 1", "bash 1 protocol 1-1"] {
            assert_eq!(versions(other), None, "{other}");
        }
    }

    #[test]
    fn another_program_is_no_shim() {
        assert!(fits(Path::new("/bin/true")).unwrap_err().contains("no shim"));
        assert!(fits(Path::new("/nowhere")).is_err());
    }
}
