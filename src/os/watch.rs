//! Folders of files that are watched for changes: inotify, with its limits told in words.
//!
//! What is opened or read is not heard of, so a build that reads everything costs nothing here.

mod files;
mod tree;

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    fs, io,
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::{
    fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags},
    io::Errno,
};
use tokio::io::unix::AsyncFd;

pub use self::{
    files::Files,
    tree::{Ignores, Walk},
};
use super::watched;

/// So many bytes of news are read at once.
const ROOM: usize = 16 << 10;

/// Why something cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The user's limit of folders.
    #[error(
        "the system's limit of watched folders is reached ({}): raise it with `sysctl`, or ignore \
         folders in .gitignore",
        limit("watches")
    )]
    Folders,
    /// The user's limit of watchers, or a limit of descriptors.
    #[error(
        "the system's limit of file watchers is reached ({}): raise it with `sysctl`, or end other \
         programs that watch files",
        limit("instances")
    )]
    Watchers,
    /// Anything else.
    #[error("cannot watch {}: {source}", .path.display())]
    Other {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What was seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum What {
    /// Something was written, came or went.
    Changed,
    /// A folder came.
    Folder,
    /// Only who may read it, or its times.
    Attributes,
    /// The watched folder itself is gone from its place; it is not watched any more.
    Gone,
    /// More has happened than was heard of.
    Lost,
}

/// One piece of news.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The watched folder; none if news were lost.
    pub folder: Option<Arc<Path>>,
    /// In it; none: the folder itself.
    pub name: Option<OsString>,
    /// What.
    pub what: What,
}

/// Watched folders, none of them with those below it. Dropped, nothing is watched any more.
pub struct Folders {
    fd: AsyncFd<OwnedFd>,
    /// Several paths may lead to one folder.
    paths: HashMap<i32, Vec<Arc<Path>>>,
    numbers: HashMap<Arc<Path>, i32>,
}

impl Folders {
    /// Nothing is watched yet. Must be called within a tokio runtime.
    pub fn new() -> Result<Self, WatchError> {
        let refused = |error: io::Error| match error.raw_os_error() {
            Some(libc::EMFILE | libc::ENFILE) => WatchError::Watchers,
            _ => WatchError::Other { path: PathBuf::from("files"), source: error },
        };
        let fd = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
        let fd = fd.map_err(|error| refused(error.into()))?;
        let fd = watched::readable(fd).map_err(refused)?;
        Ok(Self { fd, paths: HashMap::new(), numbers: HashMap::new() })
    }

    /// Watches a folder. False: there is no such folder.
    pub fn add(&mut self, folder: &Arc<Path>) -> Result<bool, WatchError> {
        let what = WatchFlags::CLOSE_WRITE
            | WatchFlags::ATTRIB
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::EXCL_UNLINK
            | WatchFlags::ONLYDIR;
        let number = match inotify::add_watch(&self.fd, &**folder, what) {
            Ok(number) => number,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(false),
            Err(Errno::NOSPC) => return Err(WatchError::Folders),
            Err(error) => {
                return Err(WatchError::Other { path: folder.to_path_buf(), source: error.into() });
            }
        };
        match self.numbers.insert(folder.clone(), number) {
            Some(before) if before == number => return Ok(true),
            // Another folder is in its place now.
            Some(before) => self.forget(folder, before),
            None => {}
        }
        self.paths.entry(number).or_default().push(folder.clone());
        Ok(true)
    }

    /// Watches a folder no more.
    pub fn remove(&mut self, folder: &Path) {
        if let Some((folder, number)) = self.numbers.remove_entry(folder) {
            self.forget(&folder, number);
        }
    }

    /// How many are watched.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The next news; waits until there are some. Nothing is lost if it is not polled to its end.
    pub async fn next(&mut self) -> io::Result<Vec<Seen>> {
        loop {
            let mut ready = self.fd.readable().await?;
            let mut buffer = [MaybeUninit::uninit(); ROOM];
            let mut reader = Reader::new(ready.get_inner(), &mut buffer);
            let mut raw = Vec::new();
            loop {
                match reader.next() {
                    Ok(event) => {
                        let name = event.file_name();
                        let name = name.map(|name| OsStr::from_bytes(name.to_bytes()).to_owned());
                        raw.push((event.wd(), event.events(), name));
                    }
                    Err(Errno::INTR) => continue,
                    Err(Errno::AGAIN) => {
                        ready.clear_ready();
                        break;
                    }
                    Err(error) => return Err(error.into()),
                }
                if reader.is_buffer_empty() {
                    break;
                }
            }
            let seen: Vec<Seen> = raw
                .into_iter()
                .flat_map(|(number, flags, name)| self.seen(number, flags, name.as_ref()))
                .collect();
            if !seen.is_empty() {
                return Ok(seen);
            }
        }
    }

    fn seen(&mut self, number: i32, flags: ReadFlags, name: Option<&OsString>) -> Vec<Seen> {
        if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            return vec![Seen { folder: None, name: None, what: What::Lost }];
        }
        let Some(paths) = self.paths.get(&number).cloned() else { return Vec::new() };
        let gone =
            ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED | ReadFlags::UNMOUNT;
        let came = ReadFlags::CREATE | ReadFlags::MOVED_TO;
        let what = if flags.intersects(gone) {
            for path in &paths {
                self.remove(path);
            }
            What::Gone
        } else if flags.contains(ReadFlags::ISDIR) && flags.intersects(came) {
            What::Folder
        } else if flags.contains(ReadFlags::ATTRIB) {
            What::Attributes
        } else {
            What::Changed
        };
        let one = |path| Seen { folder: Some(path), name: name.cloned(), what };
        paths.into_iter().map(one).collect()
    }

    fn forget(&mut self, folder: &Path, number: i32) {
        let Some(paths) = self.paths.get_mut(&number) else { return };
        paths.retain(|path| **path != *folder);
        if paths.is_empty() {
            self.paths.remove(&number);
            // The kernel may have let go of it by itself.
            let _gone = inotify::remove_watch(&self.fd, number);
        }
    }
}

/// The limit that counts, with its name for `sysctl`: that of the system, or a lower one of our user
/// namespace.
fn limit(what: &str) -> String {
    let of_system = (format!("fs/inotify/max_user_{what}"), "fs.inotify.max_user_");
    let of_namespace = (format!("user/max_inotify_{what}"), "user.max_inotify_");
    let read = |(path, name): (String, &'static str)| {
        let text = fs::read_to_string(format!("/proc/sys/{path}")).ok()?;
        Some((text.trim().parse::<u64>().ok()?, name))
    };
    let lowest = [of_system, of_namespace].into_iter().filter_map(read).min();
    lowest.map_or_else(|| "unknown".to_owned(), |(limit, name)| format!("{name}{what} = {limit}"))
}
