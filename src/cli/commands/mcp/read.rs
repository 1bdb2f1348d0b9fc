//! The tools that look: each asks what the command of its name asks.

use serde::Serialize;

use super::{
    answer::Answer,
    arguments::{Events, Logs, MOST, Named, Requests, Scope},
    tail::{Tail, cut},
};
use crate::{
    api::{event::Event, graph::Graph, log::Line, requests::Request, status::Status, tree::Node},
    cli::{
        client::Query,
        commands::{check, events, logs, tree, why},
        context::Context,
        error::Error,
        project::Project,
    },
};

pub(super) async fn status(context: &Context, asked: &Scope) -> Result<Answer, Error> {
    let project = Project::unless_all(asked.all)?;
    let query = Query::new("/v1/status").maybe_dir(project.as_ref().map(|project| &*project.dir));
    let status: Status = context.daemon().await?.get(&query).await?;
    Answer::json(&status)
}

pub(super) async fn tree(context: &Context, asked: &Scope) -> Result<Answer, Error> {
    let project = Project::unless_all(asked.all)?;
    let query = tree::query(project.as_ref().map(|project| &*project.dir), asked.all);
    let root: Node = context.daemon().await?.get(&query).await?;
    Answer::json(&root)
}

pub(super) async fn why(context: &Context, asked: &Named) -> Result<Answer, Error> {
    let mut why = why::ask(context, &asked.service).await?;
    why.last_lines.iter_mut().for_each(cut);
    Answer::json(&why)
}

pub(super) fn graph() -> Result<Answer, Error> {
    Answer::json(&Graph::of(&*Project::here()?.plan()?))
}

pub(super) fn check() -> Result<Answer, Error> {
    Answer::json(&check::report(None)?)
}

#[derive(Serialize)]
struct Written {
    lines: Vec<Line>,
    left_out: usize,
}

pub(super) async fn logs(context: &Context, asked: &Logs) -> Result<Answer, Error> {
    let select = logs::select(asked.since.as_deref(), asked.grep.as_deref())?;
    let query = select
        .dir(&Project::here()?.dir)
        .services(&asked.services)
        .with("lines", asked.lines.min(MOST).to_string());
    let lines = context.daemon().await?.watch::<Line>(&query).await?;
    let lines = Tail::new(usize::MAX).read(lines, |line| cut(&mut line.line)).await?;
    Answer::json(&Written { left_out: lines.left_out, lines: lines.items() })
}

#[derive(Serialize)]
struct Asked {
    requests: Vec<Request>,
    left_out: usize,
}

pub(super) async fn requests(context: &Context, asked: &Requests) -> Result<Answer, Error> {
    let query = Query::new("/v1/requests")
        .dir(&Project::here()?.dir)
        .services(&asked.services)
        .with("lines", asked.lines.min(MOST).to_string());
    let requests = context.daemon().await?.watch::<Request>(&query).await?;
    let requests = Tail::new(usize::MAX).read(requests, |request| cut(&mut request.path)).await?;
    Answer::json(&Asked { left_out: requests.left_out, requests: requests.items() })
}

#[derive(Serialize)]
struct Happened {
    events: Vec<Event>,
    left_out: usize,
}

pub(super) async fn events(context: &Context, asked: &Events) -> Result<Answer, Error> {
    let query = events::query(asked.all, asked.after)?;
    let events = context.daemon().await?.watch::<Event>(&query).await?;
    let shorten = |event: &mut Event| event.detail.iter_mut().for_each(cut);
    let events = Tail::new(asked.lines.min(MOST)).read(events, shorten).await?;
    Answer::json(&Happened { left_out: events.left_out, events: events.items() })
}
