//! Arguments of `server`.

use clap::{Args, Subcommand};

/// What to do with the daemon.
#[derive(Debug, Subcommand)]
pub enum Server {
    /// Starts the daemon, if there is none.
    #[command(after_help = "Examples:\n  locald server start\n  \
                            locald server start --foreground   for a service manager")]
    Start(ServerStart),
    /// Stops all services, then the daemon.
    Stop,
    /// Says whether there is a daemon, and which.
    #[command(after_help = "Example:\n  locald server status --json")]
    Status {
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Stops the daemon and starts it again.
    Restart,
    /// Has this program take the daemon's place: no service restarts, no connection is refused.
    Upgrade,
    /// Shows the daemon's own log.
    #[command(after_help = "Example:\n  locald server logs -n 50 -f")]
    Logs {
        /// Goes on showing new lines until Ctrl-C.
        #[arg(short, long)]
        follow: bool,
        /// Shows the last N lines (default: 100 on a terminal, else all).
        #[arg(short = 'n', long, value_name = "N")]
        lines: Option<usize>,
    },
}

/// Arguments of `server start`.
#[derive(Args, Debug)]
pub struct ServerStart {
    /// Stays in the foreground and logs to standard error.
    #[arg(long)]
    pub foreground: bool,
    /// This process is the detached daemon.
    #[arg(long, hide = true, conflicts_with = "foreground")]
    pub detached: bool,
}
