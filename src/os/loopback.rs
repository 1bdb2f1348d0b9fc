//! Listening sockets on this machine only: 127.0.0.1, and `::1` where there is IPv6.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    os::fd::OwnedFd,
    sync::Arc,
};

/// One port, on each address family that the machine has.
#[derive(Clone, Debug)]
pub struct Sockets {
    /// Where it is, on IPv4.
    pub address: SocketAddr,
    /// The sockets.
    pub sockets: Arc<[TcpListener]>,
}

/// So often another free port is tried, when one is free for IPv4 alone.
const TRIES: usize = 16;

/// Listens on `port`; on any free one if that is 0.
pub fn listen(port: u16) -> io::Result<Sockets> {
    let tries = if port == 0 { TRIES } else { 1 };
    let mut last = listen_once(port);
    for _ in 1..tries {
        match last {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = listen_once(port),
            _ => break,
        }
    }
    last
}

fn listen_once(port: u16) -> io::Result<Sockets> {
    let v4 = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), port))?;
    let address = v4.local_addr()?;
    let sockets = match TcpListener::bind((IpAddr::V6(Ipv6Addr::LOCALHOST), address.port())) {
        Ok(v6) => vec![v4, v6],
        Err(error) if is_missing(&error) => vec![v4],
        Err(error) => return Err(error),
    };
    Ok(Sockets { address, sockets: sockets.into() })
}

/// Sockets that listen already and that somebody has kept for us; none if they do not fit together.
pub fn resume(sockets: Vec<OwnedFd>) -> Option<Sockets> {
    let sockets: Vec<TcpListener> = sockets.into_iter().map(TcpListener::from).collect();
    let addresses: Vec<SocketAddr> =
        sockets.iter().map(TcpListener::local_addr).collect::<Result<_, _>>().ok()?;
    let address = *addresses.iter().find(|address| address.is_ipv4())?;
    let fit = addresses.iter().all(|other| other.port() == address.port());
    fit.then(|| Sockets { address, sockets: sockets.into() })
}

/// Whether the machine has no IPv6 at all.
fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken_on_all_families_and_not_twice() {
        let taken = listen(0).unwrap();
        assert_ne!(taken.address.port(), 0);
        for socket in &*taken.sockets {
            let address = socket.local_addr().unwrap();
            assert!(address.ip().is_loopback());
            assert_eq!(address.port(), taken.address.port());
        }
        let error = listen(taken.address.port()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
