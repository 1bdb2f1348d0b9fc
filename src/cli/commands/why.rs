//! `locald why`: why a service is in its state.

use crate::{
    api::why::Why,
    cli::{args, client::Query, context::Context, error::Error, project::Project, render},
};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Named) -> Result<(), Error> {
    let project = Project::here()?;
    let mut client = context.daemon().await?;
    let query = Query::new("/v1/why").dir(&project.dir).with("service", &args.service);
    let why: Why = client.get(&query).await?;
    if args.json {
        context.out.json(&why)
    } else {
        context.out.write(render::why::why(&why, context.out.paint).as_bytes())
    }
}
