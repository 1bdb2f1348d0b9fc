//! `locald why`: why a service is in its state.

use crate::{
    api::why::Why,
    cli::{args, client::Query, context::Context, error::Error, project::Project, render},
};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Named) -> Result<(), Error> {
    let why = ask(context, &args.service).await?;
    if args.json {
        context.out.json(&why)
    } else {
        context.out.write(render::why::why(&why, context.out.paint).as_bytes())
    }
}

/// What the daemon says of the service.
pub async fn ask(context: &Context, service: &str) -> Result<Why, Error> {
    let project = Project::here()?;
    let mut client = context.daemon().await?;
    client.get(&Query::new("/v1/why").dir(&project.dir).with("service", service)).await
}
