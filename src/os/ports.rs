//! Which TCP ports can be used.

use std::{
    fs,
    net::{Ipv4Addr, Ipv6Addr},
    ops::RangeInclusive,
    os::fd::AsRawFd,
};

use nix::{
    errno::Errno,
    sys::socket::{
        AddressFamily, SockFlag, SockType, SockaddrIn, SockaddrIn6, SockaddrLike, bind, setsockopt,
        socket,
        sockopt::{Ipv6V6Only, ReuseAddr},
    },
};

use super::listeners;

/// The first port given to services: below are too many that people know by heart.
const LOWEST: u16 = 10_240;

/// The kernel's range for outgoing connections, unless it is set otherwise.
const EPHEMERAL: RangeInclusive<u16> = 32_768..=60_999;

/// Whether a service could listen on `port`: nobody has it on loopback (of either kind) or on
/// all addresses. A connection that has ended and is only remembered does not count.
///
/// Another could be faster afterwards; only the service's own attempt decides.
pub fn is_free(port: u16) -> bool {
    let four = [Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED].map(|address| {
        let [a, b, c, d] = address.octets();
        attempt(AddressFamily::Inet, &SockaddrIn::new(a, b, c, d, port))
    });
    let six = [Ipv6Addr::LOCALHOST, Ipv6Addr::UNSPECIFIED].map(|address| {
        let address = std::net::SocketAddrV6::new(address, port, 0, 0);
        attempt(AddressFamily::Inet6, &SockaddrIn6::from(address))
    });
    four.into_iter().chain(six).all(|attempt| match attempt {
        // The second: no IPv6 here, or switched off.
        Ok(()) | Err(Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL) => true,
        Err(Errno::EADDRINUSE) => listeners::only_remembered(port),
        // We may not have it (below 1024, or no descriptors left), which does not mean that
        // somebody has.
        Err(_) => !listeners::anybody_on(port),
    })
}

/// The ports to give to services: outside the kernel's range for outgoing connections, so that
/// none of those takes a port between its choice and its use.
pub fn assignable_range() -> RangeInclusive<u16> {
    let setting = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    outside(&parse_range(&setting).unwrap_or(EPHEMERAL))
}

/// Binding without listening: nobody can connect to it meanwhile.
fn attempt(family: AddressFamily, address: &dyn SockaddrLike) -> nix::Result<()> {
    let fd = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    // As nearly every server does. A listener is in the way all the same.
    setsockopt(&fd, ReuseAddr, &true)?;
    if family == AddressFamily::Inet6 {
        setsockopt(&fd, Ipv6V6Only, &true)?;
    }
    bind(fd.as_raw_fd(), address)
}

fn parse_range(text: &str) -> Option<RangeInclusive<u16>> {
    let mut numbers = text.split_ascii_whitespace().map(str::parse);
    let (first, last) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    (first <= last).then_some(first..=last)
}

/// The larger part beside `ephemeral`, or the usual one where nothing to speak of is left.
fn outside(ephemeral: &RangeInclusive<u16>) -> RangeInclusive<u16> {
    const ENOUGH: usize = 512;
    let below = LOWEST..=ephemeral.start().saturating_sub(1);
    let above = ephemeral.end().saturating_add(1).max(LOWEST)..=u16::MAX;
    let larger = if above.len() > below.len() { above } else { below };
    if larger.len() >= ENOUGH { larger } else { LOWEST..=EPHEMERAL.start() - 1 }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::os::testing::eventually;

    #[tokio::test]
    async fn a_listener_anywhere_takes_the_port() {
        for address in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let port = listener.local_addr().unwrap().port();
            assert!(!is_free(port), "{address}");
            drop(listener);
            // A program just being spawned elsewhere has it open until it is loaded.
            eventually(|| is_free(port)).await;
        }
    }

    /// The port of a connection that the server's side ended first.
    fn remembered(reuse: bool) -> u16 {
        let fd =
            socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
        setsockopt(&fd, ReuseAddr, &reuse).unwrap();
        bind(fd.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0)).unwrap();
        nix::sys::socket::listen(&fd, nix::sys::socket::Backlog::new(1).unwrap()).unwrap();
        let listener = TcpListener::from(fd);
        let port = listener.local_addr().unwrap().port();
        let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        drop(listener.accept().unwrap());
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        port
    }

    #[test]
    fn an_ended_connection_does_not_take_the_port() {
        for reuse in [true, false] {
            let port = remembered(reuse);
            assert!(listeners::only_remembered(port));
            assert!(is_free(port), "reuse {reuse}");
        }
    }

    #[test]
    fn ports_are_given_outside_the_kernels_range() {
        for (setting, expected) in [
            ("32768\t60999\n", 10_240..=32_767),
            ("49152 65535", 10_240..=49_151),
            ("1024 60999", 61_000..=65_535),
            ("15000 64999", 10_240..=14_999),
            ("10000 20000", 20_001..=65_535),
            ("1024 65535", 10_240..=32_767),
            ("1 2", 10_240..=65_535),
        ] {
            assert_eq!(outside(&parse_range(setting).unwrap()), expected, "{setting}");
        }
        for nonsense in ["", "5", "9 1", "a b", "1 99999"] {
            assert_eq!(parse_range(nonsense), None, "{nonsense:?}");
        }
        assert!(assignable_range().len() > 500);
    }
}
