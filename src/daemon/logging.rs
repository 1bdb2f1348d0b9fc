//! The daemon's own log.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// What is logged unless `LOCALD_LOG` says otherwise.
const DEFAULT: &str = "info";

/// Logs to standard error: a terminal in the foreground, `daemon.log` else.
pub(super) fn start() {
    let filter = EnvFilter::try_from_env("LOCALD_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}
