//! `locald server`: the daemon.

pub mod log;
mod restart;
mod upgrade;

use std::time::Duration;

use nix::{sys::signal::Signal, unistd::Pid};
use serde_json::json;

use crate::{
    api::{
        control::{Outcome, Progress},
        status::Status,
    },
    cli::{
        args::Server,
        autostart::{await_end, connect_or_start},
        client::{Client, Query},
        context::Context,
        error::Error,
        output,
        render::text::span,
    },
};

/// How long a daemon may take to be gone after it has said that it is done.
const END: Duration = Duration::from_secs(10);

/// Runs the command.
pub async fn run(context: &Context, args: &Server) -> Result<(), Error> {
    match args {
        Server::Start(_) => start(context).await,
        Server::Stop => {
            let had_one = stop(context).await?;
            context.out.line(if had_one {
                "the daemon has stopped"
            } else {
                "no daemon is running"
            })
        }
        Server::Status { json } => status(context, *json).await,
        Server::Restart => restart::run(context).await,
        Server::Upgrade => upgrade::run(context).await,
        Server::Logs { follow, lines } => log::run(context, *follow, *lines).await,
    }
}

async fn start(context: &Context) -> Result<(), Error> {
    let (client, started) = connect_or_start(&context.places).await?;
    let pid = client.daemon().pid;
    let already = if started { "" } else { " already" };
    context.out.line(&format!("the daemon is{already} running (pid {pid})"))
}

/// Stops the daemon, whatever its protocol; answers whether there was one.
async fn stop(context: &Context) -> Result<bool, Error> {
    let Some(mut client) = Client::connect_to_any(&context.places.socket).await? else {
        return Ok(false);
    };
    let (pid, heart) = (client.daemon().pid, client.daemon().heart);
    let outcome = match shut_down(&mut client).await {
        Ok(outcome) => outcome,
        // It may speak so differently that it does not understand, or be gone before its last word.
        Err(_) if client.daemon().protocol != crate::api::PROTOCOL => {
            terminate(pid)?;
            Outcome::default()
        }
        Err(error) => {
            if !await_end(pid, END).await {
                return Err(error);
            }
            Outcome::default()
        }
    };
    drop(client);
    for note in &outcome.notes {
        output::note(note);
    }
    if !await_end(pid, END).await {
        return Err(Error::failed(format!("the daemon (pid {pid}) does not end"))
            .hinted(format!("`kill -9 {pid}` ends it; the next one stops what it left running")));
    }
    // Which ends with it; who starts another daemon need not think of this one any more.
    if let Some(heart) = heart {
        await_end(heart, END).await;
    }
    if let Some(problem) = outcome.problem {
        return Err(problem.into());
    }
    if outcome.failures.is_empty() {
        return Ok(true);
    }
    let error = Error::failed("the daemon has stopped, and not everything that it ran");
    Err(outcome.failures.iter().fold(error, |error, failure| {
        error.detailed(format!("  {}: {}", failure.service, failure.reason))
    }))
}

async fn shut_down(client: &mut Client) -> Result<Outcome, Error> {
    let mut stream = client.operate::<Progress>("/v1/shutdown", &json!({})).await?;
    while let Some(item) = stream.next().await? {
        if let Progress::Done(outcome) = item {
            return Ok(outcome);
        }
    }
    Err(Error::no_daemon("the daemon went away before it was done"))
}

fn terminate(pid: i32) -> Result<(), Error> {
    if pid <= 1 {
        return Err(Error::failed("cannot tell which process the daemon is"));
    }
    nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGTERM).map_err(|error| {
        Error::failed(format!("cannot stop the daemon (pid {pid})")).because(error)
    })
}

async fn status(context: &Context, json: bool) -> Result<(), Error> {
    let mut client = context.daemon().await?;
    client.daemon().mention_other_release();
    let status: Status = client.get(&Query::new("/v1/status")).await?;
    if json {
        return context.out.json(&status.daemon);
    }
    let daemon = &status.daemon;
    let address = |address: Option<std::net::SocketAddr>| {
        address.map_or_else(|| "-".to_owned(), |address| address.to_string())
    };
    let text = format!(
        "the daemon is running\n  pid      {}\n  version  {}\n  uptime   {}\n  socket   {}\n  \
         http     {}\n  https    {}\n  heart    {}\n  projects {}\n",
        daemon.pid,
        daemon.version,
        span(daemon.uptime_s),
        daemon.socket.display(),
        address(daemon.http),
        address(daemon.https),
        daemon.heart.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
        status.projects.len(),
    );
    context.out.write(text.as_bytes())
}
