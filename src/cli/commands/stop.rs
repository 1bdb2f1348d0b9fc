//! `locald stop`: stops services of the project.

use super::operate::{Operation, Verb};
use crate::cli::{
    args::{self, Waiting},
    context::Context,
    error::{Error, Kind},
    project::Project,
};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Stop) -> Result<(), Error> {
    run_as(Verb::Stop, context, &Project::here()?, &args.services).await
}

/// Stops, or stops and forgets.
pub async fn run_as(
    verb: Verb,
    context: &Context,
    project: &Project,
    services: &[String],
) -> Result<(), Error> {
    let Some(mut client) = context.daemon_if_any().await? else {
        return context.out.line("no daemon is running, so nothing is to be stopped");
    };
    let operation = Operation {
        verb,
        project,
        services,
        cascade: false,
        waiting: Waiting { no_wait: false, json: false },
        timeout: None,
    };
    match operation.run(context, &mut client).await {
        Err(error) if error.kind == Kind::NoProject => {
            context.out.line(&format!("{} is not running", operation.name()))
        }
        done => done,
    }
}
