//! The commands, one per file.

pub mod add;
pub mod admin;
pub mod attach;
pub mod build;
pub mod check;
pub mod completions;
pub mod dashboard;
pub mod doctor;
pub mod down;
pub mod env;
pub mod events;
pub mod graph;
pub mod init;
pub mod logs;
pub mod man;
pub mod mcp;
pub mod monitor;
pub mod open;
pub mod operate;
pub mod requests;
pub mod restart;
pub mod run;
pub mod run_as;
pub mod schema;
pub mod server;
pub mod service;
pub mod site_server;
pub mod start;
pub mod status;
pub mod stop;
pub mod tree;
pub mod trust;
pub mod try_out;
pub mod up;
pub mod url;
pub mod wait;
pub mod why;

use std::process::ExitCode;

use tokio::runtime;

use crate::os::{exec::become_self, keep};

use super::{
    args::{Admin, Command, Server},
    context::Context,
    error::Error,
};

/// Runs a command to its end.
pub fn run(command: Command) -> Result<ExitCode, Error> {
    let done = match command {
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Completions { shell } => completions::run(shell),
        Command::Graph(args) => graph::run(&args),
        Command::Man { dir } => man::run(dir.as_deref()),
        Command::Schema => schema::run(),
        Command::SiteServer(args) => site_server::run(args),
        Command::RunAs(args) => run_as::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Mcp => mcp::run(),
        Command::Admin(Admin::Setup(args)) => admin::setup(&args),
        Command::Admin(Admin::Uninstall(args)) => admin::uninstall(&args),
        Command::Admin(Admin::Forget) => admin::forget(),
        Command::Doctor { json } => block_on(doctor::run(json))?,
        Command::TrustSystem { deed } => block_on(trust::as_root(deed))?,
        Command::Server(Server::Start(args)) if args.foreground && !is_kept() => {
            let error = become_self(&["heart", "--foreground"]);
            return Err(Error::no_daemon("cannot start the daemon").because(error));
        }
        Command::Server(Server::Start(args)) if args.foreground || args.detached => {
            return Ok(crate::daemon::run(args.foreground));
        }
        other => {
            let context = Context::of_process()?;
            block_on(with_daemon(&context, other))?
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Whether a heart has started us.
fn is_kept() -> bool {
    std::env::var_os(keep::FD).is_some()
}

async fn with_daemon(context: &Context, command: Command) -> Result<(), Error> {
    match command {
        Command::Up(args) => up::run(context, &args).await,
        Command::Down(args) => down::run(context, &args).await,
        Command::Start(args) => start::run(context, &args).await,
        Command::Stop(args) => stop::run(context, &args).await,
        Command::Restart(args) => restart::run(context, &args).await,
        Command::Status(args) => status::run(context, &args).await,
        Command::Logs(args) => logs::run(context, &args).await,
        Command::Requests(args) => requests::run(context, &args).await,
        Command::Tree(args) => tree::run(context, &args).await,
        Command::Monitor(args) => monitor::run(context, &args).await,
        Command::Attach(args) => attach::run(context, &args).await,
        Command::Build(args) => build::run(context, &args).await,
        Command::Env(args) => env::run(context, &args).await,
        Command::Url(args) => url::run(context, &args).await,
        Command::Open(args) => open::run(context, &args).await,
        Command::Dashboard(args) => dashboard::run(context, &args).await,
        Command::Wait(args) => wait::run(context, &args).await,
        Command::Why(args) => why::run(context, &args).await,
        Command::Events(args) => events::run(context, &args).await,
        Command::Add(args) => add::run(context, &args).await,
        Command::Try(args) => try_out::run(context, &args).await,
        Command::Service(args) => service::run(context, &args).await,
        Command::Server(args) => server::run(context, &args).await,
        Command::Trust(args) => trust::run(context, &args).await,
        Command::Admin(_) => admin::sync_hosts(context).await,
        Command::Init(_)
        | Command::Check(_)
        | Command::Completions { .. }
        | Command::Doctor { .. }
        | Command::Graph(_)
        | Command::Man { .. }
        | Command::Schema
        | Command::SiteServer(_)
        | Command::RunAs(_)
        | Command::Run(_)
        | Command::Mcp
        | Command::TrustSystem { .. } => unreachable!("these need no daemon, or end themselves"),
    }
}

/// Runs what waits for the daemon: one thread is enough, and the fastest to start.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Error> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::failed("cannot begin").because(error))?;
    Ok(runtime.block_on(work))
}
