//! Whose program is at the other end of a local TCP connection.

use std::{fs, net::SocketAddr};

use nix::unistd::geteuid;

/// `TIME_WAIT` in `/proc/net/tcp`: such a row belongs to nobody any more.
const REMEMBERED: &str = "06";

/// Whether the program that has connected from `client` to our `server` is neither ours nor root's, or
/// it cannot be told whose it is. Reads a table of the kernel: for a thread that may block.
pub fn is_stranger(client: SocketAddr, server: SocketAddr) -> bool {
    let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
    let tables = tables.iter().filter_map(|table| fs::read_to_string(table).ok());
    let text: String = tables.collect::<Vec<_>>().concat();
    let owners = owners(&text, client.port(), server.port());
    let ours = [geteuid().as_raw(), 0];
    owners.is_empty() || owners.iter().any(|owner| !ours.contains(owner))
}

/// The users of all sockets with these two ports: of loopback addresses there are many, so that there
/// may be more than one.
fn owners(text: &str, client: u16, server: u16) -> Vec<u32> {
    let rows = text.lines().filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let mut port = |nth| {
            let (_, port) = fields.nth(nth)?.rsplit_once(':')?;
            u16::from_str_radix(port, 16).ok()
        };
        let ports = (port(1)?, port(0)?);
        let state = fields.next()?;
        let owner = fields.nth(3)?.parse().ok()?;
        (ports == (client, server) && state != REMEMBERED).then_some(owner)
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn ours_is_no_stranger_and_who_has_gone_is() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (client, server) = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
        assert!(!is_stranger(client, server));
        let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
        assert!(is_stranger(nobody, server));
    }

    #[test]
    fn each_owner_of_such_a_connection_counts() {
        let row = |local: &str, remote: &str, state: &str, uid: u32| {
            format!(
                "   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000  {uid}        0 31 1 0 20 4 30 10 -1\n"
            )
        };
        let text = [
            "  sl  local_address rem_address   st tx_queue\n".to_owned(),
            row("0100007F:1F90", "0100007F:01BB", "01", 1000),
            row("0200007F:1F90", "0100007F:01BB", "01", 1001),
            row("0100007F:01BB", "0100007F:1F90", "01", 7),
            row("0300007F:1F90", "0100007F:01BB", "06", 0),
            row("0100007F:1F91", "0100007F:01BB", "01", 8),
        ];
        assert_eq!(owners(&text.concat(), 0x1f90, 443), [1000, 1001]);
    }
}
