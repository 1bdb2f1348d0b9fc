//! What can be found on a machine, before anybody judges it.

use std::path::PathBuf;

/// All of it.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The release of the client.
    pub release: String,
    /// The daemon.
    pub daemon: Daemon,
    /// The setuid helper.
    pub shim: Shim,
    /// Where the proxy wants to listen: HTTP, HTTPS.
    pub doors: [Door; 2],
    /// What names lead to.
    pub names: Names,
    /// The CA.
    pub ca: Ca,
    /// Who trusts it.
    pub stores: Vec<Store>,
    /// What the kernel allows for watching files.
    pub inotify: Inotify,
    /// The descriptors that a process may have; none: as many as it likes.
    pub descriptors: Option<u64>,
    /// The file systems that locald writes to.
    pub disks: Vec<Disk>,
    /// The folders that hold what is nobody else's business.
    pub folders: Vec<Folder>,
    /// What groups of processes there are.
    pub cgroup: Cgroup,
    /// Programs of others.
    pub tools: Tools,
    /// The global configuration that cannot be used.
    pub global: Option<Wrong>,
    /// The project of the working folder.
    pub project: Project,
}

/// The daemon.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Daemon {
    /// There is none.
    Absent,
    /// It does not answer, or nothing that makes sense; in words.
    Unusable(String),
    /// It runs.
    Runs {
        /// Its process.
        pid: i32,
        /// Its release.
        release: String,
        /// The process that keeps it alive.
        heart: Option<i32>,
    },
}

/// The setuid helper.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Shim {
    /// It has not been installed.
    Absent,
    /// It is there and of no use; in words.
    Unfit(String),
    /// It fits, and is not for this user.
    NotForUs,
    /// It fits; its release.
    Fits(String),
}

/// A port of the proxy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Door {
    /// The id of the check.
    pub id: &'static str,
    /// What is spoken there.
    pub what: &'static str,
    /// The port that is configured; 0: any.
    pub wanted: u16,
    /// Where the daemon listens, if one runs and does.
    pub taken: Option<u16>,
    /// Who has the wanted one.
    pub state: Bind,
}

/// What came of listening on a port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Bind {
    /// It is free, and we may.
    Free,
    /// It is free, and only root may.
    Denied,
    /// Somebody listens there: pid and command, where the system tells.
    Held(Option<(i32, String)>),
    /// Anything else; in words.
    Failed(String),
}

/// What the system makes of names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Names {
    /// Of any name below `localhost`.
    pub any: Lookup,
    /// Of the names of what runs.
    pub running: Vec<(String, Lookup)>,
    /// Configured top-level domains.
    pub tlds: Vec<String>,
}

/// What the system makes of a name (`getaddrinfo`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Lookup {
    /// This machine.
    Here,
    /// Another address.
    Elsewhere(String),
    /// It does not know it.
    Unknown,
    /// It takes too long.
    Late,
}

/// The CA.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ca {
    /// There is none yet.
    Absent,
    /// It cannot be used: a sentence, and what mends it.
    Bad {
        /// Why.
        why: String,
        /// The command.
        fix: String,
    },
    /// It is good.
    Good {
        /// What it signs for.
        domains: Vec<String>,
        /// Days for which it will be.
        days: u64,
        /// Configured domains that it does not sign for.
        missing: Vec<String>,
        /// The command that makes a new one.
        afresh: String,
    },
}

/// A store of roots.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Store {
    /// `system`, `Chromium`, `Firefox`.
    pub name: String,
    /// Whether it trusts the CA.
    pub trust: Trust,
}

/// What a store makes of the CA.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trust {
    /// It trusts it.
    Yes,
    /// It does not.
    No,
    /// Nobody needs it; in words.
    NotNeeded(String),
    /// It cannot be said; in words.
    Unknown(String),
}

/// What the kernel allows for watching files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Inotify {
    /// Watchers of a user: one per project.
    pub instances: Option<u64>,
    /// Watched folders of a user.
    pub watches: Option<u64>,
    /// Why there can be no further watcher now.
    pub refused: Option<String>,
}

/// A file system that locald writes to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Disk {
    /// A folder there.
    pub path: PathBuf,
    /// Free for us, in bytes.
    pub free: u64,
}

/// A folder that nobody else may look into.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// Its permissions.
    pub mode: u32,
    /// Whose it is, unless ours.
    pub stranger: Option<u32>,
}

/// What groups of processes there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cgroup {
    /// None, or only the first version of them.
    Old,
    /// The second version, and ours is not ours to divide.
    Closed,
    /// The second version, and we may make groups.
    Delegated,
}

/// Programs of others.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tools {
    /// Where Postgres was found: the folders of its programs.
    pub postgres: Vec<PathBuf>,
    /// The package by which locald would fetch it; none if there is none for this platform.
    pub package: Option<String>,
    /// Build tools and languages that were found, by name.
    pub found: Vec<&'static str>,
    /// Programs that the project's commands name and that are not there.
    pub missing: Vec<String>,
    /// What installs programs here.
    pub installer: Option<&'static str>,
}

/// A configuration that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wrong {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, one sentence.
    pub why: String,
}

/// The project of the working folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Project {
    /// There is none.
    None,
    /// Its configuration is valid.
    Good {
        /// Its name.
        name: String,
        /// How many services it has.
        services: usize,
    },
    /// It is not.
    Bad(Wrong),
}
