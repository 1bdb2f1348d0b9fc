//! The command line as types; the doc comments are the help texts.

mod admin;
mod past;

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use admin::{Admin, Setup, Unsetup};
pub use past::{Events, Logs, Requests};

/// Runs the services of your projects, supervised: they start in order, restart when they crash, and have names.
///
/// A project is a folder with a `locald.toml` (or a `Procfile`). Commands act on the project of the working folder
/// or of its nearest parent that is one.
#[derive(Debug, Parser)]
#[command(name = "locald", version, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    /// Runs as if started in this folder.
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Starts the project and waits until every started service is healthy.
    ///
    /// Starts the daemon if there is none. When a service fails, says which, why, and what it wrote last.
    #[command(after_help = "Examples:\n  locald up              the project of this folder\n  \
                            locald up web          one service and what it needs\n  \
                            locald up ../shop -f   another project, then its logs")]
    Up(Up),
    /// Stops the project and forgets it, its ports included.
    Down(Down),
    /// Starts services and what they depend on, and waits until they are healthy.
    Start(Start),
    /// Stops services, those bonded to them first.
    Stop(Stop),
    /// Restarts services and waits until they are healthy again; clears the restart counters.
    Restart(Restart),
    /// Shows the services: state, process, port, URL, and why anything is not healthy.
    Status(Status),
    /// Shows what services wrote.
    Logs(Logs),
    /// Shows the last requests that went through the proxy.
    Requests(Requests),
    /// Shows the live supervision tree.
    Tree(Tree),
    /// Runs a command with the environment and in the folder of a service, and passes its exit code on.
    #[command(after_help = "Example:\n  locald run web -- npm test")]
    Run(Run),
    /// Shows the environment of a service, completely resolved.
    #[command(after_help = "Example:\n  set -a; eval \"$(locald env web)\"; set +a")]
    Env(Named),
    /// Prints the URL of a service.
    Url(MaybeNamed),
    /// Opens the URL of a service in the browser.
    Open(Open),
    /// Waits until services are healthy (tasks: completed).
    ///
    /// Ends at once with exit code 1 when one of them is stopped or has failed, and with 5 after the timeout.
    Wait(Wait),
    /// Explains why a service is in its state.
    Why(Named),
    /// Shows the dependency graph of the configuration, also without a daemon.
    Graph(Graph),
    /// Shows what happened, and what happens.
    Events(Events),
    /// Checks the configuration and shows all its errors, also without a daemon.
    Check(Check),
    /// Has browsers and this system trust the certificates that locald makes.
    ///
    /// Makes the CA, if there is none, and adds it to the store of the system (which takes root: it asks through sudo)
    /// and to those of Firefox and Chromium. The CA can sign for names of this machine only, and its key never leaves
    /// your data folder. Exit code 1 unless every store trusts it.
    Trust(Trust),
    /// The part of `trust` that takes root: reads the certificate from standard input.
    #[command(hide = true)]
    TrustSystem {
        /// What to do with it.
        deed: TrustDeed,
    },
    /// Prints the JSON Schema of `locald.toml`.
    Schema,
    /// Prints the completions for a shell.
    #[command(
        after_help = "Example:\n  locald completions bash > ~/.local/share/bash-completion/completions/locald"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Starts, stops and inspects the daemon.
    #[command(subcommand)]
    Server(Server),
    /// Sets this machine up, once, as root: ports 80 and 443, trust, names.
    #[command(subcommand)]
    Admin(Admin),
    /// Serves static files: what a `site` service runs.
    #[command(hide = true)]
    SiteServer(SiteServer),
}

/// Arguments of `up`.
#[derive(Args, Debug)]
pub struct Up {
    /// The project's folder (`.`, `..`, or with a `/`), then services; none: all.
    #[arg(value_name = "PATH|SERVICE")]
    pub arguments: Vec<String>,
    /// Gives up waiting after this time; the services are left as they are.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub timeout: Duration,
    /// Whether to wait, and how to show it.
    #[command(flatten)]
    pub waiting: Waiting,
    /// Shows the logs afterwards; Ctrl-C leaves the services running.
    #[arg(short, long, conflicts_with_all = ["json", "no_wait"])]
    pub follow: bool,
}

/// Arguments of `start`.
#[derive(Args, Debug)]
pub struct Start {
    /// The services; none: all.
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Gives up waiting after this time; the services are left as they are.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Whether to wait, and how to show it.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Arguments of `restart`.
#[derive(Args, Debug)]
pub struct Restart {
    /// What to start again, and how long to wait.
    #[command(flatten)]
    pub start: Start,
    /// Restarts everything that depends on them as well.
    #[arg(long)]
    pub cascade: bool,
}

/// What starting commands have in common.
#[derive(Args, Clone, Copy, Debug)]
pub struct Waiting {
    /// Returns as soon as the daemon has taken the request.
    #[arg(long)]
    pub no_wait: bool,
    /// Prints the project's status as JSON at the end, and no progress.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `stop`.
#[derive(Args, Debug)]
pub struct Stop {
    /// The services; none: all.
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Arguments of `down`.
#[derive(Args, Debug)]
pub struct Down {
    /// The project's folder.
    pub path: Option<PathBuf>,
}

/// Arguments of `status`.
#[derive(Args, Debug)]
pub struct Status {
    /// Shows every project.
    #[arg(long)]
    pub all: bool,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// Goes on showing what changes until Ctrl-C.
    #[arg(long)]
    pub watch: bool,
}

/// Arguments of `tree`.
#[derive(Args, Debug)]
pub struct Tree {
    /// Shows the infrastructure and every project.
    #[arg(long)]
    pub all: bool,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// Goes on showing what changes until Ctrl-C.
    #[arg(long)]
    pub watch: bool,
}

/// Arguments of `run`.
#[derive(Args, Debug)]
pub struct Run {
    /// The service whose environment and folder to use.
    pub service: String,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// A service, shown as text or JSON.
#[derive(Args, Debug)]
pub struct Named {
    /// The service.
    pub service: String,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// A service or the main one, shown as text or JSON.
#[derive(Args, Debug)]
pub struct MaybeNamed {
    /// The service; none: `web`, or the only one with a URL.
    pub service: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `open`.
#[derive(Args, Debug)]
pub struct Open {
    /// The service; none: `web`, or the only one with a URL.
    pub service: Option<String>,
}

/// Arguments of `wait`.
#[derive(Args, Debug)]
pub struct Wait {
    /// The services; none: all that start by themselves.
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Gives up after this time.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
}

/// Arguments of `graph`.
#[derive(Args, Debug)]
pub struct Graph {
    /// How to write it.
    #[arg(long, value_enum, default_value_t = GraphFormat::Text)]
    pub format: GraphFormat,
    /// Short for `--format json`.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// How to write a graph.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum GraphFormat {
    /// For reading.
    Text,
    /// For Graphviz.
    Dot,
    /// For Markdown pages.
    Mermaid,
    /// For programs.
    Json,
}

/// Arguments of `check`.
#[derive(Args, Debug)]
pub struct Check {
    /// The project's folder.
    pub path: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

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

/// What to do with the daemon.
#[derive(Debug, Subcommand)]
pub enum Server {
    /// Starts the daemon, if there is none.
    Start(ServerStart),
    /// Stops all services, then the daemon.
    Stop,
    /// Says whether there is a daemon, and which.
    Status {
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Stops the daemon and starts it again.
    Restart,
    /// Shows the daemon's own log.
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

/// Arguments of `site-server`.
#[derive(Args, Debug)]
pub struct SiteServer {
    /// The folder to serve.
    #[arg(long)]
    pub root: PathBuf,
    /// The port to listen on.
    #[arg(long)]
    pub port: u16,
}

fn duration(text: &str) -> Result<Duration, String> {
    crate::core::time::parse_duration(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
