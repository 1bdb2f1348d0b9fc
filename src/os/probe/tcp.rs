//! A connection to a loopback port, by IPv4 or else by IPv6.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    net::TcpStream,
    time::{Instant, error::Elapsed, timeout_at},
};

/// Whether somebody listens on the port; the connection is closed at once.
pub async fn tcp(port: u16, timeout: Duration) -> Result<(), String> {
    connect(port, timeout).await.map(drop)
}

/// The connection to the first family that has one.
pub(super) async fn connect(port: u16, timeout: Duration) -> Result<TcpStream, String> {
    let v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let v6 = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port);
    let start = Instant::now();
    // A listener whose queue is full answers nothing: the other family gets its chance as well.
    let first = match timeout_at(start + timeout / 2, attempt(v4)).await {
        Ok(Ok(stream)) => return Ok(stream),
        failure => failure,
    };
    match timeout_at(start + timeout, attempt(v6)).await {
        Ok(Ok(stream)) => Ok(stream),
        second => Err(reason([(v4, &first), (v6, &second)], timeout)),
    }
}

async fn attempt(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // Where nobody listens, the kernel may pick that very port for our end: we would talk to ourselves.
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}

type Outcome = Result<io::Result<TcpStream>, Elapsed>;

fn reason(outcomes: [(SocketAddr, &Outcome); 2], timeout: Duration) -> String {
    let mut refused = Vec::new();
    let mut other = None;
    for (address, outcome) in outcomes {
        match outcome {
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                refused.push(address.to_string());
            }
            // A machine without IPv6 is no news.
            Ok(Err(_)) if address.is_ipv6() && !refused.is_empty() => {}
            Ok(Err(error)) => {
                other.get_or_insert_with(|| format!("cannot connect to {address}: {error}"));
            }
            Ok(Ok(_)) => {}
            Err(Elapsed { .. }) => {
                other.get_or_insert_with(|| super::no_answer(timeout));
            }
        }
    }
    other.unwrap_or_else(|| format!("connection refused on {}", refused.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(5);

    /// A port that is ours and that nobody listens on, as long as the socket lives.
    fn closed_port() -> (tokio::net::TcpSocket, u16) {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
        let port = socket.local_addr().expect("bound").port();
        (socket, port)
    }

    #[tokio::test]
    async fn a_listener_of_either_family_is_found() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = tokio::net::TcpListener::bind(address).await else { continue };
            let port = listener.local_addr().expect("bound").port();
            assert_eq!(tcp(port, LONG).await, Ok(()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_closed_port_is_refused_by_name() {
        let (_socket, port) = closed_port();
        let reason = tcp(port, LONG).await.expect_err("nobody listens");
        assert!(reason.starts_with(&format!("connection refused on 127.0.0.1:{port}")), "{reason}");
    }

    #[tokio::test]
    async fn a_listener_that_takes_no_more_is_no_answer() {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
        let listener = socket.listen(0).expect("listens");
        let address = listener.local_addr().expect("bound");
        let mut queue = Vec::new();
        while let Ok(stream) =
            tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
        {
            queue.push(stream.expect("queued"));
        }
        let reason = tcp(address.port(), Duration::from_millis(100)).await.expect_err("full");
        assert_eq!(reason, "no answer within 100 ms");
    }
}
