//! What this machine has and allows, for `doctor`.

mod names;
mod programs;

use std::{
    fs,
    io::{self, ErrorKind},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use nix::unistd::{AccessFlags, access, geteuid};
use rustix::{
    fs::{inotify, statvfs},
    process::{Resource, getrlimit},
};

pub use self::{
    names::{ANY, look_up},
    programs::{missing, tools},
};
use super::listeners;
use crate::core::doctor::facts::{Bind, Cgroup, Disk, Folder, Inotify};

/// What would come of listening on a port.
pub fn door(port: u16) -> Bind {
    // The kernel looks at our rights before it looks at the port.
    let taken = || Bind::Held(listeners::holder_of(port).map(|it| (it.pid, it.command)));
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_free) => Bind::Free,
        Err(error) if error.kind() == ErrorKind::AddrInUse => taken(),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            if listeners::anybody_on(port) { taken() } else { Bind::Denied }
        }
        Err(error) => Bind::Failed(error.to_string()),
    }
}

/// The first port on which those may listen who are not root.
pub fn free_ports_from() -> u16 {
    let limit = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").ok();
    limit.and_then(|limit| limit.trim().parse().ok()).unwrap_or(1024)
}

/// What the kernel allows for watching files.
pub fn watching() -> Inotify {
    let limit = |name: &str| {
        // The second is that of a user namespace, which a container may be.
        let of = [format!("fs/inotify/max_user_{name}"), format!("user/max_inotify_{name}")];
        let read = |name: &String| {
            fs::read_to_string(format!("/proc/sys/{name}")).ok()?.trim().parse().ok()
        };
        of.iter().filter_map(read).min()
    };
    let refused = inotify::init(inotify::CreateFlags::CLOEXEC).err();
    Inotify {
        instances: limit("instances"),
        watches: limit("watches"),
        refused: refused.map(|error| io::Error::from(error).to_string()),
    }
}

/// How many descriptors a process can have; none: as many as it likes.
pub fn descriptors() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// The file system that holds `path`, or will.
pub fn disk(path: &Path) -> Option<Disk> {
    let path = path.ancestors().find(|path| path.is_dir())?;
    let system = statvfs(path).ok()?;
    Some(Disk { path: path.to_owned(), free: system.f_bavail.saturating_mul(system.f_frsize) })
}

/// Who may look into a folder; none where there is none.
pub fn folder(path: &Path) -> Option<Folder> {
    let data = fs::metadata(path).ok()?;
    let stranger = Some(data.uid()).filter(|uid| *uid != geteuid().as_raw());
    Some(Folder { path: path.to_owned(), mode: data.mode() & 0o7777, stranger })
}

/// What groups of processes we may make.
pub fn cgroup() -> Cgroup {
    let top = Path::new("/sys/fs/cgroup");
    let ours = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let ours = ours.lines().find_map(|line| line.strip_prefix("0::/"));
    match ours {
        Some(ours) if top.join("cgroup.controllers").exists() => {
            let ours = top.join(ours);
            let may = |path: &Path| access(path, AccessFlags::W_OK).is_ok();
            if may(&ours) && may(&ours.join("cgroup.procs")) {
                Cgroup::Delegated
            } else {
                Cgroup::Closed
            }
        }
        _ => Cgroup::Old,
    }
}
