//! Files below a folder, and no others: hidden ones do not exist, and links are followed as long as they stay inside.

use std::{
    fs::Metadata,
    io,
    path::{Component, Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use tower_http::services::fs::{Backend, TokioBackend, TokioFile};

type Boxed<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// The files that a site shows.
#[derive(Clone, Debug)]
pub(super) struct Confined {
    root: Arc<Path>,
}

impl Confined {
    pub(super) fn to(root: Arc<Path>) -> Self {
        Self { root }
    }

    /// Where the path really leads, if that may be shown. The root is looked at each time: builds replace it.
    async fn real(self, path: PathBuf) -> io::Result<PathBuf> {
        let asked = path.strip_prefix(".").unwrap_or(&path);
        let asked = asked.strip_prefix(&self.root).unwrap_or(asked);
        let root = tokio::fs::canonicalize(&self.root).await?;
        let real = tokio::fs::canonicalize(&path).await?;
        match real.strip_prefix(&root) {
            Ok(inside) if !hidden(asked) && !hidden(inside) => Ok(real),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Backend for Confined {
    type File = TokioFile;
    type Metadata = Metadata;
    type OpenFuture = Boxed<TokioFile>;
    type MetadataFuture = Boxed<Metadata>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        let this = self.clone();
        Box::pin(async move {
            let real = this.real(path).await?;
            // To open a pipe or a device may take for ever, or more.
            if !tokio::fs::metadata(&real).await?.is_file() {
                return Err(io::ErrorKind::NotFound.into());
            }
            TokioBackend.open(real).await
        })
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        let this = self.clone();
        Box::pin(async move {
            let real = this.real(path).await?;
            TokioBackend.metadata(real).await
        })
    }
}

/// `.git`, `.env` and the like; `.well-known` is made to be seen.
fn hidden(path: &Path) -> bool {
    path.components().any(|part| match part {
        Component::Normal(name) => {
            name.as_encoded_bytes().starts_with(b".") && name != ".well-known"
        }
        _ => false,
    })
}
