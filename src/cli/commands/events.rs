//! `locald events`: what happened, and what happens.

use crate::{
    api::event::Event,
    cli::{args, client::Query, context::Context, error::Error, project::Project, render},
};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Events) -> Result<(), Error> {
    let mut query = Query::new("/v1/events");
    if !args.all
        && let Some(project) = Project::here_if_any()?
    {
        query = query.dir(&project.dir);
    }
    if args.follow {
        query = query.with("follow", "true");
    }
    query = query.maybe("after", args.after.map(|seq| seq.to_string()));
    let mut client = context.daemon().await?;
    let mut events = client.watch::<Event>(&query).await?;
    while let Some(event) = events.next().await? {
        if args.json {
            context.out.json_line(&event)?;
        } else {
            context.out.line(&render::events::event(&event, context.out.paint))?;
        }
    }
    Ok(())
}
