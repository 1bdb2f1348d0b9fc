//! Where clients look for roots: the store of the system, and those of browsers.

mod elevate;
mod nss;
mod profiles;
mod system;
#[cfg(test)]
mod tests;
mod watch;

use std::path::{Path, PathBuf};

use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::ca::{Fingerprint, Root};

pub use self::{
    elevate::{Asked, Deed, ask_root},
    nss::{Database, Databases, Homes},
    system::{System, place_by_hand},
    watch::Watch,
};

/// A store of roots.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Store {
    /// Whose it is: `system`, `Chromium`, `Firefox`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What was found there.
    pub state: State,
}

/// What a store makes of a root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// It was found there, byte by byte, and is trusted.
    Trusted,
    /// It is not there.
    NotTrusted,
    /// Nobody uses such a store here; in words.
    NotNeeded(String),
    /// It cannot be said, or what was to be done has failed; in words.
    Failed(String),
}

impl Store {
    fn new(name: impl Into<String>, path: &Path, state: State) -> Self {
        Self { name: name.into(), path: path.to_owned(), state }
    }
}

/// Whether the certificates in `bundle`, PEM blocks among anything else, include this one.
fn bundle_has(bundle: &[u8], fingerprint: Fingerprint) -> bool {
    CertificateDer::pem_slice_iter(bundle)
        .filter_map(Result::ok)
        .any(|der| Fingerprint::of(&der) == fingerprint)
}

/// The file name of a root in a folder of many: no two roots share it.
fn file_name(root: &Root, suffix: &str) -> String {
    format!("locald-{}.{suffix}", root.fingerprint().short())
}
