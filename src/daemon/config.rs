//! Reads the global configuration.

use super::tell::Failure;
use crate::{
    core::config::global::Global,
    os::{
        global_file::{self, Unusable},
        paths::Places,
    },
};

/// The global configuration; its defaults if there is none. Every error is told at once.
pub(super) fn global(places: &Places) -> Result<Global, Failure> {
    let path = &places.config_file;
    global_file::read(path).map_err(|error| {
        Failure::Config(match error {
            Unusable::Unreadable(error) => format!("cannot read {}: {error}", path.display()),
            Unusable::Invalid(diagnostics) => diagnostics.to_string(),
        })
    })
}
