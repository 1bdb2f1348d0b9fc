//! Files that are either the old one or the new one, whatever happens in between.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write},
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{MetadataExt, OpenOptionsExt, chown},
    },
    path::{Path, PathBuf},
};

/// What went wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The new content is not on the disk; the old one is still there.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is still where it was.
    #[error("cannot set {} aside: {source}", path.display())]
    SetAside {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Replaces `path` with `content`, readable for its owner only. After success it survives a power
/// cut; after an error, or when we are killed meanwhile, the old content is still there.
///
/// One writer a file at a time. What an earlier one left behind is removed.
pub fn write_atomic(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let failed = |source| FileError::Write { path: path.to_owned(), source };
    let (folder, name) = split(path).map_err(failed)?;
    let temporary = folder.join(temporary_name(name));
    let replaced = fill(&temporary, content, 0o600)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| File::open(folder)?.sync_all());
    replaced.map_err(|source| {
        // On a full disk it would only be in the way. After the rename it is gone anyway.
        let _removed = fs::remove_file(&temporary);
        failed(source)
    })
}

/// Replaces the text of a file that a person keeps: where it is a link, that of its target; with the
/// mode, and as far as we may the owner, that it had. A new one is readable for everybody (umask).
pub fn rewrite(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let failed = |source| FileError::Write { path: path.to_owned(), source };
    let old = fs::canonicalize(path).and_then(|path| Ok((fs::metadata(&path)?, path)));
    let (old, path) = match old {
        Ok((old, path)) => (Some(old), path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (None, path.to_owned()),
        Err(error) => return Err(failed(error)),
    };
    let (folder, name) = split(&path).map_err(failed)?;
    let temporary = folder.join(temporary_name(name));
    let replaced = fill(&temporary, content, 0o666)
        .and_then(|()| old.map_or(Ok(()), |old| take_after(&temporary, &old)))
        .and_then(|()| fs::rename(&temporary, &path));
    replaced.map_err(|source| {
        let _removed = fs::remove_file(&temporary);
        failed(source)
    })
}

/// Gives `new` the mode of `old`, and its owner if we may give files away.
fn take_after(new: &Path, old: &Metadata) -> io::Result<()> {
    // Only root may; whoever else may write here becomes the owner.
    let _ours = chown(new, Some(old.uid()), Some(old.gid()));
    fs::set_permissions(new, old.permissions())
}

/// Renames `path`, which nobody can make sense of, to the first free `<name>.corrupt-<n>`, so
/// that a person can look at it. Answers the new name.
pub fn set_aside(path: &Path) -> Result<PathBuf, FileError> {
    let failed = |source| FileError::SetAside { path: path.to_owned(), source };
    let (folder, name) = split(path).map_err(failed)?;
    for number in 1_u32.. {
        let mut aside = name.to_owned();
        aside.push(format!(".corrupt-{number}"));
        let aside = folder.join(aside);
        if fs::symlink_metadata(&aside).is_err() {
            fs::rename(path, &aside).map_err(failed)?;
            return Ok(aside);
        }
    }
    Err(failed(io::ErrorKind::AlreadyExists.into()))
}

fn fill(temporary: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    // A leftover may have other permissions, or be a link somewhere else.
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(temporary)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Always the same for the same file, so that leftovers do not pile up.
fn temporary_name(name: &OsStr) -> OsString {
    OsString::from_vec([b".", name.as_bytes(), b".new"].concat())
}

fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((folder.unwrap_or_else(|| Path::new(".")), name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn replaces_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        write_atomic(&path, b"one, and rather long").unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(dir.path()), ["state.json"]);
    }

    #[test]
    fn a_leftover_of_a_killed_writer_is_no_obstacle_and_no_trap() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        symlink(&victim, dir.path().join(".state.json.new")).unwrap();
        write_atomic(&dir.path().join("state.json"), b"new").unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"untouched");
        assert_eq!(names(dir.path()), ["state.json", "victim"]);
    }

    #[test]
    fn failure_keeps_the_old_content_and_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        // A folder in the way: the rename fails after everything was written.
        fs::create_dir_all(path.join("x")).unwrap();
        let error = write_atomic(&path, b"new").unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot write {}: ", path.display())), "{error}");
        assert_eq!(names(dir.path()), ["state.json"]);
    }

    #[test]
    fn a_persons_file_keeps_its_mode_and_a_link_its_target() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("real.toml"), dir.path().join("link.toml"));
        rewrite(&file, b"one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("real.toml", &link).unwrap();
        rewrite(&link, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(names(dir.path()), ["link.toml", "real.toml"]);
    }

    #[test]
    fn what_is_set_aside_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        for text in ["first", "second"] {
            fs::write(&path, text).unwrap();
            set_aside(&path).unwrap();
        }
        assert_eq!(names(dir.path()), ["state.json.corrupt-1", "state.json.corrupt-2"]);
        assert_eq!(fs::read(dir.path().join("state.json.corrupt-1")).unwrap(), b"first");
        assert!(set_aside(&path).is_err(), "nothing left to set aside");
    }
}
