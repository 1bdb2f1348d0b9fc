//! `trust`: a file in the folder of the system's store, and the helper that makes the store of it.

use std::ffi::{CString, OsString};
use std::fs::{self, File};
use std::os::{fd::AsRawFd as _, unix::ffi::OsStrExt as _};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::fcntl::OFlag;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, alarm};

use crate::entry::{Caller, said};
use crate::{Done, Reply, cert, must, place, request};

/// How a family of distributions does it, as folder, suffix and helper: Fedora; Arch; openSUSE; Debian and
/// Alpine, whose folder others have, too.
const STORES: [(&str, &str, &str); 4] = [
    ("/etc/pki/ca-trust/source/anchors", "pem", "update-ca-trust"),
    ("/etc/ca-certificates/trust-source/anchors", "pem", "update-ca-trust"),
    ("/etc/pki/trust/anchors", "pem", "update-ca-certificates"),
    ("/usr/local/share/ca-certificates", "crt", "update-ca-certificates"),
];
/// Roots of one user.
const MOST: usize = 8;
/// Pauses of 50 ms that a helper may take, and in seconds what all may take with a way back.
const PATIENCE: usize = 50 * 20;
const ALL: u32 = 110;

/// A store with the program that was found for it.
struct Found {
    folder: File,
    suffix: &'static str,
    helper: String,
}

/// Adds a root; takes it out again if the helper fails.
pub(crate) fn install(caller: Caller, der: &[u8]) -> Done<Reply> {
    #[expect(clippy::disallowed_methods, reason = "the shim has no other clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(said("read the clock"))?;
    cert::check(der, &tlds()?, now.as_secs())
        .map_err(|why| format!("the certificate is refused: {why}"))?;
    alarm::set(ALL);
    let _lock = place::lock()?;
    let found = find()?;
    let name = found.name(caller, &cert::fingerprint(der));
    let few = found.count(caller, &name)? < MOST;
    must(few, "there are too many roots of yours: uninstall some")?;
    place::replace(&found.folder, &name, cert::pem(der).as_bytes(), None)?;
    found.run(None).map_err(|why| match found.remove(&name) {
        Ok(()) => why,
        Err(also) => format!("{why}; nor can it be taken back: {also}"),
    })?;
    Ok(Reply::default())
}

/// Takes out a root of the caller's.
pub(crate) fn uninstall(caller: Caller, body: &[u8]) -> Done<Reply> {
    let fingerprint = request::fingerprint(body)?;
    alarm::set(ALL);
    let _lock = place::lock()?;
    let found = find()?;
    let name = found.name(caller, fingerprint);
    place::open(&found.folder, &name)?.ok_or("there is no such root of yours")?;
    found.remove(&name)?;
    Ok(Reply::default())
}

/// The domains that root allows.
pub(crate) fn tlds() -> Done<Vec<String>> {
    let list = place::read("/etc/locald", "allowed-tlds")?.unwrap_or_default();
    Ok(request::tlds(&list)?)
}

fn find() -> Done<Found> {
    for (at, suffix, program) in STORES {
        // Folders that are links lead to others of the list.
        let Ok(folder) = place::folder(at) else { continue };
        for dir in ["/usr/sbin", "/usr/bin"] {
            if let Ok(Some(_)) = place::folder(dir).and_then(|dir| place::open(&dir, program)) {
                return Ok(Found { folder, suffix, helper: format!("{dir}/{program}") });
            }
        }
    }
    Err("this system has no store that is known and that only root can change".to_owned())
}

impl Found {
    fn name(&self, caller: Caller, fingerprint: &str) -> String {
        format!("{}{fingerprint}.{}", prefix(caller), self.suffix)
    }

    /// Roots of the caller's other than this.
    fn count(&self, caller: Caller, but: &str) -> Done<usize> {
        let list = fs::read_dir(format!("/proc/self/fd/{}", self.folder.as_raw_fd()));
        let names = list.map_err(said("read the folder of roots"))?.flatten();
        let ours = |name: &OsString| name.as_bytes().starts_with(prefix(caller).as_bytes());
        Ok(names.map(|entry| entry.file_name()).filter(|name| ours(name) && name != but).count())
    }

    fn remove(&self, name: &str) -> Done {
        place::remove(&self.folder, name)?;
        // Not each of these programs knows the option, and some need it.
        self.run(Some("--fresh")).or_else(|_| self.run(None))
    }

    /// Runs the helper: as root in all ids, with nothing of the caller's, for a limited time, silent.
    fn run(&self, option: Option<&str>) -> Done {
        let helper = &self.helper;
        let child = self.spawn(option).map_err(said(&format!("run {helper}")))?;
        for _ in 0..PATIENCE {
            match waitpid(child, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => place::pause(),
                Ok(WaitStatus::Exited(_, 0)) => return Ok(()),
                Ok(WaitStatus::Exited(_, code)) => return Err(format!("{helper} exited {code}")),
                _ => return Err(format!("{helper} was killed")),
            }
        }
        let _gone = killpg(child, Signal::SIGKILL);
        let _reaped = waitpid(child, None);
        Err(format!("{helper} takes too long"))
    }

    fn spawn(&self, option: Option<&str>) -> nix::Result<Pid> {
        let mut actions = PosixSpawnFileActions::init()?;
        for fd in 0..=2 {
            actions.add_open(fd, "/dev/null", OFlag::O_RDWR, Mode::empty())?;
        }
        let mut attr = PosixSpawnAttr::init()?;
        let signals =
            PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK;
        attr.set_flags(signals | PosixSpawnFlags::POSIX_SPAWN_SETPGROUP)?;
        attr.set_sigdefault(&SigSet::all())?;
        attr.set_sigmask(&SigSet::empty())?;
        attr.set_pgroup(Pid::from_raw(0))?;
        let words = [Some(self.helper.as_str()), option].into_iter().flatten().map(CString::new);
        let words = words.collect::<Result<Vec<_>, _>>().map_err(|_| nix::Error::EINVAL)?;
        let env = [c"PATH=/usr/sbin:/usr/bin:/sbin:/bin", c"LC_ALL=C", c"HOME=/"];
        posix_spawn(self.helper.as_str(), &actions, &attr, &words, &env)
    }
}

fn prefix(caller: Caller) -> String {
    format!("locald-{}-", caller.uid)
}
