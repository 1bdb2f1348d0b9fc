//! `locald start`: starts services of the project, and the daemon if there is none.

use super::operate::{Operation, Verb};
use crate::cli::{args, client::Client, context::Context, error::Error, project::Project};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Start) -> Result<(), Error> {
    run_as(Verb::Start, context, args, false).await
}

/// Starts or restarts.
pub async fn run_as(
    verb: Verb,
    context: &Context,
    args: &args::Start,
    cascade: bool,
) -> Result<(), Error> {
    let project = Project::here()?;
    let mut client = daemon(context, &project).await?;
    let operation = Operation {
        verb,
        project: &project,
        services: &args.services,
        cascade,
        waiting: args.waiting,
        timeout: args.timeout,
        silent: false,
    };
    operation.run(context, &mut client).await
}

/// A daemon that runs may know a better configuration than the one on disk; a new one does not.
pub async fn daemon(context: &Context, project: &Project) -> Result<Client, Error> {
    if let Some(client) = context.daemon_if_any().await? {
        return Ok(client);
    }
    project.plan()?;
    context.daemon_or_start().await
}
