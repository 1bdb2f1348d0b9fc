//! `locald run-as`: what root starts for a server that refuses to run as root.

use crate::{
    cli::{
        args,
        error::{Error, Kind},
    },
    os::exec,
};

/// Becomes the program; comes back only with the reason why not.
pub fn run(args: &args::RunAs) -> Result<(), Error> {
    let error = exec::become_other(args.uid, args.gid, &args.command);
    let program = args.command[0].to_string_lossy();
    let what = format!("cannot run {program} as user {}", args.uid);
    Err(Error::new(Kind::Code(126), what).because(error))
}
