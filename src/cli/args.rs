//! The command line as types; the doc comments are the help texts.

mod add;
mod admin;
mod attach;
mod dashboard;
mod inner;
mod look;
mod monitor;
mod operate;
mod past;
mod run;
mod server;
mod service;
mod trust;

use std::{path::PathBuf, time::Duration};

use clap::{CommandFactory as _, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

pub use add::{Add, AddKind, Init, ServiceAdd, Try};
pub use admin::{Admin, Setup, Unsetup};
pub use attach::{Attach, ControlKey};
pub use dashboard::Dashboard;
pub use inner::{RunAs, SiteServer};
pub use look::{Check, Graph, GraphFormat, MaybeNamed, Named, Open, Status, Tree, Wait};
pub use monitor::Monitor;
pub use operate::{Down, Restart, Start, Stop, Up, Waiting};
pub use past::{Events, Logs, Requests};
pub use run::{Build, Run};
pub use server::{Server, ServerStart};
pub use service::{Reset, Service};
pub use trust::{Trust, TrustDeed};

/// Runs the services of your projects, supervised: they start in order, restart when they crash, and have names.
///
/// A project is a folder with a `locald.toml` (or a `Procfile`). Commands act on the project of the working folder
/// or of its nearest parent that is one.
#[derive(Debug, Parser)]
#[command(name = "locald", version, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    /// Runs as if started in this folder.
    #[arg(short = 'C', value_name = "DIR", global = true, value_hint = ValueHint::DirPath)]
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
                            locald up ../shop -f   another project, then its logs\n  \
                            locald up --ci         for a CI: plain lines and a report")]
    Up(Up),
    /// Stops the project and forgets it, its ports included.
    #[command(after_help = "Examples:\n  locald down           the project of this folder\n  \
                            locald down ../shop   another one")]
    Down(Down),
    /// Starts services and what they depend on, and waits until they are healthy.
    #[command(after_help = "Examples:\n  locald start          all that start by themselves\n  \
                            locald start web api  two, and what they need")]
    Start(Start),
    /// Stops services, those bonded to them first.
    #[command(after_help = "Examples:\n  locald stop           all of them\n  \
                            locald stop web")]
    Stop(Stop),
    /// Restarts services and waits until they are healthy again; clears the restart counters.
    #[command(after_help = "Examples:\n  locald restart web\n  \
                            locald restart --cascade db   with all that depend on it")]
    Restart(Restart),
    /// Shows the services: state, process, port, URL, and why anything is not healthy.
    #[command(after_help = "Examples:\n  locald status\n  \
                            locald status --all --watch")]
    Status(Status),
    /// Shows what services wrote.
    #[command(after_help = "Examples:\n  locald logs -f web api\n  \
                            locald logs --since 10m --grep 'error|panic'")]
    Logs(Logs),
    /// Shows the last requests that went through the proxy.
    #[command(after_help = "Examples:\n  locald requests -f web\n  \
                            locald requests -n 20 --json")]
    Requests(Requests),
    /// Shows the live supervision tree.
    #[command(after_help = "Examples:\n  locald tree\n  \
                            locald tree --all --watch")]
    Tree(Tree),
    /// Shows services, their logs and the supervision tree on the whole screen, and takes keys.
    ///
    /// Start, stop, restart, attach, search: `?` shows all keys. The mouse stays the terminal's, so that text can be
    /// selected, until `m` is pressed. It goes on over restarts of the daemon, and leaves the terminal as it was.
    #[command(after_help = "Example:\n  locald monitor")]
    Monitor(Monitor),
    /// Runs a command with the environment and in the folder of a service, and passes its exit code on.
    #[command(after_help = "Examples:\n  locald run web -- npm test\n  \
                            locald run --up web -- bin/console")]
    Run(Run),
    /// Builds services: runs the `build` of each with its environment and in its folder.
    ///
    /// One after the other, each after what it needs, until one fails, whose exit code is passed on. Nothing else is
    /// started or restarted.
    #[command(after_help = "Examples:\n  locald build       all that have a `build`\n  \
                            locald build web")]
    Build(Build),
    /// Connects your terminal with that of a service, both ways.
    ///
    /// You see what it shows and it gets what you type, Ctrl-C included, until the key that detaches. Several may look
    /// at once; one types.
    #[command(after_help = "Examples:\n  locald attach web\n  \
                            locald attach --detach-key ctrl-q editor")]
    Attach(Attach),
    /// Shows the environment of a service, completely resolved.
    #[command(after_help = "Example:\n  set -a; eval \"$(locald env web)\"; set +a")]
    Env(Named),
    /// Prints the URL of a service.
    #[command(after_help = "Example:\n  curl \"$(locald url api)/health\"")]
    Url(MaybeNamed),
    /// Opens the URL of a service in the browser.
    #[command(after_help = "Example:\n  locald open web")]
    Open(Open),
    /// Opens the dashboard in the browser, logged in.
    ///
    /// It shows all projects: services, the supervision tree, the dependency graph, logs, requests and events, live,
    /// and starts, stops and restarts. The URL logs one browser in, within a minute.
    #[command(after_help = "Example:\n  locald dashboard")]
    Dashboard(Dashboard),
    /// Waits until services are healthy (tasks: completed).
    ///
    /// Ends at once with exit code 1 when one of them is stopped or has failed, and with 5 after the timeout.
    #[command(after_help = "Example:\n  locald wait --timeout 30s web && npm test")]
    Wait(Wait),
    /// Explains why a service is in its state.
    #[command(after_help = "Example:\n  locald why web")]
    Why(Named),
    /// Shows the dependency graph of the configuration, also without a daemon.
    #[command(after_help = "Examples:\n  locald graph\n  \
                            locald graph --format dot | dot -Tsvg > graph.svg")]
    Graph(Graph),
    /// Shows what happened, and what happens.
    #[command(after_help = "Examples:\n  locald events -f\n  \
                            locald events --all --json --after 120")]
    Events(Events),
    /// Checks the configuration and shows all its errors, also without a daemon.
    #[command(after_help = "Examples:\n  locald check\n  \
                            locald check ../shop --json")]
    Check(Check),
    /// Has browsers and this system trust the certificates that locald makes.
    ///
    /// Makes the CA, if there is none, and adds it to the store of the system (which takes root: it asks through sudo)
    /// and to those of Firefox and Chromium. The CA can sign for names of this machine only, and its key never leaves
    /// your data folder. Exit code 1 unless every store trusts it.
    #[command(after_help = "Examples:\n  locald trust\n  \
                            locald trust --status")]
    Trust(Trust),
    /// The part of `trust` that takes root: reads the certificate from standard input.
    #[command(hide = true)]
    TrustSystem {
        /// What to do with it.
        deed: TrustDeed,
    },
    /// Writes a `locald.toml` for what is in this folder.
    ///
    /// Looks for a Procfile, package.json, Cargo.toml, manage.py and the like, shows what it would write, and asks.
    #[command(after_help = "Examples:\n  locald init\n  \
                            locald init --name shop --yes")]
    Init(Init),
    /// Adds a command to `locald.toml` as a service; comments, order and formatting stay.
    ///
    /// Makes a `locald.toml` where there is none. Nothing happens if a service with this command is there already.
    #[command(after_help = "Examples:\n  locald add -- npm run dev\n  \
                            locald add --name jobs --type worker -- 'bin/worker | tee jobs.log'")]
    Add(Add),
    /// Runs a command as a supervised service, with a port and a URL, until Ctrl-C.
    ///
    /// It runs in this folder, beside all projects; on a terminal you are asked at the end whether to keep it in
    /// `locald.toml`.
    #[command(after_help = "Examples:\n  locald try -- npm run dev\n  \
                            locald try -- 'python3 -m http.server $PORT'")]
    Try(Try),
    /// Shows what works on this machine, and what to do about the rest.
    ///
    /// Changes nothing and starts nothing. Exit code 1 if something that is needed does not work.
    #[command(after_help = "Example:\n  locald doctor --json | jq '.checks[] | select(.fix)'")]
    Doctor {
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Serves the Model Context Protocol on standard input and output, for coding agents.
    ///
    /// An agent that is told this command reads status, logs, reasons, requests and events of the project of the
    /// working folder, and starts, stops and restarts its services. Whatever is refused here is refused there, in the
    /// same words. Ends with its input.
    #[command(after_help = "Example, in an agent's configuration:\n  \
                            {\"mcpServers\": {\"locald\": {\"command\": \"locald\", \"args\": [\"mcp\"]}}}")]
    Mcp,
    /// Prints the JSON Schema of `locald.toml`.
    Schema,
    /// Prints what a shell is to read in order to complete commands, flags and the services of the project.
    #[command(after_help = "Examples:\n  \
        locald completions bash > ~/.local/share/bash-completion/completions/locald\n  \
        locald completions zsh > ~/.zfunc/_locald      with fpath+=~/.zfunc before compinit\n  \
        locald completions fish > ~/.config/fish/completions/locald.fish")]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Prints the manual page, or writes it and one for each command to a folder.
    #[command(
        hide = true,
        after_help = "Example:\n  locald man --dir ~/.local/share/man/man1 && man locald-up"
    )]
    Man {
        /// The folder, made if need be.
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
    /// Manages what locald provides itself: databases and the like.
    #[command(subcommand)]
    Service(Service),
    /// Starts, stops and inspects the daemon.
    #[command(subcommand)]
    Server(Server),
    /// Sets this machine up, once, as root: ports 80 and 443, trust, names.
    #[command(subcommand)]
    Admin(Admin),
    /// Serves static files: what a `site` service runs.
    #[command(hide = true)]
    SiteServer(SiteServer),
    /// Becomes a program, as another user: how root runs a server that refuses root.
    #[command(hide = true)]
    RunAs(RunAs),
}

/// The command line with texts that are sentences to their ends: clap takes the full stop of the first one away.
pub fn command() -> clap::Command {
    sentences(Cli::command())
}

fn sentences(mut command: clap::Command) -> clap::Command {
    let stopped = |text: String| {
        let ends = text.is_empty() || text.ends_with(['.', '!', '?', ':']);
        if ends { text } else { text + "." }
    };
    if let Some(about) = command.get_about().map(ToString::to_string) {
        command = command.about(stopped(about));
    }
    command
        .mut_args(|argument| match argument.get_help().map(ToString::to_string) {
            Some(help) => argument.help(stopped(help)),
            None => argument,
        })
        .mut_subcommands(sentences)
}

fn duration(text: &str) -> Result<Duration, String> {
    crate::core::time::parse_duration(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
