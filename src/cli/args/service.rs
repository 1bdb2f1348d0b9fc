//! Arguments of `service`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{ServiceAdd, Waiting, duration};
use crate::cli::complete::provided;

/// What to do with a service that locald provides.
#[derive(Debug, Subcommand)]
pub enum Service {
    /// Adds a provisioned service to `locald.toml`; comments, order and formatting stay.
    #[command(after_help = "Example:\n  locald service add postgres db")]
    Add(ServiceAdd),
    /// Throws the data of a service away and starts it afresh, and what depends on it with it.
    ///
    /// Asks first. Tasks that depend on it, such as migrations, run again. No other data is touched.
    #[command(after_help = "Example:\n  locald service reset db --yes")]
    Reset(Reset),
}

/// Arguments of `service reset`.
#[derive(Args, Debug)]
pub struct Reset {
    /// The service, of type postgres or redis.
    #[arg(add = provided())]
    pub service: String,
    /// Does not ask.
    #[arg(long)]
    pub yes: bool,
    /// Gives up waiting after this time; the services are left as they are.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Whether to wait, and how to show it.
    #[command(flatten)]
    pub waiting: Waiting,
}
