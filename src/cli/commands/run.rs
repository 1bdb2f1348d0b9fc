//! `locald run`: a command beside a service.

use std::io::ErrorKind;

use super::block_on;
use crate::{
    api::control::{EnvRequest, Environment},
    cli::{
        args,
        context::{Context, caller_environment},
        error::{Error, Kind},
        project::Project,
    },
    os::exec,
};

/// Runs the command: becomes it, so that its exit code, its signals and its terminal are its own.
pub fn run(args: &args::Run) -> Result<(), Error> {
    let context = Context::of_process()?;
    let around = block_on(environment(&context, &args.service))?.map_err(|mut error| {
        if error.kind == Kind::NoDaemon {
            // Exit codes from here on are the command's own; this is as close as ours comes.
            error.kind = Kind::Failed;
        }
        error
    })?;
    let error = exec::become_command(&args.command, &around.env, &around.workdir);
    let (code, why) = match error.kind() {
        ErrorKind::NotFound => (127, "no such command".to_owned()),
        ErrorKind::NotADirectory => (1, error.to_string()),
        _ => (126, error.to_string()),
    };
    let program = args.command[0].to_string_lossy();
    Err(Error::new(Kind::Code(code), format!("cannot run {program}")).because(why))
}

/// The environment of a service, from the daemon.
pub async fn environment(context: &Context, service: &str) -> Result<Environment, Error> {
    let project = Project::here()?;
    let mut client = context.daemon().await?;
    let request =
        EnvRequest { dir: project.dir, service: service.to_owned(), env: caller_environment() };
    client.post("/v1/env", &request).await
}
