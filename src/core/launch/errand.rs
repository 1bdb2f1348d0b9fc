//! What is run beside the services: for a project as a whole, or to build one of them.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    EnvFileRef, LaunchError, Surroundings, environment,
    render::{Ports, Render},
    shell, workdir,
};
use crate::core::plan::{EnvFiles, Plan, Run, ServicePlan};

/// A command with all it needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Errand {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// The folder to run in.
    pub dir: PathBuf,
}

/// The project's env files, in the order of precedence, later wins.
pub fn project_env_files(plan: &Plan) -> Vec<EnvFileRef> {
    let named = |path: &String| EnvFileRef { path: path.clone(), required: true };
    match &plan.env_files {
        EnvFiles::Default => vec![EnvFileRef { path: ".env".to_owned(), required: false }],
        EnvFiles::Named(paths) => paths.iter().map(named).collect(),
    }
}

/// What to run when something has happened; none if the configuration has nothing for that.
pub fn on_event(plan: &Plan, around: &Surroundings<'_>) -> Result<Option<Errand>, LaunchError> {
    let Some(run) = &plan.on_event else { return Ok(None) };
    let ports = Ports { plan, around };
    let env = environment::of_project(&ports)?;
    errand(&ports, run, "on_event", env, around.dir.to_owned())
}

/// What builds a service, with its environment and in its folder; none if nothing does.
pub fn build(
    plan: &Plan,
    service: &ServicePlan,
    around: &Surroundings<'_>,
) -> Result<Option<Errand>, LaunchError> {
    let Some(run) = &service.build else { return Ok(None) };
    let ports = Ports { plan, around };
    let env = environment::resolve(&ports, service, ports.of(service)?)?;
    errand(&ports, run, "build", env, workdir(service, around))
}

fn errand(
    ports: &Ports<'_, '_>,
    run: &Run,
    place: &str,
    env: BTreeMap<String, String>,
    dir: PathBuf,
) -> Result<Option<Errand>, LaunchError> {
    let render = Render { ports, env: &env, injected: &BTreeMap::new() };
    let argv = match run {
        Run::Shell(command) => shell(render.template(command, place)?),
        Run::Argv(argv) => render.all(argv, place)?,
        // These keys have a command only.
        Run::Site { .. } | Run::Provided(_) => return Ok(None),
    };
    Ok(Some(Errand { argv, env, dir }))
}
