//! `bind`: listens on the two ports of the web, on this machine only.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener},
};

use locald_shim::request;
use nix::libc;

/// A line per port for the reply, and the sockets in the order of the lines.
pub(crate) fn bind(body: &[u8]) -> Result<(String, Vec<TcpListener>), String> {
    let (mut lines, mut sockets) = (Vec::new(), Vec::new());
    for port in request::ports(body)? {
        match both(port) {
            Ok(these) => {
                lines.push(format!("\n{port} {}", these.len()));
                sockets.extend(these);
            }
            Err(error) => lines.push(format!("\n{port} no {error}")),
        }
    }
    Ok((lines.concat(), sockets))
}

fn both(port: u16) -> io::Result<Vec<TcpListener>> {
    let v4 = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), port))?;
    match TcpListener::bind((IpAddr::V6(Ipv6Addr::LOCALHOST), port)) {
        Ok(v6) => Ok(vec![v4, v6]),
        // There is no IPv6.
        Err(error)
            if error.kind() == io::ErrorKind::AddrNotAvailable
                || error.raw_os_error() == Some(libc::EAFNOSUPPORT) =>
        {
            Ok(vec![v4])
        }
        Err(error) => Err(error),
    }
}
