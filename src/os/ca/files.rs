//! The two files of the root: nobody else may see the key, and there are both or none.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;
use nix::unistd::geteuid;
use rcgen::{Certificate, KeyPair};

use super::CaError;
use crate::os::paths::create_private_dir;

/// The certificate of the root.
pub(super) const ROOT: &str = "root.pem";
/// Its key.
pub(super) const KEY: &str = "root-key.pem";
/// More than either file has.
const LARGEST: u64 = 64 << 10;

/// What the files hold.
pub(super) struct Pair {
    pub(super) root: Vec<u8>,
    pub(super) key: Vec<u8>,
}

/// Reads both files; none if there is neither.
pub(super) fn read(dir: &Path) -> Result<Option<Pair>, CaError> {
    let folder = match fs::symlink_metadata(dir) {
        Ok(_) => File::open(dir).map_err(system("open", dir))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(system("open", dir)(error)),
    };
    check(dir, &folder, 0o077)?;
    // Anybody may read a certificate.
    let root = read_file(&dir.join(ROOT), 0o022)?;
    let key = read_file(&dir.join(KEY), 0o077)?;
    let incomplete = |missing| Err(CaError::Incomplete { dir: dir.to_owned(), missing });
    match (root, key) {
        (Some(root), Some(key)) => Ok(Some(Pair { root, key })),
        (None, None) => Ok(None),
        (None, Some(_)) => incomplete(ROOT),
        (Some(_), None) => incomplete(KEY),
    }
}

/// Reads the certificate alone.
pub(super) fn read_root(dir: &Path) -> Result<Option<Vec<u8>>, CaError> {
    read_file(&dir.join(ROOT), 0o022)
}

/// Writes both files. Whoever comes second leaves what is there: the folder appears as a whole,
/// by one renaming, which fails if there is one with something in it.
pub(super) fn create(dir: &Path, root: &Certificate, key: &KeyPair) -> Result<(), CaError> {
    let parent = dir.parent().unwrap_or_else(|| Path::new("/"));
    create_private_dir(parent)?;
    let fresh = fresh_dir(parent)?;
    let filled = fill(&fresh, root, key);
    let placed = filled.and_then(|()| match fs::rename(&fresh, dir) {
        Ok(()) => File::open(parent).and_then(|parent| parent.sync_all()),
        Err(error) if is_taken(&error) => fs::remove_dir_all(&fresh),
        Err(error) => Err(error),
    });
    placed.map_err(|error| {
        // It is of no use to anybody, and holds a key.
        let _removed = fs::remove_dir_all(&fresh);
        system("write the CA to", dir)(error)
    })
}

fn fill(folder: &Path, root: &Certificate, key: &KeyPair) -> io::Result<()> {
    write(&folder.join(KEY), 0o600, key.serialize_pem().as_bytes())?;
    write(&folder.join(ROOT), 0o644, root.pem().as_bytes())?;
    File::open(folder)?.sync_all()
}

fn write(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn fresh_dir(parent: &Path) -> Result<PathBuf, CaError> {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).map_err(|error| CaError::Sign(error.to_string()))?;
    let path = parent.join(format!(".ca-{:016x}", u64::from_be_bytes(bytes)));
    DirBuilder::new().mode(0o700).create(&path).map_err(system("make", &path))?;
    Ok(path)
}

fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}

fn read_file(path: &Path, forbidden: u32) -> Result<Option<Vec<u8>>, CaError> {
    let opened = OpenOptions::new()
        .read(true)
        // Neither somebody else's file nor one that never ends.
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(system("read", path)(error)),
    };
    check(path, &file, forbidden)?;
    let mut content = Vec::new();
    file.take(LARGEST).read_to_end(&mut content).map_err(system("read", path))?;
    Ok(Some(content))
}

fn check(path: &Path, file: &File, forbidden: u32) -> Result<(), CaError> {
    let found = file.metadata().map_err(system("look at", path))?;
    let path = || path.to_owned();
    if found.uid() != geteuid().as_raw() {
        return Err(CaError::Foreign { path: path(), owner: found.uid() });
    }
    let mode = found.mode() & 0o7777;
    if mode & forbidden != 0 {
        return Err(CaError::Wide { path: path(), mode });
    }
    Ok(())
}

fn system(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CaError {
    let path = path.to_owned();
    move |source| CaError::System { what, path, source }
}
