//! Which folders to watch below some roots: none that .gitignore or common sense leaves out.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::core::{
    id::ServiceName,
    watch::{Globs, Root},
};

/// Nobody edits files in these.
const NEVER: [&str; 8] =
    [".git", ".hg", ".svn", ".jj", "node_modules", "__pycache__", ".venv", ".direnv"];

/// Marks a folder as a cache, such as Cargo's `target`.
const CACHE: &str = "CACHEDIR.TAG";

/// Where the list of what is ignored stands.
const IGNORE: &str = ".gitignore";

/// What is ignored, folder by folder; each file is read once.
#[derive(Clone)]
pub struct Ignores {
    dir: PathBuf,
    /// No list of a folder above this one counts.
    top: PathBuf,
    lists: HashMap<PathBuf, Option<Arc<Gitignore>>>,
}

/// What a walk has found.
#[derive(Debug, Default)]
pub struct Walk {
    /// The folders to be watched.
    pub folders: BTreeSet<Arc<Path>>,
    /// The services that some file in them concerns.
    pub owners: BTreeSet<ServiceName>,
}

impl Ignores {
    /// For a project: the lists of its repository, or if it is in none, those from its folder on.
    pub fn of(dir: &Path) -> Self {
        let repository = dir.ancestors().find(|folder| folder.join(".git").exists());
        let top = repository.unwrap_or(dir).to_owned();
        Self { dir: dir.to_owned(), top, lists: HashMap::new() }
    }

    /// The project's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether a change of this file changes what is ignored.
    pub fn is_list(file: &Path) -> bool {
        file.file_name().is_some_and(|name| name == IGNORE)
    }

    /// Whether a file or folder is ignored; those above it are not.
    pub fn ignores(&mut self, path: &Path, is_dir: bool) -> bool {
        let mut folder = path.parent();
        while let Some(here) = folder.filter(|here| here.starts_with(&self.top)) {
            if let Some(list) = self.list(here) {
                let found = list.matched(path, is_dir);
                if !found.is_none() {
                    return found.is_ignore();
                }
            }
            folder = here.parent();
        }
        false
    }

    /// The folders to be watched for `roots`. Looks at the disk.
    pub fn walk(&mut self, roots: Vec<Root>, globs: &Globs) -> Walk {
        let mut found = Walk::default();
        let mut todo: Vec<Root> =
            roots.into_iter().filter(|root| !self.is_below_ignored(&root.folder)).collect();
        while let Some(Root { folder, depth }) = todo.pop() {
            // What is not there, or not to be read, has nothing in it.
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            found.folders.insert(folder.into());
            for entry in entries.flatten() {
                let path = entry.path();
                if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    let new = globs.owners_of(&path).filter(|name| !found.owners.contains(*name));
                    let new: Vec<ServiceName> = new.cloned().collect();
                    if !new.is_empty() && !self.ignores(&path, false) {
                        found.owners.extend(new);
                    }
                } else if depth != Some(0) && !self.leaves_out(&path) {
                    let depth = depth.map(|depth| depth - 1);
                    todo.push(Root { folder: path, depth });
                }
            }
        }
        found
    }

    /// Whether a folder is left out, by a list or by common sense.
    pub fn leaves_out(&mut self, folder: &Path) -> bool {
        let never = folder.file_name().is_some_and(|name| NEVER.iter().any(|no| name == *no));
        never || folder.join(CACHE).exists() || self.ignores(folder, true)
    }

    fn is_below_ignored(&mut self, folder: &Path) -> bool {
        let top = self.top.clone();
        let within =
            folder.ancestors().take_while(|above| above.starts_with(&top) && **above != top);
        within.collect::<Vec<_>>().into_iter().any(|above| self.ignores(above, true))
    }

    fn list(&mut self, folder: &Path) -> Option<Arc<Gitignore>> {
        if let Some(known) = self.lists.get(folder) {
            return known.clone();
        }
        let file = folder.join(IGNORE);
        let list = file.exists().then(|| {
            let mut builder = GitignoreBuilder::new(folder);
            // A line that is no pattern is left out, as git does.
            drop(builder.add(&file));
            builder.build().ok().map(Arc::new)
        });
        let list = list.flatten();
        self.lists.insert(folder.to_owned(), list.clone());
        list
    }
}
