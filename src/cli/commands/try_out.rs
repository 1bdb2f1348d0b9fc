//! `locald try`: a command as a supervised service, for as long as this command runs.

use std::{
    env, fs,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use tokio::signal;

use super::{
    add::{add, addition},
    logs,
    operate::{Operation, Verb},
};
use crate::{
    api::{
        control::{Held, HoldRequest},
        status::{Service, ServiceState, Status},
    },
    cli::{
        args::{Try, Waiting},
        client::{Client, Query, Stream},
        context::Context,
        error::{Error, Kind},
        output,
        project::Project,
    },
    core::{
        edit::{self, Addition, Edited, Setting},
        id::{MAX_NAME, ProjectName},
    },
    os::paths::create_private_dir,
};

/// So many commands of one name may be tried at once.
const AT_ONCE: u32 = 100;

/// How a trial ended.
enum End {
    /// Ctrl-C.
    Enough,
    /// The service is over.
    Over(Box<Service>),
}

/// Runs the command.
pub async fn run(context: &Context, args: &Try) -> Result<(), Error> {
    let addition = addition(args.name.as_deref(), args.kind, &args.command)?;
    let mut client = context.daemon_or_start().await?;
    let project = scratch(&context.places.scratch_dir(), &addition)?;
    // Whatever becomes of us, the daemon sees this connection end, and ends the service.
    let held = hold(context, &project).await?;
    let end = trial(context, &mut client, &project, &addition).await;
    let ended = down(context, &project).await;
    drop(held);
    match end? {
        End::Over(service) if service.state == ServiceState::Completed => ended,
        End::Over(service) => {
            let reason = service.reason.unwrap_or_else(|| service.state.to_string());
            Err(Error::failed(format!("{} is over", service.name)).because(reason))
        }
        End::Enough => {
            ended?;
            if wants_to_keep(&addition)? { add(context, addition).await } else { Ok(()) }
        }
    }
}

/// The folder of a project that has this service, running here, and nothing else.
fn scratch(folder: &Path, addition: &Addition) -> Result<Project, Error> {
    let cannot = |why: String| Error::failed("cannot make a project of it").because(why);
    let here = env::current_dir().map_err(|error| cannot(error.to_string()))?;
    let here = here.to_str().ok_or_else(|| cannot("the path is not valid UTF-8".to_owned()))?;
    create_private_dir(folder).map_err(|error| cannot(error.to_string()))?;
    let (name, dir) = free(folder, addition).map_err(|error| cannot(error.to_string()))?;

    let mut addition = addition.clone();
    addition.keys.push(("workdir", Setting::Text(here.to_owned())));
    let env_file = Path::new(here).join(".env");
    if let Some(path) = env_file.to_str().filter(|_| env_file.is_file()) {
        addition.keys.push(("env_file", Setting::Text(path.to_owned())));
    }
    let text = edit::with_service(&edit::new_file(&name), &addition);
    let Ok(Edited::Changed(text)) = text else { return Err(cannot("it has no name".to_owned())) };
    fs::write(dir.join("locald.toml"), text).map_err(|error| cannot(error.to_string()))?;
    let project = Project::at(&dir)?;
    // What is wrong with the command is said before anything begins.
    project.plan().map(|_| project).inspect_err(|_| {
        let _nothing_began = fs::remove_dir_all(&dir);
    })
}

/// A project name that nobody has, and a new folder for it.
fn free(folder: &Path, addition: &Addition) -> io::Result<(ProjectName, PathBuf)> {
    for nth in 1..=AT_ONCE {
        let mut name = format!("try-{}", addition.name);
        name.truncate(MAX_NAME - 4);
        if nth > 1 {
            name = format!("{name}-{nth}");
        }
        let dir = folder.join(&name);
        match fs::create_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok((ProjectName::parse(&name).map_err(io::Error::other)?, dir)),
        }
    }
    Err(io::Error::other(format!("{AT_ONCE} of this name are being tried")))
}

/// Starts the service, then shows what it writes until it is over or Ctrl-C.
async fn trial(
    context: &Context,
    client: &mut Client,
    project: &Project,
    addition: &Addition,
) -> Result<End, Error> {
    let operation = Operation {
        verb: Verb::Up,
        project,
        services: &[],
        cascade: false,
        waiting: Waiting { no_wait: false, json: false },
        timeout: None,
        silent: false,
    };
    match operation.run(context, client).await {
        Err(error) if error.kind == Kind::Interrupted => return Ok(End::Enough),
        done => done?,
    }
    output::note("Ctrl-C ends it");
    let query = Query::new("/v1/watch").dir(&project.dir);
    let mut states = context.daemon().await?.watch::<Status>(&query).await?;
    let services = [addition.name.to_string()];
    tokio::select! {
        done = logs::stream(context, client, project, &services) => {
            done.and_then(|()| Err(Error::no_daemon("the daemon ended")))
        }
        over = until_over(&mut states) => Ok(End::Over(Box::new(over?))),
        _ = signal::ctrl_c() => Ok(End::Enough),
    }
}

/// Waits until the service will not run again by itself.
async fn until_over(states: &mut Stream<Status>) -> Result<Service, Error> {
    while let Some(status) = states.next().await? {
        let all = status.projects.into_iter().flat_map(|project| project.services);
        let over = |service: &Service| {
            use ServiceState::{Completed, Failed, Stopped};
            matches!(service.state, Completed | Failed | Stopped)
        };
        if let Some(service) = all.into_iter().find(over) {
            return Ok(service);
        }
    }
    Err(Error::no_daemon("the daemon ended"))
}

async fn hold(context: &Context, project: &Project) -> Result<Stream<Held>, Error> {
    let mut client = context.daemon().await?;
    let request = HoldRequest { dir: project.dir.clone() };
    let mut stream = client.operate::<Held>("/v1/hold", &request).await?;
    stream.next().await?;
    Ok(stream)
}

/// Ends the service and its project.
async fn down(context: &Context, project: &Project) -> Result<(), Error> {
    let mut client = context.daemon().await?;
    let operation = Operation {
        verb: Verb::Down,
        project,
        services: &[],
        cascade: false,
        waiting: Waiting { no_wait: false, json: false },
        timeout: None,
        silent: true,
    };
    operation.run(context, &mut client).await
}

/// Asks the person at the terminal; nobody there is a no.
fn wants_to_keep(addition: &Addition) -> Result<bool, Error> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    output::is_yes(&format!("\nKeep it in locald.toml as `{}`? [y/N] ", addition.name), false)
}
