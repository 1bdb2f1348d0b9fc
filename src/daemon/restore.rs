//! Goes on where the last daemon was: reads `state.json`, starts what was wanted.

use std::{fs, io, path::PathBuf, sync::Arc};

use crate::{
    actors::{
        context::Caller,
        infra::Infra,
        project::{Command, Verb},
    },
    core::{
        plan::Plan,
        state::{self, ProjectState, State, VERSION},
    },
    os::{file, paths::Places, project_file},
};

/// What the last daemon left. What cannot be read is set aside, never fatal.
pub(super) fn state(places: &Places) -> State {
    let nothing =
        State { version: VERSION, boot_id: None, last_seq: 0, projects: vec![], leases: vec![] };
    let path = &places.state_file;
    let problem = match fs::read_to_string(path) {
        Ok(text) => match state::parse(&text) {
            Ok(state) => return state,
            Err(error) => error.to_string(),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => return nothing,
        Err(error) => error.to_string(),
    };
    match file::set_aside(path) {
        Ok(kept) => tracing::warn!(problem, kept = %kept.display(), "set the state aside"),
        Err(error) => tracing::warn!(problem, %error, "cannot set the state aside"),
    }
    nothing
}

/// Starts what was wanted when the last daemon ended. A project whose configuration is gone or has
/// errors is left out, which is said.
pub(super) async fn projects(infra: Infra, projects: Vec<ProjectState>) {
    for project in projects {
        let name = project.name.clone();
        if let Err(why) = restore(&infra, project).await {
            infra.events.record(Some(&name), None, "not-restored", Some(why));
        }
    }
}

async fn restore(infra: &Infra, project: ProjectState) -> Result<(), String> {
    let services: Vec<String> = project
        .services
        .iter()
        .filter(|(_, service)| service.wanted)
        .map(|(name, _)| name.to_string())
        .collect();
    let dir = PathBuf::from(&project.dir);
    let plan = plan(dir.clone()).await?;
    let services: Vec<String> =
        services.into_iter().filter(|name| plan.service(name).is_some()).collect();
    let opened = infra.projects.open(dir, plan.clone()).await.map_err(|error| error.to_string())?;
    let entry = opened.map_err(|clash| clash.to_string())?;
    entry.address.load(plan).await.map_err(|error| error.to_string())??;
    if services.is_empty() {
        return Ok(());
    }
    let caller =
        Caller { env: project.env, terminal: project.terminal.map(|size| (size.cols, size.rows)) };
    let command = Command { verb: Verb::Start, services, caller: Some(caller) };
    let taken = entry.address.command(command).await.map_err(|error| error.to_string())?;
    taken.map(drop).map_err(|refusal| refusal.to_string())
}

async fn plan(dir: PathBuf) -> Result<Arc<Plan>, String> {
    let read = tokio::task::spawn_blocking(move || project_file::plan(&dir));
    let plan = read.await.map_err(|error| error.to_string())?;
    plan.map(Arc::new).map_err(|error| error.to_string())
}
