//! The daemon's life: take the lock, build the tree, serve, end in order.

use std::{io, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use super::{
    config, logging,
    proxy::front,
    restore,
    root::{Foundation, Tree, tree},
    tell::{Failure, Teller},
};
use crate::{
    core::log::Limits,
    os::{
        limits,
        lock::Lock,
        logs::LogPlane,
        paths::{Places, create_private_dir, create_run_dir},
        ports, reaper, socket,
    },
    supervision::supervisor::spawn_root,
};

/// How long requests that were begun may take when the daemon ends.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// The exit code when the root supervisor has given up (`EX_SOFTWARE`).
const GAVE_UP: u8 = 70;

/// Serves until told to end.
pub(super) fn serve(teller: &mut Teller, foreground: bool) -> Result<ExitCode, Failure> {
    let places = Arc::new(Places::find(|name| std::env::var_os(name))?);
    create_run_dir(&places.run_dir)?;
    for dir in [&places.state_dir, &places.log_dir] {
        create_private_dir(dir)?;
    }
    let lock = Lock::take(&places.socket)?;
    logging::start();
    let global = config::global(&places)?;
    if let Err(error) = limits::raise_nofile() {
        tracing::warn!(%error, "cannot raise the limit of open descriptors");
    }
    reaper::become_subreaper().map_err(system("become the parent of orphans"))?;
    let state = restore::state(&places);
    let logs = Limits { max_size: global.logs.max_size, keep: global.logs.keep };
    let plane = LogPlane::start(logs).map_err(system("start the thread that keeps logs"))?;
    let runtime = runtime().map_err(system("start the runtime"))?;
    let socket = places.socket.clone();
    let listener = runtime.block_on(async { socket::bind(&places.socket, &lock) })?;
    let front = front(&global.proxy, |name| std::env::var(name).ok());
    let notes = front.notes.clone();
    let foundation = Foundation {
        places,
        state: state.clone(),
        plane,
        listener: Arc::new(listener),
        ports: ports::assignable_range(),
        exe: PathBuf::from("/proc/self/exe"),
        front,
        proxy: global.proxy,
    };
    let tree = tree(foundation).map_err(system("start the proxy"))?;
    for note in notes {
        tree.desk.infra.events.record(None, None, "proxy", Some(note));
    }
    let code = runtime.block_on(live(teller, tree, state.projects, foreground))?;
    if let Err(error) = std::fs::remove_file(&socket).and_then(|()| lock.leave(&socket)) {
        tracing::warn!(%error, "cannot remove the socket and its lock");
    }
    Ok(code)
}

async fn live(
    teller: &mut Teller,
    tree: Tree,
    projects: Vec<crate::core::state::ProjectState>,
    foreground: bool,
) -> Result<ExitCode, Failure> {
    let (desk, engine) = (tree.desk, tree.engine);
    let mut signals = Signals::new(foreground).map_err(system("watch for signals"))?;
    let reaper = tokio::spawn(reaper::Reaper.run());
    let root = spawn_root(tree.args).await;
    let (root, mut ended) = root.map_err(|error| Failure::Actors(error.to_string()))?;
    if desk.faults {
        tracing::warn!("LOCALD_FAULTS is set: clients may make actors of this daemon panic");
    }
    tracing::info!(pid = std::process::id(), "serving");
    teller.ready();
    let restoring = tokio::spawn(restore::projects(desk.infra.clone(), projects));
    let by_itself = tokio::select! {
        name = signals.next() => {
            tracing::info!("stopping on {name}");
            false
        }
        () = told(desk.closing.subscribe()) => false,
        _ = &mut ended => true,
    };
    desk.closing.send_replace(true);
    restoring.abort();
    if by_itself {
        tracing::error!("the root supervisor has given up");
        return Ok(ExitCode::from(GAVE_UP));
    }
    // Before the services are stopped that are to answer them.
    if !engine.drain(LAST_ANSWERS).await {
        tracing::warn!("requests that have not ended in {LAST_ANSWERS:?} are broken off");
    }
    root.stop(None);
    // A root that panics while it stops has said so in the log.
    drop(ended.await);
    reaper.abort();
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

async fn told(mut closing: watch::Receiver<bool>) {
    // The sender lives as long as the daemon.
    let _closing = closing.wait_for(|closing| *closing).await;
}

/// Two workers: the daemon waits more than it works, and threads cost memory.
fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .thread_name("locald")
        .enable_all()
        .build()
}

fn system(what: &'static str) -> impl Fn(io::Error) -> Failure {
    move |source| Failure::System { what, source }
}

/// The signals that end the daemon.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    /// A daemon without a terminal has nobody who could hang up on it.
    foreground: bool,
}

impl Signals {
    fn new(foreground: bool) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            foreground,
        })
    }

    async fn next(&mut self) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                _ = self.hang_up.recv() => if self.foreground { return "SIGHUP" },
            }
        }
    }
}
