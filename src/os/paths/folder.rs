//! Folders that are ours alone.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::Path,
};

use nix::unistd::geteuid;

use super::PathError;

/// Makes the folder `path` and its parents, 0700, unless they exist. It must be ours; so must the
/// link to it, if it is one (or root's), or somebody could turn it elsewhere.
pub fn create_private_dir(path: &Path) -> Result<(), PathError> {
    make(path)?;
    let found = fs::metadata(path).map_err(|source| system(path, source))?;
    if !found.is_dir() {
        return Err(PathError::NotAFolder(path.to_owned()));
    }
    let own = geteuid().as_raw();
    let itself = fs::symlink_metadata(path).map_err(|source| system(path, source))?;
    let link_owner = itself.is_symlink().then(|| itself.uid()).filter(|owner| *owner != 0);
    for owner in [Some(found.uid()), link_owner].into_iter().flatten() {
        if owner != own {
            return Err(PathError::Foreign { path: path.to_owned(), owner });
        }
    }
    Ok(())
}

/// Makes the folder for sockets, 0700, unless it exists. That may be everybody's, such as `/tmp`:
/// both ends of a connection look who the other is.
pub fn create_run_dir(path: &Path) -> Result<(), PathError> {
    if path.is_dir() { Ok(()) } else { create_private_dir(path) }
}

fn make(path: &Path) -> Result<(), PathError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => PathError::NotAFolder(path.to_owned()),
        io::ErrorKind::NotADirectory => {
            let file = path.ancestors().find(|above| above.is_file()).unwrap_or(path);
            PathError::NotAFolder(file.to_owned())
        }
        _ => system(path, source),
    })
}

fn system(path: &Path, source: io::Error) -> PathError {
    PathError::System { path: path.to_owned(), source }
}
