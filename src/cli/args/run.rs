//! Arguments of what runs beside the services.

use std::ffi::OsString;

use clap::Args;

use crate::cli::complete::services;

/// Arguments of `run`.
#[derive(Args, Debug)]
pub struct Run {
    /// The service whose environment and folder to use.
    #[arg(add = services())]
    pub service: String,
    /// Starts what the service depends on, and waits until it is healthy.
    #[arg(long)]
    pub up: bool,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// Arguments of `build`.
#[derive(Args, Debug)]
pub struct Build {
    /// The services; none: all that have a `build`.
    #[arg(value_name = "SERVICE", add = services())]
    pub services: Vec<String>,
}
