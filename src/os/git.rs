//! Whether git is at work in a folder: what it changes meanwhile is one change.

use std::{path::Path, time::Duration};

/// An older lock was left behind.
const STALE: Duration = Duration::from_mins(1);

/// Whether git is changing files of the repository around `dir`: it holds its lock for as long.
pub fn is_at_work(dir: &Path) -> bool {
    let repository = dir.ancestors().map(|dir| dir.join(".git")).find(|git| git.is_dir());
    let lock = repository.and_then(|git| git.join("index.lock").metadata().ok());
    let age = lock.and_then(|lock| lock.modified().ok()?.elapsed().ok());
    age.is_some_and(|age| age < STALE)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn its_lock_tells() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let dir = root.path().join("deep/down");
        fs::create_dir_all(root.path().join("deep/.git")).expect("room");
        fs::create_dir_all(&dir).expect("room");
        assert!(!is_at_work(&dir));
        fs::write(root.path().join("deep/.git/index.lock"), "").expect("room");
        assert!(is_at_work(&dir));
        assert!(!is_at_work(root.path()));
    }
}
