//! The global configuration, read from its file.

use std::{fs, io, path::Path};

use crate::core::{
    config::global::{Global, parse_global},
    diagnostic::{Diagnostics, SourceFile},
};

/// Why it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It cannot be read.
    #[error("cannot read it: {0}")]
    Unreadable(#[from] io::Error),
    /// It can be read, and is wrong: every error.
    #[error("{0}")]
    Invalid(Diagnostics),
}

/// What it says; its defaults if there is none.
pub fn read(path: &Path) -> Result<Global, Unusable> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error.into()),
    };
    parse_global(&text).map_err(|list| {
        let source = SourceFile { path: path.to_owned(), text };
        Unusable::Invalid(Diagnostics { source, list })
    })
}
