//! The tools that start and stop: each ends as the command of its name does, and then shows the project.

use std::sync::Arc;

use tokio::{runtime::Handle, task::spawn_blocking};

use super::{
    answer::Answer,
    arguments::{Services, Start, Wait, duration},
};
use crate::cli::{
    args::{self, Waiting},
    client::Client,
    commands::{
        operate::{Operation, Verb, now, refuse_unknown},
        start, stop, wait,
    },
    context::Context,
    error::{Error, Kind},
    project::Project,
};

pub(super) async fn up(context: &Arc<Context>, asked: &Start) -> Result<Answer, Error> {
    refuse_unknown(&*Project::here()?.plan()?, &asked.services)?;
    start(context, Verb::Up, asked, false).await
}

/// Starts or restarts.
pub(super) async fn start(
    context: &Arc<Context>,
    verb: Verb,
    asked: &Start,
    cascade: bool,
) -> Result<Answer, Error> {
    let timeout = Some(duration(&asked.timeout)?);
    let project = Project::here()?;
    let mut client = daemon(context, &project).await?;
    let operation = Operation {
        verb,
        project: &project,
        services: &asked.services,
        cascade,
        waiting: Waiting { no_wait: asked.no_wait, json: false },
        timeout,
        silent: true,
    };
    let notes = operation.quietly(context, &mut client).await?;
    shown(&mut client, &project).await.map(|answer| answer.noting(notes))
}

pub(super) async fn stop(context: &Context, asked: &Services) -> Result<Answer, Error> {
    let project = Project::here()?;
    let Some(mut client) = context.daemon_if_any().await? else {
        return Ok(Answer::words(stop::NO_DAEMON));
    };
    let operation = stop::operation(Verb::Stop, &project, &asked.services);
    match operation.quietly(context, &mut client).await {
        Err(error) if error.kind == Kind::NoProject => {
            Ok(Answer::words(format!("{} is not running", operation.name())))
        }
        Err(error) => Err(error),
        Ok(notes) => shown(&mut client, &project).await.map(|answer| answer.noting(notes)),
    }
}

pub(super) async fn wait(context: &Context, asked: Wait) -> Result<Answer, Error> {
    let timeout = Some(duration(&asked.timeout)?);
    wait::run(context, &args::Wait { services: asked.services, timeout }).await?;
    shown(&mut context.daemon().await?, &Project::here()?).await
}

/// The daemon, started if need be: on a thread that may be held up by that.
async fn daemon(context: &Arc<Context>, project: &Project) -> Result<Client, Error> {
    let (context, project, here) = (context.clone(), project.clone(), Handle::current());
    let starting = spawn_blocking(move || here.block_on(start::daemon(&context, &project)));
    starting.await.map_err(|error| Error::failed("cannot start the daemon").because(error))?
}

async fn shown(client: &mut Client, project: &Project) -> Result<Answer, Error> {
    match now(client, project).await? {
        Some(project) => Answer::json(&project),
        None => Ok(Answer::words(format!("the project in {} is not up", project.dir.display()))),
    }
}
