//! `locald down`: stops the project and forgets it.

use super::{operate::Verb, stop};
use crate::cli::{args, context::Context, error::Error, project::Project};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Down) -> Result<(), Error> {
    let project = Project::at_or_here(args.path.as_deref())?;
    stop::run_as(Verb::Down, context, &project, &[]).await
}
