//! Arguments of `monitor`.

use clap::Args;

/// Arguments of `monitor`.
#[derive(Args, Debug)]
pub struct Monitor {
    /// Shows every project.
    #[arg(long)]
    pub all: bool,
}
