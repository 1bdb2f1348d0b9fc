//! Arguments of `admin`.

use clap::{Args, Subcommand};

/// What to do with this machine.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Installs the privileged helper, for you alone: `sudo locald admin setup`.
    ///
    /// It binds ports 80 and 443 of this machine, installs roots that can sign for names of this machine only, and
    /// keeps a block of /etc/hosts. Shows what it does and asks first.
    #[command(after_help = "Examples:\n  sudo locald admin setup --dry-run\n  \
                            sudo \"$(command -v locald)\" admin setup --tld test")]
    Setup(Setup),
    /// Takes away all that `setup` and the helper have left.
    #[command(after_help = "Example:\n  sudo locald admin uninstall --dry-run")]
    Uninstall(Unsetup),
    /// Writes the names of what runs into the hosts file.
    SyncHosts,
    /// The part of `uninstall` that each user's things take.
    #[command(hide = true)]
    Forget,
}

/// Arguments of `admin setup`.
#[derive(Args, Debug)]
pub struct Setup {
    /// Does not ask.
    #[arg(long)]
    pub yes: bool,
    /// Shows what it would do, and does nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// For this user, by name or number, instead of the one who ran sudo.
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Allows names below this top-level domain, too.
    #[arg(long = "tld", value_name = "TLD")]
    pub tlds: Vec<String>,
}

/// Arguments of `admin uninstall`.
#[derive(Args, Debug)]
pub struct Unsetup {
    /// Does not ask.
    #[arg(long)]
    pub yes: bool,
    /// Shows what it would do, and does nothing.
    #[arg(long)]
    pub dry_run: bool,
}
