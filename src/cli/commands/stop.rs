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

/// What is said where there is nothing to stop, for want of a daemon.
pub const NO_DAEMON: &str = "no daemon is running, so nothing is to be stopped";

/// Stops, or stops and forgets.
pub async fn run_as(
    verb: Verb,
    context: &Context,
    project: &Project,
    services: &[String],
) -> Result<(), Error> {
    let Some(mut client) = context.daemon_if_any().await? else {
        return context.out.line(NO_DAEMON);
    };
    let operation = operation(verb, project, services);
    match operation.run(context, &mut client).await {
        Err(error) if error.kind == Kind::NoProject => {
            context.out.line(&format!("{} is not running", operation.name()))
        }
        done => done,
    }
}

/// The stop of these services; none: all.
pub fn operation<'a>(verb: Verb, project: &'a Project, services: &'a [String]) -> Operation<'a> {
    Operation {
        verb,
        project,
        services,
        cascade: false,
        waiting: Waiting { no_wait: false, json: false },
        timeout: None,
        silent: false,
    }
}
