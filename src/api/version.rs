//! The handshake: `GET /v1/version`.

use serde::{Deserialize, Serialize};

/// Who answers on the socket.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Version {
    /// The daemon's release.
    pub version: String,
    /// See [`super::PROTOCOL`].
    pub protocol: u32,
    /// The daemon's process id.
    pub pid: i32,
    /// The heart's process id; null without one.
    #[serde(default)]
    pub heart: Option<i32>,
}
