//! `locald restart`: restarts services and waits until they are healthy again.

use super::{operate::Verb, start};
use crate::cli::{args, context::Context, error::Error};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Restart) -> Result<(), Error> {
    start::run_as(Verb::Restart, context, &args.start, args.cascade).await
}
