//! `POST /v1/dashboard`: a way into the dashboard.

use serde::{Deserialize, Serialize};

/// The answer, and that of `locald dashboard --json`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Invitation {
    /// Where it is; opened once, within the time, it logs the browser in.
    pub url: String,
    /// How many seconds it is good.
    pub expires_s: f64,
}
