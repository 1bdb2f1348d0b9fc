//! Single files that are watched by their folders, whether they are there or not.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Folders, Seen, WatchError, What};

/// So many links of a chain of symbolic links are followed.
const LINKS: usize = 8;

/// What to look out for in the folders of some files.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Files(BTreeMap<Arc<Path>, BTreeSet<OsString>>);

impl Files {
    /// Where changes of these files, absolute, will show. Looks at the disk: a symbolic link is
    /// watched where it is and where it leads; instead of a folder that is not there, the next one
    /// above it is watched for its coming.
    pub fn of(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut all = Self::default();
        for mut file in files {
            for _ in 0..LINKS {
                all.look_out_for(&file);
                let (Ok(target), Some(folder)) = (fs::read_link(&file), file.parent()) else {
                    break;
                };
                file = folder.join(target);
            }
        }
        all
    }

    /// The folders.
    pub fn folders(&self) -> impl Iterator<Item = &Arc<Path>> {
        self.0.keys()
    }

    /// Whether a folder is one of them.
    pub fn has(&self, folder: &Path) -> bool {
        self.0.contains_key(folder)
    }

    /// Has them watched. False: a folder has gone since it was looked at.
    pub fn watch(&self, folders: &mut Folders) -> Result<bool, WatchError> {
        let mut all = true;
        for folder in self.0.keys() {
            all &= folders.add(folder)?;
        }
        Ok(all)
    }

    /// Whether this is news of one of the files.
    pub fn concerns(&self, seen: &Seen) -> bool {
        let Some(folder) = &seen.folder else { return true };
        match (self.0.get(folder), &seen.name) {
            (Some(_), None) => seen.what == What::Gone,
            (Some(names), Some(name)) => names.contains(name),
            (None, _) => false,
        }
    }

    fn look_out_for(&mut self, file: &Path) {
        let (Some(mut folder), Some(mut name)) = (file.parent(), file.file_name()) else { return };
        while !folder.is_dir() {
            let (Some(above), Some(missing)) = (folder.parent(), folder.file_name()) else {
                return;
            };
            (folder, name) = (above, missing);
        }
        self.0.entry(folder.into()).or_default().insert(name.to_owned());
    }
}
