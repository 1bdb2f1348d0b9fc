//! Keeps `state.json` up to date: what a new daemon needs to go on where this one was.

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::event_log::EventLog;
use crate::{
    core::{
        id::{ProjectName, ServiceName},
        memory,
        state::{self, Lease, ProcessState, ProjectState, State},
    },
    os::{file, keep},
    supervision::{address::Address, plate::ChildPlate},
};

/// Writes are this far apart at least, however much changes.
const PAUSE: Duration = Duration::from_millis(100);

/// The actor.
#[derive(Clone, Copy)]
pub struct StateStore;

/// What it is told.
#[derive(Debug)]
pub enum Msg {
    /// A project is as follows, but for its processes. One per change of what is wanted in it.
    Put(ProjectState),
    /// A service of the project in this folder has this process, or none. Two per life.
    Runs {
        /// The folder.
        dir: PathBuf,
        /// The project.
        project: ProjectName,
        /// The service.
        service: ServiceName,
        /// Its process.
        process: Option<ProcessState>,
    },
    /// A project is gone. One per `down`.
    Forget(PathBuf),
    /// All leases are as follows. One per change.
    Leases(Vec<Lease>),
    /// The pause is over. One per write.
    Due,
    /// A write has ended.
    Written(Result<(), String>),
}

/// What it is given.
pub struct Args {
    /// What is to be stored; outlives the actor, which alone writes it.
    pub memory: Arc<ArcSwap<State>>,
    /// The file.
    pub path: PathBuf,
    /// For the number of the last event.
    pub events: Arc<EventLog>,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// Its state.
pub struct Keeper {
    memory: Arc<ArcSwap<State>>,
    path: PathBuf,
    events: Arc<EventLog>,
    /// A write is set or under way.
    busy: bool,
    /// There is something that the write under way does not know.
    dirty: bool,
    /// The last write failed: said once, not at every attempt.
    failing: bool,
}

impl Actor for StateStore {
    type Msg = Msg;
    type State = Keeper;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        Args { memory, path, events, plate }: Args,
    ) -> Result<Keeper, ActorProcessingErr> {
        let shown = (memory.clone(), path.clone());
        plate.describe(move || {
            Some(format!("{} projects in {}", shown.0.load().projects.len(), shown.1.display()))
        });
        // What changed while there was no store is stored now.
        myself.cast(Msg::Due)?;
        Ok(Keeper { memory, path, events, busy: true, dirty: true, failing: false })
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        msg: Msg,
        keeper: &mut Keeper,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Put(project) => {
                let name = memory::project_name(&project.name);
                note(&name, State { projects: vec![project.clone()], ..State::default() });
                keeper.change(&myself, |state| state.put(project));
            }
            Msg::Runs { dir, project, service, process } => {
                keeper.change(&myself, |state| {
                    state.runs(&dir.to_string_lossy(), project, service, process);
                });
            }
            Msg::Forget(dir) => keeper.change(&myself, |state| {
                let gone = state.projects.iter().filter(|it| *it.dir == *dir.as_os_str());
                if let Some(line) = keep::line() {
                    gone.for_each(|project| line.drop(&memory::project_name(&project.name)));
                }
                state.projects.retain(|project| *project.dir != *dir.as_os_str());
            }),
            Msg::Leases(leases) => {
                note(memory::LEASES, State { leases: leases.clone(), ..State::default() });
                keeper.change(&myself, |state| state.leases = leases);
            }
            Msg::Due => keeper.write(&myself),
            Msg::Written(outcome) => keeper.written(&myself, outcome),
        }
        Ok(())
    }

    /// The last write, without a pause.
    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        keeper: &mut Keeper,
    ) -> Result<(), ActorProcessingErr> {
        let (text, path) = (keeper.text(), keeper.path.clone());
        let write = tokio::task::spawn_blocking(move || file::write_atomic(&path, text.as_bytes()));
        write.await??;
        Ok(())
    }
}

impl Address<Msg> {
    /// Stores a project.
    pub fn put(&self, project: ProjectState) {
        self.cast(Msg::Put(project));
    }

    /// Stores which process a service has.
    pub fn runs(
        &self,
        (dir, project): (PathBuf, ProjectName),
        service: ServiceName,
        process: Option<ProcessState>,
    ) {
        self.cast(Msg::Runs { dir, project, service, process });
    }

    /// Stores that there is no such project any more.
    pub fn forget(&self, dir: PathBuf) {
        self.cast(Msg::Forget(dir));
    }

    /// Stores all leases.
    pub fn leases(&self, leases: Vec<Lease>) {
        self.cast(Msg::Leases(leases));
    }
}

impl Keeper {
    fn change(&mut self, myself: &ActorRef<Msg>, change: impl FnOnce(&mut State)) {
        let mut state = State::clone(&self.memory.load());
        change(&mut state);
        self.memory.store(Arc::new(state));
        self.dirty = true;
        if !std::mem::replace(&mut self.busy, true) {
            myself.send_after(PAUSE, || Msg::Due);
        }
    }

    fn write(&mut self, myself: &ActorRef<Msg>) {
        self.dirty = false;
        let (text, path, myself) = (self.text(), self.path.clone(), myself.clone());
        tokio::task::spawn_blocking(move || {
            let outcome = file::write_atomic(&path, text.as_bytes());
            // The store is gone only when it writes for the last time itself.
            let _gone = myself.cast(Msg::Written(outcome.map_err(|error| error.to_string())));
        });
    }

    fn written(&mut self, myself: &ActorRef<Msg>, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.failing = false,
            Err(error) => {
                self.dirty = true;
                if !std::mem::replace(&mut self.failing, true) {
                    let text = format!("cannot write {}: {error}", self.path.display());
                    self.events.record(None, None, "state-not-written", Some(text));
                }
            }
        }
        self.busy = self.dirty;
        if self.busy {
            let pause = if self.failing { PAUSE * 50 } else { PAUSE };
            myself.send_after(pause, || Msg::Due);
        }
    }

    fn text(&self) -> String {
        let mut state = State::clone(&self.memory.load());
        state.last_seq = self.events.last();
        state::render(&state)
    }
}

/// Tells the heart what will be written in a moment. What is too long for a note is only written.
#[expect(clippy::needless_pass_by_value, reason = "made for the occasion")]
fn note(name: &str, part: State) {
    if let Some(line) = keep::line() {
        line.keep(name, &memory::write(&part), None);
    }
}
