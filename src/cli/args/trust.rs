//! Arguments of `trust`.

use clap::{Args, ValueEnum};

/// Arguments of `trust`.
#[derive(Args, Debug)]
pub struct Trust {
    /// Shows which stores trust it, and changes nothing.
    #[arg(long)]
    pub status: bool,
    /// Takes it out of all stores again.
    #[arg(long, conflicts_with = "status")]
    pub uninstall: bool,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// What root does with the certificate.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TrustDeed {
    /// Adds it to the store of the system.
    Install,
    /// Takes it out.
    Uninstall,
}
