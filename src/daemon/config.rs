//! Reads the global configuration.

use std::{fs, io};

use super::tell::Failure;
use crate::{
    core::{
        config::global::{Global, parse_global},
        diagnostic::{Diagnostics, SourceFile},
    },
    os::paths::Places,
};

/// The global configuration; its defaults if there is none. Every error is told at once.
pub(super) fn global(places: &Places) -> Result<Global, Failure> {
    let path = &places.config_file;
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(Failure::Config(format!("cannot read {}: {error}", path.display())));
        }
    };
    parse_global(&text).map_err(|list| {
        let source = SourceFile { path: path.clone(), text };
        Failure::Config(Diagnostics { source, list }.to_string())
    })
}
