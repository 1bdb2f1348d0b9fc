//! What has been done to a data folder, kept in it: it comes to be and goes with the data.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::os::file::write_atomic;

/// The file in the data folder.
const NAME: &str = ".locald.json";

/// What has been done.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct Record {
    /// The version of the server that last ran on it.
    pub(super) version: String,
    /// A digest of the password of all users.
    pub(super) password: String,
    /// The users that were made.
    pub(super) users: Vec<String>,
    /// The databases that were made.
    pub(super) databases: Vec<String>,
    /// The extensions, with their databases.
    pub(super) extensions: Vec<(String, String)>,
    /// The files that were run.
    pub(super) init: Vec<String>,
}

impl Record {
    /// That of a data folder; an empty one if it has none.
    pub(super) fn read(data: &Path) -> Result<Self, String> {
        let path = data.join(NAME);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|error| format!("cannot understand {}: {error}", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("cannot read {}: {error}", path.display())),
        }
    }

    /// Keeps it.
    pub(super) fn write(&self, data: &Path) -> Result<(), String> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        write_atomic(&data.join(NAME), &text).map_err(|error| error.to_string())
    }
}
