//! `locald run`: a command beside a service.

use std::io::ErrorKind;

use super::{
    block_on,
    operate::{Operation, Verb, refuse_unknown},
};
use crate::{
    api::control::{EnvRequest, Environment},
    cli::{
        args::{self, Waiting},
        context::{Context, caller_environment},
        error::{Error, Kind},
        project::Project,
    },
    os::exec,
};

/// Runs the command: becomes it, so that its exit code, its signals and its terminal are its own.
pub fn run(args: &args::Run) -> Result<(), Error> {
    let context = Context::of_process()?;
    let preparing = async {
        if args.up {
            start_needs(&context, &args.service).await?;
        }
        environment(&context, &args.service, args.up).await
    };
    let around = block_on(preparing)?.map_err(|mut error| {
        if matches!(error.kind, Kind::NoDaemon | Kind::Gone) {
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

/// Starts what the service depends on.
async fn start_needs(context: &Context, service: &str) -> Result<(), Error> {
    let project = Project::here()?;
    let plan = project.plan()?;
    refuse_unknown(&plan, &[service.to_owned()])?;
    let mut client = context.daemon_or_start().await?;
    let needs = plan.service(service).map(|service| &*service.needs).unwrap_or_default();
    let needs: Vec<String> = needs.iter().map(|need| need.on.to_string()).collect();
    if needs.is_empty() {
        return Ok(());
    }
    let operation = Operation {
        verb: Verb::Start,
        project: &project,
        services: &needs,
        cascade: false,
        waiting: Waiting { no_wait: false, json: false },
        timeout: None,
        silent: true,
    };
    operation.run(context, &mut client).await
}

/// The environment of a service, from the daemon; `load`: also where the project is not up.
pub async fn environment(
    context: &Context,
    service: &str,
    load: bool,
) -> Result<Environment, Error> {
    let project = Project::here()?;
    let mut client = context.daemon().await?;
    let env = caller_environment();
    let (service, build) = (service.to_owned(), false);
    let request = EnvRequest { dir: project.dir, service, env, load, build };
    client.post("/v1/env", &request).await
}
