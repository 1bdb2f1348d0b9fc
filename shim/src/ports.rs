//! `bind`: listens on the two ports of the web, on this machine only.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

use nix::libc::{EADDRNOTAVAIL, EAFNOSUPPORT};

use crate::{Done, Reply, entry::Caller, request};

/// A line per port for the reply, and the sockets in the order of the lines.
pub(crate) fn bind(_caller: Caller, body: &[u8]) -> Done<Reply> {
    let (mut lines, mut sockets) = (Vec::new(), Vec::new());
    for port in request::ports(body)? {
        let these = both(port);
        lines.push(match &these {
            Ok(these) => format!("\n{port} {}", these.len()),
            Err(error) => format!("\n{port} no {error}"),
        });
        sockets.extend(these.into_iter().flatten());
    }
    Ok((lines.concat(), sockets))
}

fn both(port: u16) -> io::Result<Vec<TcpListener>> {
    let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
        Ok(v6) => Ok(vec![v4, v6]),
        // There is no IPv6.
        Err(error) if matches!(error.raw_os_error(), Some(EADDRNOTAVAIL | EAFNOSUPPORT)) => {
            Ok(vec![v4])
        }
        Err(error) => Err(error),
    }
}
