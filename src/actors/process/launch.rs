//! Starts the process of a service: reads its env files, checks its port, and spawns.

use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
    io,
    path::Path,
    sync::Arc,
};

use crate::{
    actors::context::{ProjectContext, Running, ServiceContext, Tried},
    core::{
        id::ServiceName,
        launch::{self, EnvFileRef, Launch, Surroundings},
        log::Stream,
        plan::{PortSpec, ServicePlan},
    },
    os::{
        ca, listeners,
        logs::Pump,
        notify_socket::NotifySocket,
        ports,
        spawn::{self, Command, Output, SpawnError, Spawned},
    },
};

/// The size of a terminal that nobody looks at.
const TERMINAL: (u16, u16) = (80, 24);

/// What a launch results in.
pub(super) struct Launched {
    /// The process.
    pub(super) running: Arc<Running>,
    /// Its output.
    pub(super) pumps: Vec<Pump>,
}

enum Refused {
    /// Somebody has taken the assigned port.
    PortTaken,
    Because(String),
}

/// Launches the service; the error is for people.
pub(super) async fn launch(context: &Arc<ServiceContext>) -> Result<Launched, String> {
    let infra = &context.project.infra;
    let permit = infra.launching.acquire().await.map_err(|error| error.to_string())?;
    loop {
        let of_thread = context.clone();
        let attempt = tokio::task::spawn_blocking(move || attempt(&of_thread));
        match attempt.await.map_err(|error| error.to_string())? {
            Ok(launched) => {
                drop(permit);
                return Ok(launched);
            }
            Err(Refused::Because(why)) => return Err(why),
            Err(Refused::PortTaken) => another_port(context).await?,
        }
    }
}

/// On a thread that may block: files are read, and spawning waits for the program to be loaded.
fn attempt(context: &Arc<ServiceContext>) -> Result<Launched, Refused> {
    let because = |why: String| Refused::Because(why);
    let project = &context.project;
    let plan = project.plan.load_full();
    let service = plan
        .service(&context.name)
        .ok_or_else(|| because("it is no longer in the configuration".to_owned()))?;
    let ports = project.ports.load_full();
    check_port(service, ports.get(&context.name).copied())?;
    let caller = project.caller.load_full();
    let launch = resolve(project, &context.name, &ports, &caller.env).map_err(because)?;
    context.tried.store(Some(Arc::new(Tried { launch: launch.clone(), caller: caller.clone() })));
    let notify = match NotifySocket::bind(&context.notify_path) {
        Ok(socket) => Some(socket),
        Err(error) => {
            context.event("no-notify-socket", Some(error.to_string()));
            None
        }
    };
    let spawned = spawn_it(context, service, &launch).map_err(because)?;
    let Spawned { child, out, err, pty: _ } = spawned;
    let pumps = [(Some(out), Stream::Out), (err, Stream::Err)]
        .into_iter()
        .filter_map(|(fd, stream)| Some(context.sink.attach(fd?, stream)))
        .collect();
    Ok(Launched { running: Arc::new(Running { child, launch, pty: service.tty, notify }), pumps })
}

/// What to run for the service now: its env files read afresh, ports as they are.
pub(in crate::actors) fn resolve(
    project: &ProjectContext,
    name: &ServiceName,
    ports: &HashMap<ServiceName, u16>,
    caller_env: &BTreeMap<String, String>,
) -> Result<Launch, String> {
    resolve_with(&mut EnvTexts::default(), project, name, ports, caller_env)
}

/// The same for one of many: each env file is read once.
pub(in crate::actors) fn resolve_with(
    texts: &mut EnvTexts,
    project: &ProjectContext,
    name: &ServiceName,
    ports: &HashMap<ServiceName, u16>,
    caller_env: &BTreeMap<String, String>,
) -> Result<Launch, String> {
    let plan = project.plan.load_full();
    let service = plan.service(name).ok_or("it is no longer in the configuration")?;
    let files = launch::env_files_of(&plan, service);
    texts.read(&project.board.dir, &files)?;
    let places = &project.infra.places;
    let notify = places.notify_socket(&plan.project, name).map_err(|error| error.to_string())?;
    let ca = ca::root_file(&ca::dir(&places.data_dir));
    let around = Surroundings {
        dir: &project.board.dir,
        caller_env,
        files: &|path| texts.get(path),
        port_of: &|name| ports.get(name).copied(),
        public_url: &|name| {
            let host = project.board.service(name)?.host.load_full();
            project.infra.gate.url(Option::as_ref(&host)?)
        },
        notify_socket: &notify,
        locald_exe: &project.infra.exe,
        // Also before it is made, which is a matter of milliseconds once in a life: what comes to be
        // there later would be a reason to launch the service again.
        ca: Some(&*ca),
    };
    launch::launch(&plan, service, &around).map_err(|error| error.to_string())
}

/// Env files that have been read; none where there is no such file.
#[derive(Default)]
pub(in crate::actors) struct EnvTexts(HashMap<String, Result<Option<String>, String>>);

impl EnvTexts {
    fn read(&mut self, dir: &Path, files: &[EnvFileRef]) -> Result<(), String> {
        for file in files {
            if !self.0.contains_key(&file.path) {
                let text = match std::fs::read_to_string(dir.join(&file.path)) {
                    Ok(text) => Ok(Some(text)),
                    // That it is missing where it must not is for the launch to say.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(format!("cannot read env file {}: {error}", file.path)),
                };
                self.0.insert(file.path.clone(), text);
            }
            if let Some(Err(why)) = self.0.get(&file.path) {
                return Err(why.clone());
            }
        }
        Ok(())
    }

    fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path)?.as_ref().ok()?.as_deref()
    }
}

fn check_port(service: &ServicePlan, port: Option<u16>) -> Result<(), Refused> {
    let Some(port) = port else { return Ok(()) };
    if ports::is_free(port) {
        return Ok(());
    }
    if service.port == PortSpec::Assigned {
        return Err(Refused::PortTaken);
    }
    let holder = listeners::holder_of(port)
        .map_or_else(String::new, |holder| format!(" by pid {} ({})", holder.pid, holder.command));
    Err(Refused::Because(format!("port {port} is taken{holder}")))
}

async fn another_port(context: &ServiceContext) -> Result<(), String> {
    let project = &context.project;
    let name = &context.name;
    let port = project
        .infra
        .ports
        .replace(project.board.name.clone(), name.clone())
        .await
        .map_err(|error| format!("cannot get another port: {error}"))?
        .ok_or("its port is taken, and no other one is free")?;
    project.ports.rcu(|ports| {
        let mut ports = HashMap::clone(ports);
        ports.insert(name.clone(), port);
        ports
    });
    context.board.update(|view| view.port = Some(port));
    context.event("port-replaced", Some(format!("its port was taken; it has {port} now")));
    Ok(())
}

fn spawn_it(
    context: &ServiceContext,
    service: &ServicePlan,
    launch: &Launch,
) -> Result<Spawned, String> {
    let (cols, rows) = context.project.caller.load().terminal.unwrap_or(TERMINAL);
    let mut marker = OsString::from("NOTIFY_SOCKET=");
    marker.push(&context.notify_path);
    let command = |argv: &[String]| Command {
        argv: argv.iter().map(OsString::from).collect(),
        env: launch.env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        dir: launch.workdir.clone(),
        output: if service.tty { Output::Pty { cols, rows } } else { Output::Pipes },
        marker: Some(marker.clone()),
    };
    let mut outcome = spawn::spawn(&command(launch.direct.as_ref().unwrap_or(&launch.argv)));
    if launch.direct.is_some()
        && let Err(SpawnError::NoSuchProgram(_) | SpawnError::NotExecutable(_)) = outcome
    {
        outcome = spawn::spawn(&command(&launch.argv));
    }
    outcome.map_err(|error| error.to_string())
}
