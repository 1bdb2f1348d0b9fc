//! Goes on where the last daemon was: reads `state.json`, starts what was wanted.

use std::{collections::HashSet, fs, io, path::PathBuf, sync::Arc};

use super::estate::Estate;
use crate::{
    actors::{
        board::{ServiceBoard, View},
        context::Caller,
        directory::Entry,
        infra::Infra,
        ipc_gateway::Desk,
        project::{Command, Heir, Verb},
        proxy_router,
    },
    core::{
        id::ServiceName,
        memory,
        plan::Plan,
        state::{self, ProjectState, State, VERSION},
    },
    os::{
        clock, file,
        keep::{self, Kept},
        paths::Places,
        project_file,
    },
    supervision::address::Address,
};

/// What the last daemon left. What cannot be read is set aside, never fatal.
pub(super) fn state(places: &Places, kept: &mut Kept) -> State {
    let mut state = written(places);
    state.booted(clock::boot_id().ok());
    let of_state = |name: &&String| name.starts_with(memory::PROJECTS) || *name == memory::LEASES;
    let names: Vec<String> = kept.0.keys().filter(of_state).cloned().collect();
    for name in names {
        let Some((note, _)) = kept.0.remove(&name) else { continue };
        // A note of another version is not understood; the file is, or was set aside.
        let noted = std::str::from_utf8(&note).ok().and_then(|text| state::parse(text).ok());
        let Some(noted) = noted else { continue };
        if name == memory::LEASES {
            state.leases = noted.leases;
        }
        for project in noted.projects {
            state.put(project);
        }
    }
    state
}

fn written(places: &Places) -> State {
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

/// Takes up what goes on, stops what nobody can take up, then starts what else was wanted when the
/// last daemon ended. Nobody may look before it is known what runs. A project whose configuration is
/// gone or has errors is left out, which is said.
pub(super) async fn projects(
    desk: Arc<Desk>,
    router: Address<proxy_router::Msg>,
    projects: Vec<ProjectState>,
    mut estate: Estate,
) {
    let infra = desk.infra.clone();
    let mut opened = Vec::new();
    for project in projects {
        let name = project.name.clone();
        match open(&infra, project, &mut estate).await {
            Ok(project) => opened.push(project),
            Err(why) => infra.events.record(Some(&name), None, "not-restored", Some(why)),
        }
    }
    estate.clear(&infra, keep::line()).await;
    for project in &mut opened {
        project.take_up_the_others(&infra).await;
    }
    for project in &opened {
        project.settled().await;
    }
    // A router that is just being restarted will read all of them anyway.
    let _routed = router.settle().await;
    desk.open.send_replace(true);
    let scratch = infra.places.scratch_dir().canonicalize().ok();
    for project in opened {
        let name = project.entry.board.name.clone();
        if scratch.as_deref().is_some_and(|scratch| project.entry.board.dir.starts_with(scratch)) {
            // Whoever held it was connected to a daemon that is gone.
            desk.let_go(&project.entry).await;
            continue;
        }
        if let Err(why) = project.start().await {
            infra.events.record(Some(&name), None, "not-restored", Some(why));
        }
    }
}

/// A project whose configuration is in effect again, and whose running services are taken up.
struct Opened {
    entry: Entry,
    /// Those that were taken up with their processes.
    running: Vec<Arc<ServiceBoard>>,
    /// Those whose next step may be a start: only when nothing of theirs is left.
    others: Vec<Heir>,
    /// What is wanted and is nobody's heir.
    rest: Vec<String>,
    caller: Caller,
}

async fn open(infra: &Infra, project: ProjectState, estate: &mut Estate) -> Result<Opened, String> {
    let dir = PathBuf::from(&project.dir);
    let plan = match project.configuration.clone() {
        // It goes on as it was; what the file says by now is then an edit like any other.
        Some(configuration) if estate.knows(&project.dir) => {
            project_file::plan_before(&dir, configuration)
                .map_err(|error| error.to_string())?
                .into()
        }
        _ => plan(dir.clone()).await?,
    };
    let opened = infra.projects.open(dir, plan.clone()).await.map_err(|error| error.to_string())?;
    let entry = opened.map_err(|clash| clash.to_string())?;
    entry.address.load(plan.clone()).await.map_err(|error| error.to_string())??;
    let services = entry.board.services();
    let is_wanted = |name: &ServiceName| project.services.get(name).is_some_and(|it| it.wanted);
    for board in services.iter().filter(|board| is_wanted(&board.name)) {
        // Should this daemon die as well, before it has come to it.
        board.update(|view| view.wanted = true);
    }
    let heirs = estate.heirs(&project, |name| plan.service(name).is_some());
    let known: HashSet<ServiceName> = heirs.iter().map(|heir| heir.mind.service.clone()).collect();
    let rest = services.iter().map(|board| &board.name);
    let rest = rest.filter(|name| is_wanted(name) && !known.contains(*name));
    let rest = rest.map(ToString::to_string).collect();
    let (runs, others): (Vec<Heir>, Vec<Heir>) = heirs.into_iter().partition(Heir::runs);
    let running = runs.iter().filter_map(|heir| entry.board.service(&heir.mind.service)).collect();
    let caller =
        Caller { env: project.env, terminal: project.terminal.map(|size| (size.cols, size.rows)) };
    let opened = Opened { entry, running, others, rest, caller };
    opened.take_up(runs).await?;
    Ok(opened)
}

impl Opened {
    async fn take_up(&self, heirs: Vec<Heir>) -> Result<(), String> {
        if heirs.is_empty() {
            return Ok(());
        }
        let taken_up = self.entry.address.adopt(heirs, self.caller.clone()).await;
        taken_up.map_err(|error| error.to_string())
    }

    async fn take_up_the_others(&mut self, infra: &Infra) {
        let others = std::mem::take(&mut self.others);
        if let Err(why) = self.take_up(others).await {
            infra.events.record(Some(&self.entry.board.name), None, "not-restored", Some(why));
        }
    }

    /// Completes when it is known of all that were taken up whether they run.
    async fn settled(&self) {
        let mut bell = self.entry.board.watch();
        loop {
            bell.mark_unchanged();
            if !self.running.iter().any(|board| board.read(View::is_bodiless)) {
                return;
            }
            if bell.changed().await.is_err() {
                return;
            }
        }
    }

    /// Starts what is wanted and was not taken up.
    async fn start(self) -> Result<(), String> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let caller = Some(self.caller);
        let command = Command { verb: Verb::Resume, services: self.rest, caller };
        let taken = self.entry.address.command(command).await.map_err(|error| error.to_string())?;
        taken.map(drop).map_err(|refusal| refusal.to_string())
    }
}

async fn plan(dir: PathBuf) -> Result<Arc<Plan>, String> {
    let read = tokio::task::spawn_blocking(move || project_file::plan(&dir));
    let plan = read.await.map_err(|error| error.to_string())?;
    plan.map(Arc::new).map_err(|error| error.to_string())
}
