//! What the kernel and the disk allow, and whom.

use super::{
    Check,
    facts::{Cgroup, Disk, Facts, Folder, Inotify},
};

/// Projects at a time; editors have some, too.
const INSTANCES: u64 = 64;
/// Folders of a handful of large projects.
const WATCHES: u64 = 16_384;
/// Some hundreds of services, three each.
const DESCRIPTORS: u64 = 4096;
/// What the daemon has itself.
const FEWEST: u64 = 256;
const MIB: u64 = 1 << 20;
/// Logs of a busy day; then what a state file and a log need to be written at all.
const ROOM: u64 = 1024 * MIB;
const LEAST: u64 = 64 * MIB;

pub(super) fn judge(facts: &Facts) -> [Check; 6] {
    [
        instances(&facts.inotify),
        watches(&facts.inotify),
        descriptors(facts.descriptors),
        disk(&facts.disks),
        folders(&facts.folders),
        cgroup(facts.cgroup),
    ]
}

fn instances(inotify: &Inotify) -> Check {
    const ID: &str = "inotify-instances";
    const FIX: &str = "sudo sysctl fs.inotify.max_user_instances=1024";
    match inotify {
        Inotify { refused: Some(why), .. } => {
            Check::critical(ID, format!("edits cannot be noticed: {why}"), FIX)
        }
        Inotify { instances: Some(most), .. } if *most < INSTANCES => Check::warning(
            ID,
            format!("{most} programs of yours may watch files, and each project is one"),
            FIX,
        ),
        Inotify { instances, .. } => {
            Check::ok(ID, format!("{} programs of yours may watch files", number(*instances)))
        }
    }
}

fn watches(inotify: &Inotify) -> Check {
    const ID: &str = "inotify-watches";
    match inotify.watches {
        Some(most) if most < WATCHES => Check::warning(
            ID,
            format!("{most} folders may be watched, and large projects have more"),
            "sudo sysctl fs.inotify.max_user_watches=524288",
        ),
        most => Check::ok(ID, format!("{} folders may be watched", number(most))),
    }
}

fn number(most: Option<u64>) -> String {
    most.map_or_else(|| "as many as you like".to_owned(), |most| most.to_string())
}

fn descriptors(most: Option<u64>) -> Check {
    const ID: &str = "descriptors";
    const FIX: &str = "echo '* hard nofile 65536' | sudo tee /etc/security/limits.d/90-locald.conf";
    match most {
        Some(most) if most < FEWEST => {
            Check::critical(ID, format!("a process may have no more than {most} files open"), FIX)
        }
        Some(most) if most < DESCRIPTORS => Check::warning(
            ID,
            format!("a process may have {most} files open, too few for hundreds of services"),
            FIX,
        ),
        most => Check::ok(ID, format!("a process may have {} files open", number(most))),
    }
}

/// The fullest counts.
fn disk(disks: &[Disk]) -> Check {
    const ID: &str = "disk";
    let Some(Disk { path, free }) = disks.iter().min_by_key(|disk| disk.free) else {
        return Check::info(ID, "nothing has been written yet");
    };
    let what = format!("{} MiB are free for {}", free / MIB, path.display());
    let fix = format!("du -xh '{}' | sort -h | tail", path.display());
    match *free {
        LEAST.. if *free >= ROOM => Check::ok(ID, what),
        LEAST.. => Check::warning(ID, format!("only {what}"), fix),
        _ => Check::critical(ID, format!("only {what}"), fix),
    }
}

fn folders(folders: &[Folder]) -> Check {
    const ID: &str = "folders";
    for Folder { path, mode, stranger } in folders {
        let path = path.display();
        if let Some(uid) = stranger {
            let what = format!("{path} belongs to user {uid}");
            return Check::critical(ID, what, format!("sudo chown -R \"$(id -u)\" '{path}'"));
        }
        if mode & 0o077 != 0 {
            let what = format!("others may look into {path} (mode {mode:04o})");
            return Check::warning(ID, what, format!("chmod go= '{path}'"));
        }
    }
    Check::ok(ID, "nobody else can look into state, logs and keys")
}

fn cgroup(cgroup: Cgroup) -> Check {
    const ID: &str = "cgroup";
    match cgroup {
        Cgroup::Delegated => Check::ok(ID, "there is a cgroup of your own"),
        Cgroup::Closed => Check::info(
            ID,
            "no cgroup is delegated: processes are found by session, descent and environment",
        ),
        Cgroup::Old => Check::info(
            ID,
            "there is no cgroup v2: processes are found by session, descent and environment",
        ),
    }
}
