//! `POST /v1/upgrade`: the daemon makes way for another program, and what runs goes on. Answered by the
//! [`Version`](super::version::Version) of the daemon that will then be gone.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The body.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Upgrade {
    /// The program, absolute.
    pub program: PathBuf,
    /// What it understands of what a daemon leaves: a word for every format, which must be the daemon's own.
    pub formats: String,
}
