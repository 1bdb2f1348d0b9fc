//! The way in and out: who calls, with which privileges, and what of the caller's surroundings is shed.

use std::os::{fd::RawFd, unix::process::CommandExt as _};
use std::{env, fs, io, process::Command};

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::socket::{SockType, UnixAddr, getsockname, getsockopt, sockopt};
use nix::sys::{prctl, stat, statvfs};
use nix::unistd::{self, Gid, ResGid, ResUid, Uid};

use crate::{Done, must, place};

/// Who calls: the real ids, and nothing else that is said of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) uid: Uid,
    gid: Gid,
}

/// Where the request comes in, and the reply goes out.
pub(crate) const SOCKET: RawFd = 0;

impl Caller {
    pub(crate) fn real() -> Self {
        Self { uid: Uid::current(), gid: Gid::current() }
    }

    /// Root itself, or on root's list.
    pub(crate) fn check_allowed(self) -> Done {
        if self.uid.is_root() {
            return Ok(());
        }
        let list = place::read("/etc/locald", "allowed-uids")?.unwrap_or_default();
        let listed = crate::request::allowed(&list)?.contains(&self.uid.as_raw());
        Ok(must(listed, "you may not use it: see `sudo locald admin setup`")?)
    }

    /// The request comes from the caller itself, and never from a place that could be looked up.
    pub(crate) fn check_socket(self) -> Done {
        let stdin = io::stdin();
        let peer = getsockopt(&stdin, sockopt::PeerCredentials);
        let good = getsockname::<UnixAddr>(SOCKET).is_ok()
            && getsockopt(&stdin, sockopt::SockType) == Ok(SockType::SeqPacket)
            && peer.is_ok_and(|peer| peer.uid() == self.uid.as_raw());
        Ok(must(good, "standard input is not a SEQPACKET socket of yours")?)
    }

    /// Root with all ids: so that the caller can neither signal nor trace us, and helpers see no difference.
    pub(crate) fn become_root(self) -> Done {
        let root = Self { uid: Uid::from_raw(0), gid: Gid::from_raw(0) };
        root.take_over(!self.uid.is_root())?;
        prctl::set_dumpable(false).map_err(said("become undumpable"))
    }

    /// Takes these ids, and perhaps no groups.
    fn take_over(self, no_groups: bool) -> Done {
        if no_groups {
            unistd::setgroups(&[]).map_err(said("drop the groups"))?;
        }
        unistd::setresgid(self.gid, self.gid, self.gid).map_err(said("change the group"))?;
        unistd::setresuid(self.uid, self.uid, self.uid).map_err(said("change the user"))
    }

    /// The caller with all ids, for good; whoever cannot be sure of it must say nothing more.
    pub(crate) fn drop_for_good(self) -> Done {
        if self.uid.is_root() {
            return Ok(());
        }
        self.take_over(Uid::effective().is_root())?;
        let (Self { uid, gid }, left) = (self, rustix::thread::capabilities(None));
        let dropped = unistd::getresuid() == Ok(ResUid { real: uid, effective: uid, saved: uid })
            && unistd::getresgid() == Ok(ResGid { real: gid, effective: gid, saved: gid })
            && unistd::setresuid(uid, Uid::from_raw(0), uid).is_err()
            && left.is_ok_and(|left| (left.effective | left.permitted).is_empty());
        Ok(must(dropped, "privileges are left")?)
    }
}

/// Begins anew without an environment: there is no other way to be rid of it that is not unsafe code.
pub(crate) fn forget_environment() -> Done {
    if env::vars_os().next().is_none() {
        return Ok(());
    }
    #[expect(clippy::disallowed_methods, reason = "it becomes it, and leaves no child")]
    let mut again = Command::new("/proc/self/exe");
    let error = again.args(env::args_os().skip(1).take(3)).env_clear().exec();
    Err(said("drop its environment")(error))
}

/// Why we are not root although the file should make us so.
pub(crate) fn why_not_root() -> &'static str {
    if prctl::get_no_new_privs() == Ok(true) {
        return "it is not root: its caller has given up new privileges (no_new_privs)";
    }
    let system = statvfs::statvfs("/proc/self/exe");
    if system.is_ok_and(|system| system.flags().contains(statvfs::FsFlags::ST_NOSUID)) {
        return "it is not root: its file system is mounted with nosuid";
    }
    "it is not root: its file is not owned by root with mode 4755, or somebody traces it"
}

/// Sheds all that a caller can hand down but ids, standard descriptors and the socket.
pub(crate) fn shed() -> Done {
    prctl::set_dumpable(false).map_err(said("become undumpable"))?;
    stat::umask(stat::Mode::from_bits_truncate(0o022));
    env::set_current_dir("/").map_err(said("go to /"))?;
    signals()?;
    limits()?;
    descriptors()?;
    // A second time, longer, where a helper runs.
    unistd::alarm::set(10);
    Ok(())
}

/// Nothing but the alarm interrupts us: no terminal, no job control. Helpers start without a mask.
fn signals() -> Done {
    let mut blocked = SigSet::all();
    blocked.remove(Signal::SIGALRM);
    blocked.thread_set_mask().map_err(said("mask signals"))?;
    // To reset a disposition takes unsafe code; those that matter are refused, and helpers have theirs reset.
    let status = fs::read_to_string("/proc/self/status").map_err(said("read /proc/self/status"))?;
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let bit = |signal: Signal| 1 << (signal as u32 - 1);
    let fatal = bit(Signal::SIGALRM) | bit(Signal::SIGCHLD);
    let none = ignored.is_some_and(|ignored| ignored & fatal == 0);
    Ok(must(none, "its caller ignores SIGALRM or SIGCHLD")?)
}

/// What we want, and what will do where root may not raise a limit of its own (in a container).
fn limits() -> Done {
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
            must(hard >= least, "a resource limit of its caller is too low")?;
            setrlimit(limit, hard, hard).map_err(said("reset the resource limits"))?;
        }
    }
    Ok(())
}

/// Standard descriptors are open: the runtime opens those that are not before `main`, or ends the process.
fn descriptors() -> Done {
    let list = fs::read_dir("/proc/self/fd").map_err(said("read /proc/self/fd"))?;
    let number = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    // The list itself is closed before they are.
    for fd in list.filter_map(number).collect::<Vec<RawFd>>() {
        let _closed = (fd > 2).then(|| unistd::close(fd));
    }
    Ok(())
}

/// For `map_err`: what cannot be done, and why.
pub(crate) fn said<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> String + '_ {
    move |error| format!("cannot {what}: {error}")
}
