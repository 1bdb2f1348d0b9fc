//! `locald events`: what happened, and what happens.

use crate::cli::{
    args,
    client::{Following, Query, following::Events},
    context::Context,
    error::Error,
    project::Project,
    render,
};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Events) -> Result<(), Error> {
    let query = query(args.all, None)?.maybe("follow", args.follow.then_some("true"));
    let resume = Events { query, after: args.after };
    let mut events = Following::begin(context.daemon().await?, resume, args.follow).await?;
    while let Some(event) = events.next().await? {
        if args.json {
            context.out.json_line(&event)?;
        } else {
            context.out.line(&render::events::event(&event, context.out.paint))?;
        }
    }
    Ok(())
}

/// The events after this one, of the project of the working folder or of everything.
pub fn query(all: bool, after: Option<u64>) -> Result<Query, Error> {
    let project = Project::unless_all(all)?;
    let query = Query::new("/v1/events").maybe_dir(project.as_ref().map(|project| &*project.dir));
    Ok(query.maybe("after", after.map(|seq| seq.to_string())))
}
