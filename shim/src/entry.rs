//! The way in and out: who calls, with which privileges, and what of the caller's surroundings is shed.

use std::{fs, io, os::fd::RawFd};

use nix::{
    libc,
    sys::{
        prctl,
        resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit},
        signal::{SigSet, SigmaskHow, Signal, sigprocmask},
        socket::{SockType, UnixAddr, getsockname, getsockopt, sockopt},
        stat::{Mode, umask},
        statvfs::{FsFlags, statvfs},
    },
    unistd::{
        Gid, Uid, alarm, chdir, close, geteuid, getgid, getresgid, getresuid, getuid, setgroups,
        setresgid, setresuid,
    },
};

use crate::place;

/// Who calls: the real ids, and nothing else that is said of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) uid: Uid,
    gid: Gid,
}

/// Where the request comes in, and the reply goes out.
pub(crate) const SOCKET: RawFd = libc::STDIN_FILENO;

impl Caller {
    pub(crate) fn real() -> Self {
        Self { uid: getuid(), gid: getgid() }
    }

    /// Root itself, or on root's list.
    pub(crate) fn check_allowed(self) -> Result<(), String> {
        if self.uid.is_root() {
            return Ok(());
        }
        let listed = match place::read("/etc/locald", "allowed-uids")? {
            Some(list) => locald_shim::request::allowed(&list)?.contains(&self.uid.as_raw()),
            None => false,
        };
        let why = "you may not use it: see `sudo locald admin setup`";
        if listed { Ok(()) } else { Err(why.to_owned()) }
    }

    /// The request comes from the caller itself, and never from a place that could be looked up.
    pub(crate) fn check_socket(self) -> Result<(), String> {
        let stdin = io::stdin();
        let is = |good: bool| {
            let why = "standard input is not a SEQPACKET socket of yours";
            if good { Ok(()) } else { Err(why.to_owned()) }
        };
        let address = getsockname::<UnixAddr>(SOCKET);
        let kind = getsockopt(&stdin, sockopt::SockType);
        is(address.is_ok() && kind == Ok(SockType::SeqPacket))?;
        let peer = getsockopt(&stdin, sockopt::PeerCredentials);
        is(peer.is_ok_and(|peer| peer.uid() == self.uid.as_raw()))
    }

    /// Root with all ids: so that the caller can neither signal nor trace us, and helpers see no difference.
    pub(crate) fn become_root(self) -> Result<(), String> {
        let root = (Uid::from_raw(0), Gid::from_raw(0));
        if !self.uid.is_root() {
            setgroups(&[]).map_err(said("drop the groups"))?;
        }
        setresgid(root.1, root.1, root.1).map_err(said("become the group of root"))?;
        setresuid(root.0, root.0, root.0).map_err(said("become root"))?;
        prctl::set_dumpable(false).map_err(said("become undumpable"))
    }

    /// The caller with all ids, for good; whoever cannot be sure of it must say nothing more.
    pub(crate) fn drop_for_good(self) -> Result<(), String> {
        if self.uid.is_root() {
            return Ok(());
        }
        if geteuid().is_root() {
            setgroups(&[]).map_err(said("drop the groups"))?;
        }
        setresgid(self.gid, self.gid, self.gid).map_err(said("drop the group"))?;
        setresuid(self.uid, self.uid, self.uid).map_err(said("drop the user"))?;
        let (user, group) = (getresuid().map_err(said("ask"))?, getresgid().map_err(said("ask"))?);
        let left = rustix::thread::capabilities(None).map_err(said("ask"))?;
        let dropped = [user.real, user.effective, user.saved].iter().all(|uid| *uid == self.uid)
            && [group.real, group.effective, group.saved].iter().all(|gid| *gid == self.gid)
            && setresuid(self.uid, Uid::from_raw(0), self.uid).is_err()
            && (left.effective | left.permitted).is_empty();
        if dropped { Ok(()) } else { Err("privileges are left".to_owned()) }
    }
}

/// Why we are not root although the file should make us so.
pub(crate) fn why_not_root() -> &'static str {
    if prctl::get_no_new_privs() == Ok(true) {
        return "it is not root: its caller has given up new privileges (no_new_privs)";
    }
    match statvfs("/proc/self/exe") {
        Ok(system) if system.flags().contains(FsFlags::ST_NOSUID) => {
            "it is not root: its file system is mounted with nosuid"
        }
        _ => "it is not root: its file is not owned by root with mode 4755, or somebody traces it",
    }
}

/// Sheds all that a caller can hand down but ids, standard descriptors and the socket.
pub(crate) fn shed() -> Result<(), String> {
    prctl::set_dumpable(false).map_err(said("become undumpable"))?;
    umask(Mode::from_bits_truncate(0o022));
    chdir("/").map_err(said("go to /"))?;
    signals()?;
    limits()?;
    descriptors()?;
    // A second time, longer, where a helper runs.
    alarm::set(10);
    Ok(())
}

/// Nothing but the alarm interrupts us: no terminal, no job control. Helpers start without a mask.
fn signals() -> Result<(), String> {
    let mut blocked = SigSet::all();
    blocked.remove(Signal::SIGALRM);
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&blocked), None).map_err(said("mask signals"))?;
    // To reset a disposition takes unsafe code; those that matter are refused, and helpers have theirs reset.
    let status = fs::read_to_string("/proc/self/status").map_err(said("read /proc/self/status"))?;
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let bit = |signal: Signal| 1 << (signal as u32 - 1);
    let fatal = bit(Signal::SIGALRM) | bit(Signal::SIGCHLD);
    match ignored {
        Some(ignored) if ignored & fatal == 0 => Ok(()),
        _ => Err("its caller ignores SIGALRM or SIGCHLD".to_owned()),
    }
}

/// What we want, and what will do where root may not raise a limit of its own (in a container).
fn limits() -> Result<(), String> {
    let all = [
        (Resource::RLIMIT_CORE, 0, 0),
        (Resource::RLIMIT_NOFILE, 256, 64),
        (Resource::RLIMIT_FSIZE, RLIM_INFINITY, 64 << 20),
        (Resource::RLIMIT_CPU, RLIM_INFINITY, 300),
        (Resource::RLIMIT_AS, RLIM_INFINITY, 1 << 30),
        (Resource::RLIMIT_DATA, RLIM_INFINITY, 1 << 30),
        (Resource::RLIMIT_NPROC, RLIM_INFINITY, 256),
    ];
    for (limit, wanted, least) in all {
        if setrlimit(limit, wanted, wanted).is_err() {
            let (_, hard) = getrlimit(limit).map_err(said("read a resource limit"))?;
            if hard < least {
                return Err("a resource limit of its caller is too low".to_owned());
            }
            setrlimit(limit, hard, hard).map_err(said("reset the resource limits"))?;
        }
    }
    Ok(())
}

/// Standard descriptors are open: the runtime opens those that are not before `main`, or ends the process.
fn descriptors() -> Result<(), String> {
    let list = fs::read_dir("/proc/self/fd").map_err(said("read /proc/self/fd"))?;
    let number = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    let open: Vec<RawFd> = list.filter_map(number).collect();
    for fd in open.into_iter().filter(|fd| *fd > libc::STDERR_FILENO) {
        // The list itself is closed already.
        let _closed = close(fd);
    }
    Ok(())
}

/// For `map_err`: what cannot be done, and why.
pub(crate) fn said<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> String + '_ {
    move |error| format!("cannot {what}: {error}")
}
