//! A certificate that a service brings itself: two PEM files of the user's, read again when they change.

#[cfg(test)]
mod tests;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use arc_swap::ArcSwapOption;
use rustls::{
    client::verify_server_name,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    server::ParsedCertificate,
    sign::CertifiedKey,
};

/// Two files, and what they held when they were last whole.
#[derive(Debug)]
pub struct OwnLeaf {
    cert: PathBuf,
    key: PathBuf,
    read: ArcSwapOption<Read>,
}

#[derive(Debug)]
struct Read {
    stamps: [Stamp; 2],
    key: Arc<CertifiedKey>,
}

/// Size, inode and time of change: what tells one content of a file from the next.
type Stamp = (u64, u64, Option<SystemTime>);

/// Why the files are of no use.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Not there, or not PEM.
    #[error("cannot read {}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// They do not belong together, or the key is of an unknown kind.
    #[error("{} does not go with {}: {why}", key.display(), cert.display())]
    Mismatch {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Why.
        why: rustls::Error,
    },
    /// A browser would refuse it.
    #[error("{} is no certificate for {host}", cert.display())]
    OtherName {
        /// The file of the certificate.
        cert: PathBuf,
        /// The name that it lacks.
        host: String,
    },
}

impl OwnLeaf {
    /// Of these files; neither is looked at yet.
    pub fn new(cert: PathBuf, key: PathBuf) -> Self {
        Self { cert, key, read: ArcSwapOption::empty() }
    }

    /// Whether it is of these files.
    pub fn is_of(&self, cert: &Path, key: &Path) -> bool {
        self.cert == cert && self.key == key
    }

    /// What the files hold now, if they hold a pair. While they do not (they may be just being
    /// written), what they held before; nothing if there was nothing.
    pub fn current(&self) -> Option<Arc<CertifiedKey>> {
        let before = self.read.load_full();
        let stamps = self.stamps().ok();
        match before {
            Some(read) if stamps.is_none_or(|stamps| stamps == read.stamps) => {
                Some(read.key.clone())
            }
            before => match (self.load(), stamps) {
                (Ok(key), Some(stamps)) => {
                    self.read.store(Some(Arc::new(Read { stamps, key: key.clone() })));
                    Some(key)
                }
                (Err(error), _) => {
                    tracing::warn!(%error, "a service's own certificate is not used");
                    before.map(|read| read.key.clone())
                }
                (Ok(key), None) => Some(key),
            },
        }
    }

    /// Whether a browser would take it for `host`.
    pub fn check(&self, host: &str) -> Result<(), Unusable> {
        let key = self.load()?;
        let other = || Unusable::OtherName { cert: self.cert.clone(), host: host.to_owned() };
        let leaf = key.cert.first().ok_or_else(other)?;
        let parsed = ParsedCertificate::try_from(leaf).map_err(|_| other())?;
        let name = ServerName::try_from(host).map_err(|_| other())?;
        verify_server_name(&parsed, &name).map_err(|_| other())
    }

    fn load(&self) -> Result<Arc<CertifiedKey>, Unusable> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |error: rustls::pki_types::pem::Error| Unusable::Unreadable {
                path,
                why: error.to_string(),
            }
        };
        let chain = CertificateDer::pem_file_iter(&self.cert)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(unreadable(&self.cert))?;
        if chain.is_empty() {
            let why = "there is no certificate in it".to_owned();
            return Err(Unusable::Unreadable { path: self.cert.clone(), why });
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(unreadable(&self.key))?;
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map(Arc::new).map_err(
            |why| Unusable::Mismatch { cert: self.cert.clone(), key: self.key.clone(), why },
        )
    }

    fn stamps(&self) -> io::Result<[Stamp; 2]> {
        use std::os::unix::fs::MetadataExt as _;
        let stamp = |path: &Path| {
            let found = fs::metadata(path)?;
            Ok::<Stamp, io::Error>((found.len(), found.ino(), found.modified().ok()))
        };
        Ok([stamp(&self.cert)?, stamp(&self.key)?])
    }
}
