//! What surrounds a launch, and the launch of what belongs to no service.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use super::EnvTexts;
use crate::{
    actors::context::ProjectContext,
    core::{
        id::ServiceName,
        launch::{self, Errand, Surroundings},
        plan::Plan,
    },
    os::ca,
    provision,
};

/// What is looked at while something is launched.
pub(super) struct Around<'a> {
    pub(super) texts: &'a EnvTexts,
    pub(super) project: &'a ProjectContext,
    pub(super) plan: &'a Plan,
    pub(super) ports: &'a HashMap<ServiceName, u16>,
    pub(super) caller_env: &'a BTreeMap<String, String>,
    pub(super) notify: &'a Path,
}

impl Around<'_> {
    pub(super) fn give<T>(&self, to: impl FnOnce(&Surroundings<'_>) -> T) -> T {
        let Self { texts, project, plan, ports, caller_env, notify } = *self;
        let places = &project.infra.places;
        let ca = ca::root_file(&ca::dir(&places.data_dir));
        to(&Surroundings {
            dir: &project.board.dir,
            caller_env,
            files: &|path| texts.get(path),
            port_of: &|name| ports.get(name).copied(),
            password_of: &|name, product| {
                provision::password(&places.data_dir, &plan.project, name, product)
            },
            public_url: &|name| {
                let host = project.board.service(name)?.host.load_full();
                project.infra.gate.url(Option::as_ref(&host)?)
            },
            notify_socket: notify,
            locald_exe: &project.infra.exe,
            // Also before it is made, which is a matter of milliseconds once in a life: what comes to be
            // there later would be a reason to launch the service again.
            ca: Some(&*ca),
        })
    }
}

/// What to run when something has happened to a service of the project; none: nothing.
pub(in crate::actors) fn on_event(project: &ProjectContext) -> Result<Option<Errand>, String> {
    let plan = project.plan.load_full();
    let mut texts = EnvTexts::default();
    texts.read(&project.board.dir, &launch::project_env_files(&plan))?;
    let (ports, caller) = (project.ports.load_full(), project.caller.load_full());
    // It is no service, and notifies nobody.
    let notify = Path::new("");
    let (texts, ports) = (&texts, &*ports);
    let around = Around { texts, project, plan: &plan, ports, caller_env: &caller.env, notify };
    around.give(|around| launch::on_event(&plan, around)).map_err(|error| error.to_string())
}

/// What builds a service, for this client; none: nothing.
pub(in crate::actors) fn build(
    project: &ProjectContext,
    name: &ServiceName,
    caller_env: &BTreeMap<String, String>,
) -> Result<Option<Errand>, String> {
    let plan = project.plan.load_full();
    let service = plan.service(name).ok_or("it is no longer in the configuration")?;
    let mut texts = EnvTexts::default();
    texts.read(&project.board.dir, &launch::env_files_of(&plan, service))?;
    let places = &project.infra.places;
    let notify = places.notify_socket(&plan.project, name).map_err(|error| error.to_string())?;
    let (texts, ports) = (&texts, &*project.ports.load_full());
    let around = Around { texts, project, plan: &plan, ports, caller_env, notify: &notify };
    around.give(|around| launch::build(&plan, service, around)).map_err(|error| error.to_string())
}
