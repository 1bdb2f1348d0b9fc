//! `locald server restart`: another daemon, and all that is wanted started anew.
//!
//! Where the proxy already listens on the ports that it is to have, the sockets are kept, as by an upgrade:
//! who connects meanwhile waits. Otherwise everything ends first, so that the next daemon looks for ports anew.

use std::env;

use super::{start, stop, upgrade};
use crate::{
    api::{
        PROTOCOL,
        control::{Progress, Request},
        status::{Daemon, Project, Status},
    },
    cli::{
        client::{Client, Query},
        context::Context,
        error::Error,
        output,
    },
    os::global_file,
};

/// Runs the command.
pub(super) async fn run(context: &Context) -> Result<(), Error> {
    if !has_its_ports(context).await? || !upgrade::replaced(context).await? {
        stop(context).await?;
        return start(context).await;
    }
    let mut client = context.daemon().await?;
    let status: Status = client.get(&Query::new("/v1/status")).await?;
    for project in &status.projects {
        // The others are not to suffer.
        if let Err(error) = again(&mut client, project).await {
            output::note(&format!("{} is not restarted: {}", project.name, error.message));
        }
    }
    context.out.line(&format!("the daemon is running (pid {})", client.daemon().pid))
}

/// Whether the proxy of the daemon listens where the configuration of now wants it to.
async fn has_its_ports(context: &Context) -> Result<bool, Error> {
    let Some(mut client) = Client::connect_to_any(&context.places.socket).await? else {
        return Ok(false);
    };
    if client.daemon().protocol != PROTOCOL {
        return Ok(false);
    }
    let Ok(global) = global_file::read(&context.places.config_file) else { return Ok(false) };
    let status: Status = client.get(&Query::new("/v1/status")).await?;
    let Daemon { http, https, .. } = status.daemon;
    let wanted =
        |variable: &str, port: u16| env::var(variable).map_or(Some(port), |text| text.parse().ok());
    let doors = [
        (http, wanted("LOCALD_HTTP_PORT", global.proxy.http_port)),
        (https, wanted("LOCALD_HTTPS_PORT", global.proxy.https_port)),
    ];
    Ok(doors.iter().all(|(is, wanted)| is.is_some_and(|is| Some(is.port()) == *wanted)))
}

/// Restarts what is wanted of a project, for whom it was started.
async fn again(client: &mut Client, project: &Project) -> Result<(), Error> {
    let request =
        Request { dir: project.path.clone(), as_before: true, no_wait: true, ..Request::default() };
    let mut stream = client.operate::<Progress>("/v1/restart", &request).await?;
    let mut problem = None;
    while let Some(item) = stream.next().await? {
        if let Progress::Done(outcome) = item {
            problem = outcome.problem;
        }
    }
    problem.map_or(Ok(()), |problem| Err(problem.into()))
}
