//! The root of all certificates: its files, and what it signs.

mod files;
mod issue;
mod root;
#[cfg(test)]
mod tests;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use arc_swap::ArcSwapOption;
use rcgen::{Issuer, KeyPair};
use rustls::sign::CertifiedKey;

pub use self::root::{Fingerprint, NotARoot, Root};
use super::{clock, paths::PathError};
use crate::core::certs::{LeafName, Realm, Validity};

/// A root whose key is at hand.
pub struct Authority {
    root: Root,
    issuer: Issuer<'static, KeyPair>,
}

/// The place of the root: opened, or made, when first needed.
pub struct Vault {
    dir: PathBuf,
    realm: Realm,
    opened: ArcSwapOption<Authority>,
}

/// A leaf, ready to be used.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Its certificate and its key.
    pub key: Arc<CertifiedKey>,
    /// From when to when it is good.
    pub validity: Validity,
}

/// Why there is no root, or no leaf. None of these is repaired by itself: the old root may be trusted.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// Its folder cannot be used.
    #[error(transparent)]
    Folder(#[from] PathError),
    /// A file or folder that others can use.
    #[error(
        "will not use the CA: others have access to {} (mode {mode:04o}); \
         `chmod go= {}` if nobody else has seen it", path.display(), path.display()
    )]
    Wide {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file or folder of somebody else.
    #[error("will not use the CA: {} belongs to user {owner}", path.display())]
    Foreign {
        /// The file or folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// One of the two files is not there.
    #[error("the CA in {} is incomplete: {missing} is missing; {}", dir.display(), afresh(dir))]
    Incomplete {
        /// The folder.
        dir: PathBuf,
        /// The file.
        missing: &'static str,
    },
    /// A file has other content.
    #[error("{} is not what it should be: {why}; {}", path.display(), afresh_of(path))]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The key is that of another certificate.
    #[error("the key and the certificate in {} do not belong together; {}", .0.display(), afresh(.0))]
    Mismatch(PathBuf),
    /// Five years are over, or the clock is wrong.
    #[error("the CA in {} is not valid now (from {from} until {until}); {}", dir.display(), afresh(dir))]
    OutOfDate {
        /// The folder.
        dir: PathBuf,
        /// The first moment.
        from: String,
        /// The last moment.
        until: String,
    },
    /// A domain that was configured later.
    #[error("the CA in {} is for {allowed} and not for {name}; {}", dir.display(), afresh(dir))]
    NotAllowed {
        /// The folder.
        dir: PathBuf,
        /// The domains it is for.
        allowed: String,
        /// The name asked for.
        name: String,
    },
    /// Anything else the system says.
    #[error("cannot {what} {}: {source}", path.display())]
    System {
        /// What failed.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The library that signs.
    #[error("cannot sign: {0}")]
    Sign(String),
}

impl CaError {
    /// What is wrong in one sentence, and one command that mends it.
    pub fn remedy(&self, dir: &Path) -> (String, String) {
        let text = self.to_string();
        let sentence = text.split("; ").next().unwrap_or(&text).to_owned();
        let fix = match self {
            Self::Wide { path, .. } => format!("chmod go= '{}'", path.display()),
            Self::Foreign { .. } => format!("sudo chown -R \"$(id -u)\" '{}'", dir.display()),
            Self::System { .. } | Self::Folder(_) | Self::Sign(_) => {
                format!("ls -la '{}'", dir.display())
            }
            _ => afresh_command(dir),
        };
        (sentence, fix)
    }
}

impl Authority {
    /// The root in `dir`; made, for the domains of `realm`, if there is none. Of two who make one at
    /// the same time, both get the same.
    pub fn open_or_create(dir: &Path, realm: &Realm, now: SystemTime) -> Result<Self, CaError> {
        if let Some(authority) = Self::open(dir, now)? {
            return Ok(authority);
        }
        let (root, key) = issue::root(realm, now)?;
        files::create(dir, &root, &key)?;
        let lost = || CaError::Incomplete { dir: dir.to_owned(), missing: files::ROOT };
        Self::open(dir, now)?.ok_or_else(lost)
    }

    /// The root in `dir`, if there is one.
    pub fn open(dir: &Path, now: SystemTime) -> Result<Option<Self>, CaError> {
        let Some(pair) = files::read(dir)? else { return Ok(None) };
        let root = Root::from_pem(&pair.root)
            .map_err(|why| CaError::Corrupt { path: root_file(dir), why: why.to_string() })?;
        let corrupt = |why: &dyn std::fmt::Display| CaError::Corrupt {
            path: dir.join(files::KEY),
            why: why.to_string(),
        };
        let text = std::str::from_utf8(&pair.key).map_err(|why| corrupt(&why))?;
        let key = KeyPair::from_pem(text).map_err(|why| corrupt(&why))?;
        if !root.has_key(&key) {
            return Err(CaError::Mismatch(dir.to_owned()));
        }
        in_date(dir, &root, now)?;
        let issuer = Issuer::from_ca_cert_der(root.der(), key).map_err(|why| corrupt(&why))?;
        Ok(Some(Self { root, issuer }))
    }

    /// Its certificate.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// A new leaf with a key of its own.
    pub fn issue(&self, name: &LeafName, now: SystemTime) -> Result<Issued, CaError> {
        issue::leaf(self, name, now)
    }
}

impl Vault {
    /// Nothing is opened yet.
    pub fn new(dir: PathBuf, realm: Realm) -> Self {
        Self { dir, realm, opened: ArcSwapOption::empty() }
    }

    /// The root, opened or made if need be. Reads and writes files.
    pub fn authority(&self) -> Result<Arc<Authority>, CaError> {
        if let Some(authority) = self.opened.load_full() {
            return Ok(authority);
        }
        let authority = Authority::open_or_create(&self.dir, &self.realm, clock::wall())?;
        let authority = Arc::new(authority);
        self.opened.store(Some(authority.clone()));
        Ok(authority)
    }

    /// A new leaf, unless the root is not for such names.
    pub fn issue(&self, name: &LeafName) -> Result<Issued, CaError> {
        let (authority, now) = (self.authority()?, clock::wall());
        let root = authority.root();
        // It was when it was opened, but that may be years ago, or the clock was wrong.
        in_date(&self.dir, root, now)?;
        if !root.allows(name.as_str()) {
            let (dir, allowed) = (self.dir.clone(), root.domains().join(", "));
            return Err(CaError::NotAllowed { dir, allowed, name: name.to_string() });
        }
        authority.issue(name, now)
    }

    /// The certificate of the root, once it has been opened.
    pub fn root(&self) -> Option<Root> {
        self.opened.load().as_ref().map(|authority| authority.root().clone())
    }
}

/// The folder of the root, below the data folder.
pub fn dir(data_dir: &Path) -> PathBuf {
    data_dir.join("ca")
}

/// The certificate of the root in its folder.
pub fn root_file(dir: &Path) -> PathBuf {
    dir.join(files::ROOT)
}

/// The certificate of the root in `dir`, if there is one. Its key may be missing.
pub fn read_root(dir: &Path) -> Result<Option<Root>, CaError> {
    let Some(pem) = files::read_root(dir)? else { return Ok(None) };
    let root = Root::from_pem(&pem);
    root.map(Some).map_err(|why| CaError::Corrupt { path: root_file(dir), why: why.to_string() })
}

/// The command that begins with a new CA.
pub fn afresh_command(dir: &Path) -> String {
    format!(
        "locald trust --uninstall; rm -r '{}' && locald server restart && locald trust",
        dir.display()
    )
}

fn in_date(dir: &Path, root: &Root, now: SystemTime) -> Result<(), CaError> {
    let Validity { from, until } = root.validity();
    if root.validity().contains(now) {
        return Ok(());
    }
    let (from, until) = (clock::rfc3339(from), clock::rfc3339(until));
    Err(CaError::OutOfDate { dir: dir.to_owned(), from, until })
}

fn afresh_of(path: &Path) -> String {
    path.parent().map_or_else(String::new, afresh)
}

/// What to do about a root that is of no use.
fn afresh(dir: &Path) -> String {
    format!(
        "to begin afresh: `locald trust --uninstall`, remove {}, `locald server restart`, \
         `locald trust`",
        dir.display()
    )
}
