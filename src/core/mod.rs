//! Pure decisions and data: no I/O, no clock, no environment, no randomness.

pub mod certs;
pub mod config;
pub mod diagnostic;
pub mod env_file;
pub mod id;
pub mod interpolate;
pub mod launch;
pub mod log;
pub mod near;
pub mod notify;
pub mod order;
pub mod plan;
pub mod ports;
pub mod probe;
pub mod routes;
pub mod shell;
pub mod state;
pub mod time;
pub mod watch;
