//! `locald requests`: what the proxy was asked, and what was answered.

use jiff::tz::TimeZone;

use crate::{
    api::requests::Request,
    cli::{
        args,
        client::{Following, Query},
        context::Context,
        error::Error,
        project::Project,
        render,
    },
};

/// So many requests of each service are shown on a terminal.
const ON_TERMINAL: usize = 100;

/// Runs the command.
pub async fn run(context: &Context, args: &args::Requests) -> Result<(), Error> {
    let project = Project::here()?;
    let last = args.lines.or_else(|| context.out.terminal.then_some(ON_TERMINAL));
    let query = Query::new("/v1/requests")
        .dir(&project.dir)
        .services(&args.services)
        .maybe("lines", last.map(|last| last.to_string()))
        .maybe("follow", args.follow.then_some("true"));
    let client = context.daemon().await?;
    let mut requests = Following::<Request, _>::begin(client, query, args.follow).await?;
    let zone = TimeZone::system();
    while let Some(request) = requests.next().await? {
        if args.json {
            context.out.json_line(&request)?;
        } else {
            context.out.line(&render::requests::request(&request, &zone, context.out.paint))?;
        }
    }
    Ok(())
}
