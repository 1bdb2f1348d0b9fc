//! Whether the system trusts the root, asked often: files are read again only when they changed.

#![expect(clippy::disallowed_types, reason = "two readers may not answer from half of an update")]

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::System;
use crate::os::ca::Root;

/// A root and the bundle of the system.
#[derive(Debug)]
pub struct Watch {
    root: PathBuf,
    bundle: Option<PathBuf>,
    seen: Mutex<Option<(Stamps, bool)>>,
}

/// The state of both files.
type Stamps = [Option<Stamp>; 2];

/// What changes when a file does: device, number, size, time and its nanoseconds.
type Stamp = (u64, u64, u64, i64, i64);

impl Watch {
    /// Of the root in the file `root`.
    pub fn new(root: PathBuf) -> Self {
        Self::of(root, System::find(Path::new("/")).map(|system| system.bundle().to_owned()))
    }

    pub(super) fn of(root: PathBuf, bundle: Option<PathBuf>) -> Self {
        Self { root, bundle, seen: Mutex::default() }
    }

    /// Whether the system trusts it now.
    pub fn is_trusted(&self) -> bool {
        let Some(bundle) = &self.bundle else { return false };
        let stamps = [&self.root, bundle].map(|path| stamp(path));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match *seen {
            Some((then, answer)) if then == stamps => answer,
            _ => {
                let answer = holds(&self.root, bundle);
                *seen = Some((stamps, answer));
                answer
            }
        }
    }
}

fn holds(root: &Path, bundle: &Path) -> bool {
    let root = fs::read(root).ok().and_then(|pem| Root::from_pem(&pem).ok());
    let (Some(root), Ok(bundle)) = (root, fs::read(bundle)) else { return false };
    super::bundle_has(&bundle, root.fingerprint())
}

fn stamp(path: &Path) -> Option<Stamp> {
    let data = fs::metadata(path).ok()?;
    Some((data.dev(), data.ino(), data.size(), data.ctime(), data.ctime_nsec()))
}
