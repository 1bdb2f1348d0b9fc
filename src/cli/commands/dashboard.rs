//! `locald dashboard`: all projects in the browser.

use super::open::browse;
use crate::{
    api::dashboard::Invitation,
    cli::{args, context::Context, error::Error},
};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Dashboard) -> Result<(), Error> {
    let mut client = context.daemon_or_start().await?;
    client.daemon().mention_other_release();
    let invitation: Invitation = client.post("/v1/dashboard", &()).await?;
    if args.json {
        return context.out.json(&invitation);
    }
    if args.print {
        return context.out.line(&invitation.url);
    }
    let (page, _secret) = invitation.url.split_once("/login").unwrap_or((&invitation.url, ""));
    context.out.line(page)?;
    browse(&invitation.url)
        .map_err(|error| error.hinted("`locald dashboard --print` prints a URL that logs you in"))
}
