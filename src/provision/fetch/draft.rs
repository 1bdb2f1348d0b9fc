//! The folder in which a server is made ready, and the right to do so: one on a machine at a time.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};
use tokio::time::sleep;

use super::links;
use crate::os::unpack::{self, Limits};

/// From one look whether another one has finished to the next: a thread that waits for the lock itself
/// could not be told that nobody wants it any more.
const PAUSE: Duration = Duration::from_millis(100);
/// No Postgres is larger.
const LIMITS: Limits = Limits { bytes: 1 << 30, entries: 20_000 };

/// Removed when nobody has it any more, with all that is in it.
#[derive(Debug)]
pub(super) struct Draft {
    shelf: PathBuf,
    interrupted: AtomicBool,
    _lock: Flock<File>,
}

/// That somebody waits for it.
pub(super) struct Interest(Arc<Draft>);

impl Draft {
    /// An empty one, as soon as nobody else has one; what a dead one has left is removed.
    pub(super) async fn begin(shelf: &Path, wait: impl FnOnce()) -> Result<Arc<Self>, String> {
        let path = shelf.join(".lock");
        let failed = |error: io::Error| format!("cannot lock {}: {error}", path.display());
        let open = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).mode(0o600);
            options.custom_flags(libc::O_NOFOLLOW).open(&path)
        };
        let mut file = open().map_err(failed)?;
        let mut wait = Some(wait);
        let lock = loop {
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => break lock,
                Err((again, Errno::EAGAIN)) => {
                    if let Some(wait) = wait.take() {
                        wait();
                    }
                    sleep(PAUSE).await;
                    file = again;
                }
                Err((again, Errno::EINTR)) => file = again,
                Err((_, errno)) => return Err(failed(errno.into())),
            }
        };
        let interrupted = AtomicBool::new(false);
        let draft = Self { shelf: shelf.to_owned(), interrupted, _lock: lock };
        draft.clear()?;
        let tree = draft.tree();
        let made = DirBuilder::new().mode(0o711).create(draft.folder()).and_then(|()| {
            DirBuilder::new().mode(0o755).create(&tree)?;
            // Also where the umask says otherwise: root's servers do not run as root.
            fs::set_permissions(&tree, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        });
        made.map_err(|error| format!("cannot make {}: {error}", tree.display()))?;
        Ok(Arc::new(draft))
    }

    /// Where the package is to be.
    pub(super) fn package(&self) -> PathBuf {
        self.folder().join("package.tgz")
    }

    /// What is in it.
    pub(super) fn tree(&self) -> PathBuf {
        self.folder().join("tree")
    }

    /// Unpacks the package, until nobody waits for that any more.
    pub(super) fn unpack(&self) -> Result<(), String> {
        let (package, tree) = (self.package(), self.tree());
        let archive = File::open(&package)
            .map_err(|error| format!("cannot read {}: {error}", package.display()))?;
        unpack::unpack(archive, &tree, place_of, LIMITS, &self.interrupted)
            .map_err(|error| error.to_string())?;
        links::make(&tree)?;
        // It counts as soon as it has its name, and then must be there also after a power cut.
        let synced = File::open(&tree).and_then(|tree| Ok(rustix::fs::syncfs(tree)?));
        synced.map_err(|error| format!("cannot write {}: {error}", tree.display()))
    }

    /// Says, when it is dropped, that nobody waits.
    pub(super) fn interest(self: &Arc<Self>) -> Interest {
        Interest(self.clone())
    }

    /// Gives what was made its name. What has that and is of no use goes.
    pub(super) fn keep(&self, name: &Path) -> Result<PathBuf, String> {
        let failed = |error: io::Error| format!("cannot make {}: {error}", name.display());
        remove(name)?;
        fs::rename(self.tree(), name).map_err(failed)?;
        File::open(&self.shelf).and_then(|shelf| shelf.sync_all()).map_err(failed)?;
        Ok(name.to_owned())
    }

    fn folder(&self) -> PathBuf {
        self.shelf.join(".new")
    }

    fn clear(&self) -> Result<(), String> {
        remove(&self.folder())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Err(why) = self.clear() {
            // The next one begins with that.
            tracing::warn!(why, "what was fetched is left there");
        }
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        self.0.interrupted.store(true, Ordering::Relaxed);
    }
}

/// The server of a package, and its licence; the rest is how others get at it.
fn place_of(name: &Path) -> Option<PathBuf> {
    // The top folder has any name.
    let mut parts = name.components();
    parts.next();
    let name = parts.as_path();
    let server = name.strip_prefix("native").ok();
    server.or_else(|| Some(name).filter(|name| *name == Path::new("LICENSE.md"))).map(Into::into)
}

fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", path.display()))
        }
        _ => Ok(()),
    }
}
