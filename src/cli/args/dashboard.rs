//! `dashboard`.

use clap::Args;

/// Arguments of `dashboard`.
#[derive(Args, Debug)]
pub struct Dashboard {
    /// Prints the URL and opens nothing.
    #[arg(long)]
    pub print: bool,
    /// Prints the URL as JSON and opens nothing.
    #[arg(long)]
    pub json: bool,
}
