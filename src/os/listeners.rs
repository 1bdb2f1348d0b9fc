//! Who listens where, on TCP.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    os::unix::ffi::OsStrExt,
};

use super::proc;

/// A process that has a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its pid.
    pub pid: i32,
    /// Its command line.
    pub command: String,
}

/// Who listens on `port`; none when nobody does, or when the system does not tell us (another
/// user's process). Looks at every process, so it belongs on a blocking thread.
pub fn holder_of(port: u16) -> Option<Holder> {
    let inodes = listening();
    if !inodes.values().any(|listening| *listening == port) {
        return None;
    }
    let holds = |pid: &i32| sockets(*pid).any(|inode| inodes.get(&inode) == Some(&port));
    // A parent that passed its listener on has the lower number, and is the one to stop.
    let mut pids: Vec<i32> = proc::pids().ok()?.collect();
    pids.sort_unstable();
    let pid = pids.into_iter().find(holds)?;
    Some(Holder { pid, command: proc::command_line(pid) })
}

/// The ports on which any of `pids` listens. Blocking, but quick.
pub fn listening_ports(pids: impl IntoIterator<Item = i32>) -> BTreeSet<u16> {
    let inodes = listening();
    pids.into_iter().flat_map(sockets).filter_map(|inode| inodes.get(&inode).copied()).collect()
}

/// Whether everything the system knows about `port` is a connection that has ended and is only
/// remembered for late packets.
pub(super) fn only_remembered(port: u16) -> bool {
    let mut known = rows().into_iter().filter(|row| row.port == port).peekable();
    known.peek().is_some() && known.all(|row| row.state == State::TimeWait)
}

/// Whether anybody listens on `port`.
pub fn anybody_on(port: u16) -> bool {
    rows().iter().any(|row| row.port == port && row.state == State::Listen)
}

/// The port of each listening socket, by its inode.
fn listening() -> HashMap<u64, u16> {
    rows()
        .into_iter()
        .filter(|row| row.state == State::Listen)
        .map(|row| (row.inode, row.port))
        .collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Listen,
    TimeWait,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    port: u16,
    state: State,
    inode: u64,
}

/// Every TCP socket of our network namespace.
fn rows() -> Vec<Row> {
    ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| table.lines().skip(1).filter_map(parse_row).collect::<Vec<_>>())
        .collect()
}

fn parse_row(line: &str) -> Option<Row> {
    let mut fields = line.split_ascii_whitespace();
    let (_, port) = fields.nth(1)?.rsplit_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let state = match fields.nth(1)? {
        "0A" => State::Listen,
        "06" => State::TimeWait,
        _ => State::Other,
    };
    Some(Row { port, state, inode: fields.nth(5)?.parse().ok()? })
}

/// The inodes of the sockets that `pid` has; nothing when it is not ours to see.
fn sockets(pid: i32) -> impl Iterator<Item = u64> {
    fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().filter_map(|entry| {
        let target = fs::read_link(entry.ok()?.path()).ok()?;
        let inode = target.as_os_str().as_bytes().strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
        std::str::from_utf8(inode).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn rows_of_the_kernel() {
        let listen = "   0: 0100007F:1435 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31 1 0 100 0 0 10 0";
        assert_eq!(parse_row(listen), Some(Row { port: 5173, state: State::Listen, inode: 31 }));
        let six = "  10: 00000000000000000000000001000000:1436 00000000000000000000000001000000:1F90 06 00000000:00000000 03:00001738 00000000     0        0 0 3 00";
        assert_eq!(parse_row(six), Some(Row { port: 5174, state: State::TimeWait, inode: 0 }));
        assert_eq!(parse_row("  sl  local_address rem_address"), None);
    }

    #[test]
    fn we_hold_what_we_listen_on() {
        let me = i32::try_from(std::process::id()).unwrap();
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let port = listener.local_addr().unwrap().port();
            let holder = holder_of(port).unwrap();
            assert_eq!(holder, Holder { pid: me, command: proc::command_line(me) });
            assert!(listening_ports([me]).contains(&port));
            drop(listener);
            assert_eq!(holder_of(port), None);
            assert!(!listening_ports([me]).contains(&port));
        }
        assert!(listening_ports([i32::MAX]).is_empty());
    }
}
