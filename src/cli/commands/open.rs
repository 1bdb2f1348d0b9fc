//! `locald open`: a service in the browser.

use std::io::ErrorKind;

use super::url;
use crate::{
    cli::{args, context::Context, error::Error},
    os::exec,
};

const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

/// Runs the command.
pub async fn run(context: &Context, args: &args::Open) -> Result<(), Error> {
    let (_, url) = url::find(context, args.service.as_deref()).await?;
    context.out.line(&url)?;
    browse(&url)
}

/// Opens a URL in the browser.
pub fn browse(url: &str) -> Result<(), Error> {
    let failed = || Error::failed(format!("cannot open {url} in a browser"));
    match exec::run_quietly(OPENER, url) {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed().because(format!("{OPENER} ended with {status}"))),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(failed()
            .because(format!("there is no {OPENER}"))
            .hinted("install xdg-utils, or open the URL by hand")),
        Err(error) => Err(failed().because(error)),
    }
}
