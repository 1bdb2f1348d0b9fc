//! `locald env`: the environment of a service.

use super::run::environment;
use crate::cli::{args, context::Context, error::Error, render::shell};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Named) -> Result<(), Error> {
    let around = environment(context, &args.service, false).await?;
    if args.json {
        context.out.json(&around.env)
    } else {
        context.out.write(shell::assignments(&around.env).as_bytes())
    }
}
