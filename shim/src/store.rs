//! `trust`: a file in the folder of the system's store, and the helper that makes the store of it.

use std::{
    ffi::CString,
    os::fd::OwnedFd,
    time::{SystemTime, UNIX_EPOCH},
};

use locald_shim::{cert, request};
use nix::{
    dir::Dir,
    fcntl::OFlag,
    libc,
    spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn},
    sys::{
        signal::{SigSet, Signal, killpg},
        stat::Mode,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, UnlinkatFlags, alarm, unlinkat},
};

use crate::{
    entry::{Caller, said},
    place::{self, folder},
};

/// How a family of distributions does it.
struct Store {
    folder: &'static str,
    suffix: &'static str,
    helper: &'static str,
    add: &'static [&'static str],
    remove: &'static [&'static str],
}

/// Fedora; Arch; openSUSE; Debian and Alpine, whose folder others have, too.
const STORES: [Store; 4] = [
    Store {
        folder: "/etc/pki/ca-trust/source/anchors",
        suffix: "pem",
        helper: "update-ca-trust",
        add: &["extract"],
        remove: &["extract"],
    },
    Store {
        folder: "/etc/ca-certificates/trust-source/anchors",
        suffix: "pem",
        helper: "update-ca-trust",
        add: &[],
        remove: &[],
    },
    Store {
        folder: "/etc/pki/trust/anchors",
        suffix: "pem",
        helper: "update-ca-certificates",
        add: &[],
        remove: &["--fresh"],
    },
    Store {
        folder: "/usr/local/share/ca-certificates",
        suffix: "crt",
        helper: "update-ca-certificates",
        add: &[],
        remove: &["--fresh"],
    },
];
const HELPERS: [&str; 2] = ["/usr/sbin", "/usr/bin"];
/// Roots of one user.
const MOST: usize = 8;
/// Pauses of 50 ms that a helper may take, and in seconds what all may take with a way back.
const PATIENCE: usize = 50 * 20;
const ALL: u32 = 110;

/// A store with the program that was found for it.
struct Found {
    store: &'static Store,
    folder: OwnedFd,
    helper: String,
}

/// Adds a root; takes it out again if the helper fails.
pub(crate) fn install(caller: Caller, der: &[u8]) -> Result<String, String> {
    #[expect(clippy::disallowed_methods, reason = "the shim has no other clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(said("read the clock"))?;
    let tlds = tlds()?;
    cert::check(der, &tlds, now.as_secs().cast_signed())
        .map_err(|why| format!("the certificate is refused: {why}"))?;
    alarm::set(ALL);
    let _lock = place::lock()?;
    let found = find()?;
    let name = found.name(caller, &cert::fingerprint(der));
    if found.count(caller, &name)? >= MOST {
        return Err("there are too many roots of yours: uninstall some".to_owned());
    }
    place::replace(&found.folder, &name, cert::pem(der).as_bytes(), None)?;
    found.run(found.store.add).map_err(|why| match found.remove(&name) {
        Ok(()) => why,
        Err(also) => format!("{why}; nor can it be taken back: {also}"),
    })?;
    Ok(String::new())
}

/// Takes out a root of the caller's.
pub(crate) fn uninstall(caller: Caller, body: &[u8]) -> Result<String, String> {
    let fingerprint = request::fingerprint(body)?;
    alarm::set(ALL);
    let _lock = place::lock()?;
    let found = find()?;
    let name = found.name(caller, fingerprint);
    if place::open(&found.folder, &name)?.is_none() {
        return Err("there is no such root of yours".to_owned());
    }
    found.remove(&name)?;
    Ok(String::new())
}

/// The domains that root allows.
pub(crate) fn tlds() -> Result<Vec<String>, String> {
    let list = place::read("/etc/locald", "allowed-tlds")?.unwrap_or_default();
    Ok(request::tlds(&list)?)
}

fn find() -> Result<Found, String> {
    for store in &STORES {
        // Folders that are links lead to others of the list.
        let helper = |dir: &&&'static str| {
            let file = folder(dir).and_then(|dir| place::open(dir, store.helper));
            file.is_ok_and(|file| file.is_some())
        };
        let (Some(dir), Ok(at)) = (HELPERS.iter().find(helper), folder(store.folder)) else {
            continue;
        };
        return Ok(Found { store, folder: at, helper: format!("{dir}/{}", store.helper) });
    }
    Err("this system has no store that is known and that only root can change".to_owned())
}

impl Found {
    fn name(&self, caller: Caller, fingerprint: &str) -> String {
        format!("{}{fingerprint}.{}", prefix(caller), self.store.suffix)
    }

    /// Roots of the caller's other than this.
    fn count(&self, caller: Caller, but: &str) -> Result<usize, String> {
        let again = self.folder.try_clone().map_err(said("copy a descriptor"))?;
        let mut dir = Dir::from_fd(again).map_err(said("read the folder of roots"))?;
        let ours = prefix(caller);
        let counts = |name: &[u8]| name.starts_with(ours.as_bytes()) && name != but.as_bytes();
        let names = dir.iter().filter_map(Result::ok);
        Ok(names.filter(|entry| counts(entry.file_name().to_bytes())).count())
    }

    fn remove(&self, name: &str) -> Result<(), String> {
        unlinkat(&self.folder, name, UnlinkatFlags::NoRemoveDir)
            .map_err(said("remove the root"))?;
        // Not each of these programs knows the option, and some need it.
        self.run(self.store.remove).or_else(|_| self.run(self.store.add))
    }

    /// Runs the helper: as root in all ids, with nothing of the caller's, for a limited time, silent.
    fn run(&self, args: &[&str]) -> Result<(), String> {
        let child = self.spawn(args).map_err(said(&format!("run {}", self.helper)))?;
        for _ in 0..PATIENCE {
            match waitpid(child, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => place::pause(),
                Ok(WaitStatus::Exited(_, 0)) => return Ok(()),
                Ok(WaitStatus::Exited(_, code)) => {
                    return Err(format!("{} exited {code}", self.helper));
                }
                _ => return Err(format!("{} was killed", self.helper)),
            }
        }
        let _gone = killpg(child, Signal::SIGKILL);
        let _reaped = waitpid(child, None);
        Err(format!("{} takes too long", self.helper))
    }

    fn spawn(&self, args: &[&str]) -> nix::Result<Pid> {
        let text = |text: &str| CString::new(text).map_err(|_| nix::Error::EINVAL);
        let mut actions = PosixSpawnFileActions::init()?;
        for fd in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
            actions.add_open(fd, "/dev/null", OFlag::O_RDWR, Mode::empty())?;
        }
        let mut attr = PosixSpawnAttr::init()?;
        attr.set_flags(
            PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF
                | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK
                | PosixSpawnFlags::POSIX_SPAWN_SETPGROUP,
        )?;
        attr.set_sigdefault(&SigSet::all())?;
        attr.set_sigmask(&SigSet::empty())?;
        attr.set_pgroup(Pid::from_raw(0))?;
        let words: Result<Vec<_>, _> =
            [self.helper.as_str()].iter().chain(args).copied().map(text).collect();
        let env = [c"PATH=/usr/sbin:/usr/bin:/sbin:/bin", c"LC_ALL=C", c"HOME=/"];
        posix_spawn(self.helper.as_str(), &actions, &attr, &words?, &env)
    }
}

fn prefix(caller: Caller) -> String {
    format!("locald-{}-", caller.uid)
}
