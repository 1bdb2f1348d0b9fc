//! `locald site-server`: what the process of a `site` service is.

use crate::{
    cli::{args, error::Error},
    os::site,
};

/// Runs the command.
pub fn run(args: args::SiteServer) -> Result<(), Error> {
    let place = format!("{} on port {}", args.root.display(), args.port);
    site::serve(args.root, args.port)
        .map_err(|error| Error::failed(format!("cannot serve {place}")).because(error))
}
