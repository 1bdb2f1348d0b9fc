//! Commands: `up`, `start`, `stop`, `restart`, `down`, `shutdown`. Each is taken by the actors at once;
//! what comes of it is followed on the boards.

use std::{path::Path, sync::Arc};

use axum::{body::Body, extract::State, response::Response};

use super::{
    Desk,
    follow::{Goal, follow},
    plan::plan,
    reply::{Refused, Reply, lines, read_json},
};
use crate::{
    actors::{
        context::Caller,
        directory::Entry,
        project::{Command, Refusal, Ticket, Verb},
        projects::Clash,
    },
    api::{
        control::{Outcome, Progress, Request},
        error::Code,
    },
    os::project_file,
};

pub(super) async fn up(state: State<Arc<Desk>>, body: Body) -> Reply<Response> {
    start(state, body).await
}

pub(super) async fn start(State(desk): State<Arc<Desk>>, body: Body) -> Reply<Response> {
    let request: Request = read_json(body).await?;
    let entry = desk.load(&request.dir).await?;
    desk.command(entry, request, Verb::Start).await
}

pub(super) async fn restart(State(desk): State<Arc<Desk>>, body: Body) -> Reply<Response> {
    let request: Request = read_json(body).await?;
    let entry = desk.load(&request.dir).await?;
    let cascade = request.cascade;
    desk.command(entry, request, Verb::Restart { cascade }).await
}

/// Throws the data of what locald provides away, and starts it afresh.
pub(super) async fn reset(State(desk): State<Arc<Desk>>, body: Body) -> Reply<Response> {
    let request: Request = read_json(body).await?;
    if request.services.is_empty() {
        return Err(Refused::new(Code::BadRequest, "a reset names its services"));
    }
    let entry = desk.load(&request.dir).await?;
    desk.command(entry, request, Verb::Reset).await
}

pub(super) async fn stop(State(desk): State<Arc<Desk>>, body: Body) -> Reply<Response> {
    let request: Request = read_json(body).await?;
    let entry = desk.entry(&request.dir)?;
    desk.command(entry, request, Verb::Stop).await
}

/// Stops, then forgets. It goes on when the client goes away.
pub(super) async fn down(State(desk): State<Arc<Desk>>, body: Body) -> Reply<Response> {
    let request: Request = read_json(body).await?;
    let entry = desk.entry(&request.dir)?;
    let command = Command { verb: Verb::Stop, services: Vec::new(), caller: None };
    let ticket = desk.ask(&entry, command).await?;
    let (lines, response) = lines();
    tokio::spawn(async move {
        let outcome = follow(&desk, &entry, ticket, Goal::Down, &lines).await;
        let closed = desk.infra.projects.close(request.dir).await;
        let problem = closed.err().map(|error| Refused::from(error).0);
        lines.write(&Progress::Done(Outcome { problem, ..outcome })).await;
    });
    Ok(response)
}

/// Ends the daemon. What is wanted stays written down for the next one.
pub(super) async fn shutdown(State(desk): State<Arc<Desk>>) -> Response {
    let (lines, response) = lines();
    tokio::spawn(async move {
        let projects = desk.infra.directory.all();
        desk.closing.send_replace(true);
        let mut outcome = Outcome::default();
        for entry in projects.values() {
            let all = super::follow::everything(entry);
            let one = follow(&desk, entry, all, Goal::Down, &lines).await;
            outcome.failures.extend(one.failures);
        }
        lines.write(&Progress::Done(outcome)).await;
    });
    response
}

impl Desk {
    /// The project in that folder, with the configuration that is there now.
    pub(super) async fn load(&self, dir: &Path) -> Reply<Entry> {
        if *self.closing.borrow() {
            return Err(Refused::new(Code::ShuttingDown, "the daemon is shutting down"));
        }
        if dir.to_str().is_none() {
            let text = format!("cannot use {}: its path is not valid UTF-8", dir.display());
            return Err(Refused::new(Code::Failed, text));
        }
        let plan = plan(dir).await?;
        let mut opened = self.infra.projects.open(dir.to_owned(), plan.clone()).await?;
        if let Err(Clash::Name { dir: other, .. }) = &opened
            && self.is_gone(other).await
        {
            self.take_over(other).await?;
            opened = self.infra.projects.open(dir.to_owned(), plan.clone()).await?;
        }
        let invalid = |why: String| Refused::new(Code::InvalidConfig, why);
        let entry = match opened {
            Ok(entry) => entry,
            Err(clash) => return Err(self.clashing(dir, clash).await),
        };
        entry.address.load(plan).await?.map_err(invalid)?;
        Ok(entry)
    }

    async fn is_gone(&self, dir: &Path) -> bool {
        let dir = dir.to_owned();
        let looked = tokio::task::spawn_blocking(move || project_file::is_gone(&dir));
        looked.await.unwrap_or(false)
    }

    /// Stops a project whose folder is not there any more, for the one of the same name.
    async fn take_over(&self, gone: &Path) -> Reply<()> {
        self.infra.projects.close(gone.to_owned()).await?;
        let gone = gone.display();
        let note = format!("what still ran from {gone}, which is not there any more, was stopped");
        self.notes.rcu(|notes| notes.iter().cloned().chain([note.clone()]).collect::<Vec<_>>());
        Ok(())
    }

    async fn command(
        self: Arc<Self>,
        entry: Entry,
        request: Request,
        verb: Verb,
    ) -> Reply<Response> {
        let caller = Caller {
            env: request.env,
            terminal: request.terminal.map(|size| (size.cols, size.rows)),
        };
        let caller = (verb != Verb::Stop && !request.as_before).then_some(caller);
        let command = Command { verb, services: request.services, caller };
        let ticket = self.ask(&entry, command).await?;
        let (lines, response) = lines();
        let goal = if verb == Verb::Stop { Goal::Down } else { Goal::Up };
        tokio::spawn(async move {
            let mut outcome = if request.no_wait {
                Outcome::default()
            } else {
                follow(&self, &entry, ticket, goal, &lines).await
            };
            if goal == Goal::Up {
                outcome.notes.extend(self.notes.swap(Arc::default()).iter().cloned());
            }
            lines.write(&Progress::Done(outcome)).await;
        });
        Ok(response)
    }

    pub(super) async fn ask(&self, entry: &Entry, command: Command) -> Reply<Ticket> {
        let refused = |refusal: Refusal| {
            let refused = Refused::new(Code::BadRequest, refusal.to_string());
            match refusal {
                Refusal::NoSuchService { nearest: Some(near), .. } => {
                    refused.hinted(format!("did you mean `{near}`?"))
                }
                Refusal::NoSuchService { .. } | Refusal::NotProvided(_) => refused,
            }
        };
        entry.address.command(command).await?.map_err(refused)
    }
}
