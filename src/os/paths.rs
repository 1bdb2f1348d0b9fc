//! Where things are: the places of the contract, worked out from the environment.

mod folder;
#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf, absolute},
};

use nix::unistd::{User, geteuid};

pub use self::folder::{create_private_dir, create_run_dir};

/// What the kernel allows for the path of a Unix socket.
const SOCKET_PATH_LIMIT: usize = 107;

/// Every place that locald uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The global configuration. It need not exist.
    pub config_file: PathBuf,
    /// The CA, provisioned software and its data.
    pub data_dir: PathBuf,
    /// `state.json`, logs, and the daemon's log.
    pub state_dir: PathBuf,
    /// What a new daemon needs to know.
    pub state_file: PathBuf,
    /// One folder a project, one file a service.
    pub log_dir: PathBuf,
    /// The daemon's own log.
    pub daemon_log: PathBuf,
    /// The IPC socket.
    pub socket: PathBuf,
    /// The folder of the IPC socket and the notify sockets.
    pub run_dir: PathBuf,
}

/// Why a place cannot be known or used.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// `HOME` is not set and the user has no entry with one.
    #[error("cannot find the home folder of user {uid}: set HOME or LOCALD_HOME")]
    NoHome {
        /// The user.
        uid: u32,
    },
    /// The kernel would not take it.
    #[error(
        "the socket path {} has {} bytes, and the system allows {SOCKET_PATH_LIMIT}: \
         set LOCALD_SOCKET (or LOCALD_HOME) to a shorter path",
        .0.display(), .0.as_os_str().len()
    )]
    SocketPathTooLong(PathBuf),
    /// Somebody else could read or replace what is in it.
    #[error("will not use the folder {}: it belongs to user {owner}", path.display())]
    Foreign {
        /// The folder, or the link to it.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// A file, for example.
    #[error("{} is in the way: it is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// Anything else the system says.
    #[error("cannot use the folder {}: {source}", path.display())]
    System {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Places {
    /// The places for the user we run as, where `env` looks up environment variables.
    pub fn find(env: impl Fn(&str) -> Option<OsString>) -> Result<Self, PathError> {
        let user = geteuid();
        let of_user = || User::from_uid(user).ok().flatten().map(|user| user.dir);
        Self::work_out(&env, of_user).ok_or(PathError::NoHome { uid: user.as_raw() })?
    }

    /// None when a home folder is needed and there is none.
    fn work_out(
        env: &dyn Fn(&str) -> Option<OsString>,
        home_of_user: impl Fn() -> Option<PathBuf>,
    ) -> Option<Result<Self, PathError>> {
        let set = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        // The XDG specification: a relative path is invalid and to be ignored.
        let xdg = |name: &str| set(name).filter(|path| path.is_absolute());
        let under_home = |below: &str| {
            let home = set("HOME").filter(|path| path.is_absolute()).or_else(&home_of_user);
            Some(home.filter(|path| path.is_absolute())?.join(below))
        };
        let [config, data, state] = match set("LOCALD_HOME").map(whole) {
            Some(home) => ["config", "data", "state"].map(|name| home.join(name)),
            None => [
                xdg("XDG_CONFIG_HOME").or_else(|| under_home(".config"))?.join("locald"),
                xdg("XDG_DATA_HOME").or_else(|| under_home(".local/share"))?.join("locald"),
                xdg("XDG_STATE_HOME").or_else(|| under_home(".local/state"))?.join("locald"),
            ],
        };
        let socket = set("LOCALD_SOCKET")
            .or_else(|| Some(set("LOCALD_HOME")?.join("run/locald.sock")))
            .or_else(|| Some(xdg("XDG_RUNTIME_DIR")?.join("locald.sock")));
        let socket = socket.map_or_else(|| PathBuf::from("/tmp/locald.sock"), whole);
        if let Err(error) = check_socket_path(&socket) {
            return Some(Err(error));
        }
        Some(Ok(Self {
            config_file: config.join("config.toml"),
            data_dir: data,
            state_file: state.join("state.json"),
            log_dir: state.join("logs"),
            daemon_log: state.join("daemon.log"),
            state_dir: state,
            run_dir: socket.parent().unwrap_or_else(|| Path::new("/")).to_owned(),
            socket,
        }))
    }

    /// What a heart that had to stop everything leaves for the next command.
    pub fn last_word(&self) -> PathBuf {
        self.state_dir.join("last-word")
    }

    /// The folders of projects that live as long as the client that made them (`locald try`).
    pub fn scratch_dir(&self) -> PathBuf {
        self.state_dir.join("try")
    }

    /// Removes the notify sockets beside the IPC socket, except those `in_use`. Only for whoever has the
    /// daemon's lock, before it runs anything.
    pub fn remove_notify_sockets(&self, in_use: impl Fn(&Path) -> bool) -> io::Result<()> {
        let own = self.socket.file_name().unwrap_or_default().as_bytes();
        for entry in fs::read_dir(&self.run_dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let service = name.as_bytes().strip_prefix(own);
            let is_ones = |rest: &[u8]| rest.starts_with(b".") && rest.ends_with(b".notify");
            if service.is_some_and(is_ones) && !in_use(&entry.path()) {
                // In a folder for all it may be somebody else's.
                let _not_ours = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// Where the service `project`/`service` sends its notifications: beside the IPC socket, with
    /// a name that no other has; a digest where the names are too long for the kernel.
    pub fn notify_socket(&self, project: &str, service: &str) -> Result<PathBuf, PathError> {
        let of_daemon = self.socket.file_name().unwrap_or_default();
        let mut name = of_daemon.to_owned();
        // Names hold no dots, so that different ones stay different.
        name.push(format!(".{project}.{service}.notify"));
        let path = self.run_dir.join(&name);
        if check_socket_path(&path).is_ok() {
            return Ok(path);
        }
        // As long as "locald.sock": where that fits, this does.
        let path = self.run_dir.join(format!("n{}", digest(name.as_bytes())));
        check_socket_path(&path)?;
        Ok(path)
    }
}

/// Whether the kernel takes `path` as a socket's.
pub fn check_socket_path(path: &Path) -> Result<(), PathError> {
    if path.as_os_str().as_bytes().len() > SOCKET_PATH_LIMIT {
        return Err(PathError::SocketPathTooLong(path.to_owned()));
    }
    Ok(())
}

/// Relative to where we were started; later the daemon may be elsewhere.
fn whole(path: PathBuf) -> PathBuf {
    absolute(&path).unwrap_or(path)
}

/// Ten characters for any bytes: FNV-1a, the same in every version of locald.
fn digest(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    // The low bits alone mix badly.
    hash ^= hash >> 32;
    (0..10).map(|place| char::from(ALPHABET[(hash >> (5 * place) & 31) as usize])).collect()
}
