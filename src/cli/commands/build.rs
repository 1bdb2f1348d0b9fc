//! `locald build`: builds services, each in its own environment and folder.

use std::os::unix::process::ExitStatusExt as _;

use super::operate::refuse_unknown;
use crate::{
    api::control::{EnvRequest, Environment},
    cli::{
        args,
        client::Client,
        context::{Context, caller_environment},
        error::{Error, Kind},
        output,
        project::Project,
        render::text::clean,
    },
    core::plan::Plan,
    os::exec,
};

/// Runs the command: one build after the other, until one fails, whose exit code is passed on.
pub async fn run(context: &Context, args: &args::Build) -> Result<(), Error> {
    let project = Project::here()?;
    let plan = project.plan()?;
    refuse_unknown(&plan, &args.services)?;
    let services = chosen(&plan, &args.services)?;
    let mut client = context.daemon_or_start().await?;
    for service in &services {
        build(&mut client, &project, service, services.len() > 1).await?;
    }
    Ok(())
}

/// Those that are named, or all that have a build, each after what it needs.
fn chosen(plan: &Plan, names: &[String]) -> Result<Vec<String>, Error> {
    if let Some(name) = names.iter().find(|name| plan.service(name).is_some_and(|s| !s.has_build()))
    {
        return Err(Error::usage(format!("{name} has no `build`"))
            .hinted(format!("write `build = \"COMMAND\"` below `[services.{name}]`")));
    }
    let is_chosen = |name: &str| names.is_empty() || names.iter().any(|chosen| chosen == name);
    let order = plan.order().into_iter();
    let chosen = order.filter(|service| service.has_build() && is_chosen(&service.name));
    let chosen: Vec<String> = chosen.map(|service| service.name.to_string()).collect();
    if chosen.is_empty() {
        return Err(Error::failed(format!("no service of {} has a `build`", plan.project))
            .hinted("write `build = \"COMMAND\"` below a service"));
    }
    Ok(chosen)
}

async fn build(
    client: &mut Client,
    project: &Project,
    service: &str,
    named: bool,
) -> Result<(), Error> {
    let (dir, env) = (project.dir.clone(), caller_environment());
    let request = EnvRequest { dir, service: service.to_owned(), env, load: true, build: true };
    let around: Environment = client.post("/v1/env", &request).await?;
    let argv = around.build.unwrap_or_default();
    if argv.is_empty() {
        return Err(Error::failed("the daemon does not know how to build")
            .hinted("`locald server upgrade` has this program take its place"));
    }
    if named {
        output::note(&format!(
            "building {service}: {}",
            clean(argv.last().map_or("", |word| word))
        ));
    }
    let ended = exec::run_attached(&argv, &around.env, &around.workdir).await;
    let status = ended.map_err(|error| {
        let code = if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 };
        Error::new(Kind::Code(code), format!("cannot run the build of {service}")).because(error)
    })?;
    if status.success() {
        return Ok(());
    }
    let signal = status.signal().map_or(1, |signal| 128 + signal);
    let code = u8::try_from(status.code().unwrap_or(signal)).unwrap_or(1);
    Err(Error::new(Kind::Code(code), format!("the build of {service} failed: {status}")))
}
