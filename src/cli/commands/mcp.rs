//! `locald mcp`: the Model Context Protocol on standard input and output, for coding agents.
//!
//! Each call of a tool does what the command of its name does, by the same functions, with a connection of its own:
//! a daemon may come and go between two of them. Standard output belongs to the protocol alone.

mod answer;
mod arguments;
mod operate;
mod read;
mod server;
mod tail;
mod tools;

use std::io::IsTerminal as _;

use rmcp::{
    ServiceExt as _, service::ServerInitializeError, transport::async_rw::AsyncRwTransport,
};
use tokio::{
    io, runtime,
    signal::unix::{SignalKind, signal},
};

use self::server::Server;
use crate::cli::{context::Context, error::Error, output};

/// The longest message that is read.
const LONGEST: usize = 1 << 20;

/// Runs the command.
pub fn run() -> Result<(), Error> {
    let context = Context::of_process()?;
    if std::io::stdin().is_terminal() {
        output::note(
            "this speaks the Model Context Protocol with a coding agent, which starts it with the command \
             `locald` and the argument `mcp`; Ctrl-C ends it",
        );
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(cannot_serve)?;
    let done = runtime.block_on(serve(context));
    // A read of standard input that waits cannot be called off, and need not be waited for.
    runtime.shutdown_background();
    done
}

/// Until the input ends, or somebody tells us to.
async fn serve(context: Context) -> Result<(), Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot_serve)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot_serve)?;
    tokio::select! {
        done = talk(context) => done,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

async fn talk(context: Context) -> Result<(), Error> {
    let transport =
        AsyncRwTransport::new_server(io::stdin(), io::stdout()).with_max_line_length(LONGEST);
    match Server::new(context).serve(transport).await {
        Ok(session) => session.waiting().await.map(|_closed| ()).map_err(cannot_serve),
        Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(ServerInitializeError::ExpectedInitializeRequest(_)) => {
            Err(Error::usage("the first message is no `initialize`"))
        }
        Err(error) => Err(cannot_serve(error)),
    }
}

fn cannot_serve(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::failed("cannot serve the Model Context Protocol").because(error)
}
