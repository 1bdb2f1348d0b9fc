//! Starts the process of a service: reads its env files, checks its port, and spawns.

mod around;

use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use nix::sys::signal::Signal;
use tokio::{runtime::Handle, sync::oneshot, time::Instant};

use self::around::Around;
pub(in crate::actors) use self::around::{build, on_event};
use super::{provide, remembrance};
use crate::{
    actors::context::{Inherited, ProjectContext, Running, ServiceContext, Tried},
    core::{
        id::ServiceName,
        launch::{self, EnvFileRef, Launch},
        log::Stream,
        memory,
        plan::{PortSpec, ServicePlan},
        provision::Provision,
    },
    os::{
        child::Child,
        clock, listeners,
        logs::Pump,
        notify_socket::NotifySocket,
        ports,
        proc::StartTime,
        spawn::{self, Command, Output, SpawnError, Spawned},
    },
    provision::Prepared,
};

/// How long a process that cannot be taken up may take to end.
const GRACE: Duration = Duration::from_secs(5);

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
    /// It is a server that locald provides, and must be prepared first.
    Unprepared(Box<Provision>),
    Because(String),
}

/// Launches the service; the error is for people. Only the preparation ends early when it is `told` to.
pub(super) async fn launch(
    context: &Arc<ServiceContext>,
    mut told: oneshot::Receiver<()>,
) -> Result<Launched, String> {
    let infra = &context.project.infra;
    let mut prepared = None;
    loop {
        let permit = infra.launching.acquire().await.map_err(|error| error.to_string())?;
        let (of_thread, ready) = (context.clone(), prepared.clone());
        let attempt = tokio::task::spawn_blocking(move || attempt(&of_thread, ready.as_ref()));
        let outcome = attempt.await.map_err(|error| error.to_string())?;
        drop(permit);
        match outcome {
            Ok(launched) => return Ok(launched),
            Err(Refused::Because(why)) => return Err(why),
            Err(Refused::PortTaken) => another_port(context).await?,
            Err(Refused::Unprepared(provision)) => {
                prepared = Some(tokio::select! {
                    prepared = provide::prepare(context, &provision) => prepared?,
                    _ = &mut told => return Err("stopped while it was prepared".to_owned()),
                });
            }
        }
    }
}

/// On a thread that may block: files are read, and spawning waits for the program to be loaded.
fn attempt(
    context: &Arc<ServiceContext>,
    prepared: Option<&Prepared>,
) -> Result<Launched, Refused> {
    let because = |why: String| Refused::Because(why);
    if let Some(inherited) = context.inherited.swap(None) {
        match adopt(context, &inherited).map_err(because)? {
            Some(launched) => return Ok(launched),
            None => remembrance::forget(context),
        }
    }
    let at = Instant::now();
    let project = &context.project;
    let plan = project.plan.load_full();
    let service = plan
        .service(&context.name)
        .ok_or_else(|| because("it is no longer in the configuration".to_owned()))?;
    let ports = project.ports.load_full();
    let caller = project.caller.load_full();
    let launch = resolve(project, &context.name, &ports, &caller.env).map_err(because)?;
    // Before anything can go wrong: the same once more is no reason to try again.
    let tried = Tried { launch: launch.clone(), caller: caller.clone(), at };
    context.tried.store(Some(Arc::new(tried)));
    check_port(service, ports.get(&context.name).copied())?;
    if let Some(provision) = launch.provision.as_ref().filter(|_| prepared.is_none()) {
        return Err(Refused::Unprepared(Box::new(provision.clone())));
    }
    let notify = bind(context);
    let since = Instant::now();
    let spawned = spawn_it(context, service, &launch, prepared).map_err(because)?;
    let Spawned { child, out, err, pty: _ } = spawned;
    let pty = service.tty;
    let running = Running { child, launch, pty, notify, was_ready: false, since };
    remembrance::keep(context, &running, out.as_fd(), err.as_ref().map(AsFd::as_fd));
    let outputs = [(Some(out), Stream::Out), (err, Stream::Err)].into_iter();
    let pumps = outputs.filter_map(|(fd, from)| Some(context.sink.attach(fd?, from))).collect();
    Ok(Launched { running: Arc::new(running), pumps })
}

/// Takes up what an earlier daemon has started; none if it is gone without a trace.
fn adopt(context: &Arc<ServiceContext>, inherited: &Inherited) -> Result<Option<Launched>, String> {
    let (at, body) = (Instant::now(), &inherited.body);
    let started = StartTime(body.process.start_time);
    let marker = OsString::from(&body.marker);
    let child = Child::adopt(body.process.pid, started, Some(marker));
    let Some(child) = child.map_err(|error| error.to_string())? else { return Ok(None) };
    let project = &context.project;
    let (ports, caller) = (project.ports.load_full(), project.caller.load_full());
    let mut texts = EnvTexts { missing_is_empty: true, ..EnvTexts::default() };
    let launch = resolve_with(&mut texts, project, &context.name, &ports, &caller.env);
    let launch = match launch {
        Ok(launch) => launch,
        Err(why) => {
            stop(&child);
            return Err(why);
        }
    };
    context.tried.store(Some(Arc::new(Tried { launch: launch.clone(), caller, at })));
    let own = |fd: &Option<OwnedFd>| fd.as_ref().and_then(|fd| fd.try_clone().ok());
    let outputs = [(own(&inherited.out), Stream::Out), (own(&inherited.err), Stream::Err)];
    let pumps = outputs.into_iter();
    let pumps = pumps.filter_map(|(fd, from)| Some(context.sink.attach_again(fd?, from))).collect();
    let age = clock::wall()
        .duration_since(UNIX_EPOCH + Duration::from_millis(body.since_ms))
        .unwrap_or_default();
    let since = Instant::now().checked_sub(age).unwrap_or_else(Instant::now);
    let (pty, was_ready) = (body.pty, inherited.was_ready);
    let notify = own(&inherited.notify)
        .and_then(|fd| NotifySocket::resume(fd, &context.notify_path).ok())
        .or_else(|| bind(context));
    let running = Running { child, launch, pty, notify, was_ready, since };
    Ok(Some(Launched { running: Arc::new(running), pumps }))
}

/// Ends what cannot be taken up. Only on a thread that may block.
fn stop(child: &Child) {
    let Ok(runtime) = Handle::try_current() else { return };
    if let Err(survivors) = runtime.block_on(child.clear(Some(Signal::SIGTERM), GRACE)) {
        for survivor in survivors {
            tracing::warn!(
                pid = survivor.pid,
                command = survivor.command,
                "SIGKILL did not end it"
            );
        }
    }
}

fn bind(context: &ServiceContext) -> Option<NotifySocket> {
    match NotifySocket::bind(&context.notify_path) {
        Ok(socket) => Some(socket),
        Err(error) => {
            context.event("no-notify-socket", Some(error.to_string()));
            None
        }
    }
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
    let around = Around { texts, project, plan: &plan, ports, caller_env, notify: &notify };
    around.give(|around| launch::launch(&plan, service, around)).map_err(|error| error.to_string())
}

/// Env files that have been read; none where there is no such file.
#[derive(Default)]
pub(in crate::actors) struct EnvTexts {
    read: HashMap<String, Result<Option<String>, String>>,
    /// For a process that was started when there still was one.
    missing_is_empty: bool,
}

impl EnvTexts {
    fn read(&mut self, dir: &Path, files: &[EnvFileRef]) -> Result<(), String> {
        for file in files {
            if !self.read.contains_key(&file.path) {
                let text = match std::fs::read_to_string(dir.join(&file.path)) {
                    Ok(text) => Ok(Some(text)),
                    // That it is missing where it must not is for the launch to say.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        Ok(self.missing_is_empty.then(String::new))
                    }
                    Err(error) => Err(format!("cannot read env file {}: {error}", file.path)),
                };
                self.read.insert(file.path.clone(), text);
            }
            if let Some(Err(why)) = self.read.get(&file.path) {
                return Err(why.clone());
            }
        }
        Ok(())
    }

    fn get(&self, path: &str) -> Option<&str> {
        self.read.get(path)?.as_ref().ok()?.as_deref()
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

/// What nobody else has in its environment.
pub(super) fn marker(context: &ServiceContext) -> OsString {
    memory::marker(&context.notify_path)
}

fn spawn_it(
    context: &ServiceContext,
    service: &ServicePlan,
    launch: &Launch,
    prepared: Option<&Prepared>,
) -> Result<Spawned, String> {
    let (cols, rows) = context.project.caller.load().terminal.unwrap_or(TERMINAL);
    let marker = marker(context);
    let command = |argv: &[String]| Command {
        argv: argv.iter().map(OsString::from).collect(),
        env: launch.env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        dir: launch.workdir.clone(),
        output: if service.tty { Output::Pty { cols, rows } } else { Output::Pipes },
        marker: Some(marker.clone()),
    };
    if let Some(prepared) = prepared {
        let argv = prepared.argv(launch.port.unwrap_or_default());
        let command = Command { argv, dir: prepared.dir(), ..command(&launch.argv) };
        return spawn::spawn(&command).map_err(|error| error.to_string());
    }
    let mut outcome = spawn::spawn(&command(launch.direct.as_ref().unwrap_or(&launch.argv)));
    if launch.direct.is_some()
        && let Err(SpawnError::NoSuchProgram(_) | SpawnError::NotExecutable(_)) = outcome
    {
        outcome = spawn::spawn(&command(&launch.argv));
    }
    outcome.map_err(|error| error.to_string())
}
