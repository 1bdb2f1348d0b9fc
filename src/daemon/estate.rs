//! What the last daemon left: processes that go on, and those that nobody can take up.

use std::{
    collections::{BTreeMap, HashSet},
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::sys::signal::Signal;

use crate::{
    actors::{context::Inherited, infra::Infra, project::Heir},
    core::{
        id::ServiceName,
        memory::{self, BODIES, Body, DESCRIPTORS, ERR, MINDS, Mind, NOTIFY, OUT, Stage},
        state::{ProcessState, ProjectState, State},
    },
    os::{
        child::Child,
        clock,
        keep::{self, Fate, Kept, Line},
        proc::{self, StartTime},
    },
};

/// How long one that nobody can take up may take to stop.
const GRACE: Duration = Duration::from_secs(5);

/// All of it.
#[derive(Default)]
pub(super) struct Estate {
    bodies: BTreeMap<Key, Remains>,
    minds: BTreeMap<Key, Mind>,
    /// By the state file, and by the heart.
    strays: Vec<Stray>,
}

/// The folder of a project, and a service of it.
type Key = (String, ServiceName);

/// A process, and what came with it.
struct Remains {
    name: String,
    inherited: Inherited,
}

/// A process that may have to be stopped.
struct Stray {
    process: ProcessState,
    marker: Option<OsString>,
    name: String,
}

impl Estate {
    /// Sorts what the heart has kept, and what is written down. What another boot has left is gone.
    pub(super) fn new(
        mut kept: Kept,
        state: &State,
        marker: impl Fn(&str, &str) -> Option<OsString>,
    ) -> Self {
        let mut estate = Self::default();
        let names: Vec<String> = kept.0.keys().cloned().collect();
        for name in names {
            if name.starts_with(MINDS) {
                let mind: Option<Mind> =
                    kept.0.remove(&name).and_then(|(note, _)| memory::read(&note));
                estate
                    .minds
                    .extend(mind.map(|mind| ((mind.dir.clone(), mind.service.clone()), mind)));
            } else if name.starts_with(BODIES) && !DESCRIPTORS.iter().any(|end| name.ends_with(end))
            {
                let Some(body) =
                    kept.0.remove(&name).and_then(|(note, _)| memory::read::<Body>(&note))
                else {
                    continue;
                };
                let out = kept.take(&format!("{name}{OUT}"));
                let err = kept.take(&format!("{name}{ERR}"));
                let key = (body.dir.clone(), body.service.clone());
                let notify = kept.take(&format!("{name}{NOTIFY}"));
                let inherited = Inherited { body, was_ready: false, out, err, notify };
                estate.bodies.insert(key, Remains { name, inherited });
            }
        }
        // Started in the very moment in which the daemon died: known to the heart, and to nobody else.
        for pid in kept.1 {
            let known = estate.bodies.values().any(|it| it.inherited.body.process.pid == pid);
            let ours = keep::line().is_some_and(|line| line.fate(pid) != Fate::Unknown);
            let stat = proc::stat(pid).filter(|_| ours && !known);
            let process = stat.map(|stat| ProcessState { pid, start_time: stat.started.0 });
            let name = format!("pid {pid}");
            estate.strays.extend(process.map(|process| Stray { process, marker: None, name }));
        }
        let this_boot = clock::boot_id().ok();
        if state.boot_id.is_some() && state.boot_id == this_boot {
            for project in &state.projects {
                let strays = written_down(project, &marker).filter(|(service, _)| {
                    // The file may be behind: what the heart knows of is a later life of it.
                    !estate.bodies.contains_key(&(project.dir.clone(), ServiceName::clone(service)))
                });
                let strays: Vec<Stray> = strays.map(|(_, stray)| stray).collect();
                estate.add(strays);
            }
        }
        estate
    }

    /// Whether anything of the project in this folder goes on.
    pub(super) fn knows(&self, dir: &str) -> bool {
        self.bodies.keys().chain(self.minds.keys()).any(|(of, _)| of == dir)
    }

    /// The notify sockets of the processes that the heart knows.
    pub(super) fn notify_sockets(&self) -> HashSet<PathBuf> {
        let bodies = self.bodies.values();
        bodies.filter_map(|it| it.inherited.body.notify_socket().map(Path::to_owned)).collect()
    }

    /// What two know of is stopped once.
    fn add(&mut self, strays: Vec<Stray>) {
        for stray in strays {
            if self.strays.iter().all(|known| known.process != stray.process) {
                self.strays.push(stray);
            }
        }
    }

    /// Those of a project that can be taken up as they are; the names of the wanted ones that cannot.
    pub(super) fn heirs(
        &mut self,
        project: &ProjectState,
        has: impl Fn(&str) -> bool,
    ) -> Vec<Heir> {
        let mut heirs = Vec::new();
        let known = project.services.keys().cloned();
        let dir = &project.dir;
        let also = self.bodies.keys().chain(self.minds.keys());
        let also = also.filter(|(of, _)| of == dir).map(|(_, service)| service.clone());
        let all: std::collections::BTreeSet<ServiceName> = known.chain(also).collect();
        for service in all.into_iter().filter(|service| has(service)) {
            let key = (dir.clone(), service.clone());
            let remains = self.bodies.remove(&key);
            let mind = self.minds.remove(&key);
            if remains.is_none() && mind.is_none() {
                continue;
            }
            let wanted = project.services.get(&service).is_some_and(|state| state.wanted);
            let mind = mind.unwrap_or_else(|| unknown(dir, service, wanted || remains.is_some()));
            let process = remains.map(|Remains { inherited, .. }| Inherited {
                was_ready: mind.stage == Stage::Ready,
                ..inherited
            });
            if let Some(process) = &process {
                self.strays.retain(|stray| stray.process != process.body.process);
            }
            heirs.push(Heir { mind, process });
        }
        heirs
    }

    /// Processes of this project by the state file, which must be gone before others take their place.
    pub(super) async fn clear(&mut self, infra: &Infra, line: Option<&Line>) {
        let bodies = std::mem::take(&mut self.bodies);
        for Remains { name, inherited } in bodies.into_values() {
            if let Some(socket) = inherited.body.notify_socket() {
                // Whoever removed it first has done our work.
                drop(fs::remove_file(socket));
            }
            let Body { process, marker, .. } = inherited.body;
            self.strays.retain(|stray| stray.process != process);
            self.strays.push(Stray { process, marker: Some(marker.into()), name });
        }
        let strays = std::mem::take(&mut self.strays);
        futures_util::future::join_all(strays.iter().map(|stray| stop(stray, infra))).await;
        for Stray { name, .. } in strays {
            if let Some(line) = line {
                line.drop(&name);
                for end in DESCRIPTORS {
                    line.drop(&format!("{name}{end}"));
                }
            }
        }
    }
}

fn written_down<'a>(
    project: &'a ProjectState,
    marker: &'a impl Fn(&str, &str) -> Option<OsString>,
) -> impl Iterator<Item = (&'a ServiceName, Stray)> {
    project.services.iter().filter_map(move |(service, state)| {
        let marker = marker(&project.name, service);
        let name = memory::body_name(&project.name, service);
        Some((service, Stray { process: state.process?, marker, name }))
    })
}

fn unknown(dir: &str, service: ServiceName, wanted: bool) -> Mind {
    Mind {
        version: memory::VERSION,
        dir: dir.to_owned(),
        service,
        stage: if wanted { Stage::Up } else { Stage::Stopped },
        wanted,
        births: 1,
        failures_ms: Vec::new(),
        at_ms: 0,
        failure: None,
        cause: None,
        exits: Vec::new(),
    }
}

/// Ends a process that is provably one of ours, with its session. Another one that has its number by
/// now is none of our business.
async fn stop(stray: &Stray, infra: &Infra) {
    let Stray { process, marker, name } = stray;
    let started = StartTime(process.start_time);
    match Child::adopt(process.pid, started, marker.clone()) {
        Ok(Some(child)) => {
            let text = format!("{name}: pid {} ran on after its daemon", process.pid);
            infra.events.record(None, None, "orphan-stopped", Some(text));
            for survivor in
                child.clear(Some(Signal::SIGTERM), GRACE).await.err().unwrap_or_default()
            {
                let text = format!("SIGKILL did not end {} ({})", survivor.pid, survivor.command);
                infra.events.record(None, None, "survived", Some(text));
            }
        }
        Ok(None) => Child::clear_remains(process.pid, marker.as_deref()).await,
        Err(error) => tracing::warn!(pid = process.pid, %error, "cannot stop an orphan"),
    }
}
