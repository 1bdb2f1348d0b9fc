//! Arguments of the commands that show what has happened.

use clap::Args;

use crate::cli::complete::services;

/// Arguments of `logs`.
#[derive(Args, Debug)]
pub struct Logs {
    /// The services; none: all.
    #[arg(value_name = "SERVICE", add = services())]
    pub services: Vec<String>,
    /// Goes on showing new lines until Ctrl-C.
    #[arg(short, long)]
    pub follow: bool,
    /// Shows the last N lines of each service (default: 100 on a terminal, else all).
    #[arg(short = 'n', long, value_name = "N")]
    pub lines: Option<usize>,
    /// Shows only lines since then: a duration like `5m`, or a time like `2026-01-31T12:00:00Z`.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Shows when each line was written.
    #[arg(long)]
    pub timestamps: bool,
    /// Prints one JSON object per line.
    #[arg(long)]
    pub json: bool,
    /// Shows only lines that match this regular expression.
    #[arg(long, value_name = "RE")]
    pub grep: Option<String>,
}

/// Arguments of `requests`.
#[derive(Args, Debug)]
pub struct Requests {
    /// The services; none: all.
    #[arg(value_name = "SERVICE", add = services())]
    pub services: Vec<String>,
    /// Goes on showing new requests until Ctrl-C.
    #[arg(short, long)]
    pub follow: bool,
    /// Shows the last N requests of each service (default: 100 on a terminal, else all).
    #[arg(short = 'n', long, value_name = "N")]
    pub lines: Option<usize>,
    /// Prints one JSON object per line.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `events`.
#[derive(Args, Debug)]
pub struct Events {
    /// Goes on until Ctrl-C.
    #[arg(short, long)]
    pub follow: bool,
    /// Shows the events of every project and of the daemon.
    #[arg(long)]
    pub all: bool,
    /// Shows only events after this sequence number.
    #[arg(long, value_name = "SEQ")]
    pub after: Option<u64>,
    /// Prints one JSON object per line.
    #[arg(long)]
    pub json: bool,
}
