//! How often infrastructure may fail, and the way in for tests that make it fail.

use std::time::Duration;

use crate::supervision::budget::Limit;

/// Set for a daemon that is to be tested: clients may make its actors panic. A number is how many
/// restarts a minute infrastructure is allowed, instead of [`LIMIT`]; they are quick then.
const FAULTS: &str = "LOCALD_FAULTS";

/// Three times a minute, before the supervisor gives up.
const LIMIT: Limit = Limit {
    restarts: 3,
    within: Duration::from_mins(1),
    initial: Duration::from_millis(50),
    factor: 4.0,
    max: Duration::from_secs(1),
};

/// Whether clients may make actors panic.
pub(super) fn faults() -> bool {
    std::env::var_os(FAULTS).is_some()
}

/// What infrastructure is allowed.
pub(super) fn limit() -> Limit {
    let chosen = std::env::var(FAULTS).ok().and_then(|number| number.parse().ok());
    chosen.map_or(LIMIT, |restarts| Limit {
        restarts,
        initial: Duration::from_millis(1),
        max: Duration::from_millis(10),
        ..LIMIT
    })
}
