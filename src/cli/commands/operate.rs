//! Operations on services: asks the daemon, shows how it gets on, and says what came of it.

pub mod progress;
pub mod record;
pub mod unknown;
pub mod words;

use std::{collections::BTreeMap, mem, time::Duration};

use tokio::{signal, time};

pub use self::unknown::{no_such_service, refuse_unknown};
use self::{progress::Progress, record::Record, words::Words};
use crate::{
    api::{
        control::{Failure, Outcome, Progress as Item, Request},
        status::{Project as Running, Service, ServiceState, Status},
    },
    cli::{
        args::Waiting,
        client::{Client, Query},
        context::{Context, caller_environment},
        error::{Error, Kind},
        output,
        project::{Checked, Project},
        render::{
            progress as render,
            text::{Paint, quoted, span},
        },
    },
};

/// Of so many late services the last lines are shown, and so many of each.
const LATE: usize = 5;
const LINES: usize = 10;

/// What is done to services.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verb {
    /// Starts the project.
    Up,
    /// Starts services.
    Start,
    /// Restarts services.
    Restart,
    /// Throws the data of services away and starts them.
    Reset,
    /// Stops services.
    Stop,
    /// Stops the project and forgets it.
    Down,
}

/// An operation.
#[derive(Debug)]
pub struct Operation<'a> {
    /// What is done.
    pub verb: Verb,
    /// Where.
    pub project: &'a Project,
    /// To what; none: everything.
    pub services: &'a [String],
    /// Whether all dependents are taken along.
    pub cascade: bool,
    /// Whether to wait for the outcome, and how to show it.
    pub waiting: Waiting,
    /// How long to wait.
    pub timeout: Option<Duration>,
    /// Says nothing unless it fails: it is but a step of something else.
    pub silent: bool,
}

impl Verb {
    fn path(self) -> &'static str {
        match self {
            Self::Up => "/v1/up",
            Self::Start => "/v1/start",
            Self::Restart => "/v1/restart",
            Self::Reset => "/v1/reset",
            Self::Stop => "/v1/stop",
            Self::Down => "/v1/down",
        }
    }

    /// What to ask the next daemon for, which goes on with what the last one had begun; none: whether
    /// data has been thrown away is for a person to see.
    fn after_a_crash(self) -> Option<Self> {
        match self {
            Self::Reset => None,
            Self::Restart => Some(Self::Start),
            Self::Up | Self::Start | Self::Stop | Self::Down => Some(self),
        }
    }

    fn stops(self) -> bool {
        matches!(self, Self::Stop | Self::Down)
    }

    /// Whether a service in this state is still on its way.
    fn is_busy(self, state: ServiceState) -> bool {
        match state {
            ServiceState::Stopping => true,
            ServiceState::Waiting
            | ServiceState::Starting
            | ServiceState::Backoff
            | ServiceState::Unhealthy => !self.stops(),
            ServiceState::Stopped
            | ServiceState::Healthy
            | ServiceState::Completed
            | ServiceState::Failed => false,
        }
    }
}

impl Operation<'_> {
    /// Does it, and shows how it gets on.
    pub async fn run(&self, context: &Context, client: &mut Client) -> Result<(), Error> {
        self.run_recorded(context, client, &mut Record::default()).await
    }

    /// The same, and records what came of each service.
    pub async fn run_recorded(
        &self,
        context: &Context,
        client: &mut Client,
        record: &mut Record,
    ) -> Result<(), Error> {
        // From here on Ctrl-C is ours to answer.
        let interrupted = signal::ctrl_c();
        let mut progress = Progress::new(self.verb, context.out, self.waiting.json || self.silent);
        let outcome = tokio::select! {
            outcome = self.perform(context, client, &mut progress, record) => outcome,
            Ok(()) = interrupted => {
                record.of(self.verb, &progress, &[], "interrupted");
                return Err(self.interrupted(&mut progress));
            }
        };
        progress.leave();
        let outcome = outcome?;
        if self.waiting.json {
            self.print_json(context, client).await?;
        }
        for note in &outcome.notes {
            output::note(note);
        }
        self.verdict(outcome)?;
        if self.waiting.json || self.silent {
            return Ok(());
        }
        context.out.write(self.success(&self.name(), context, &progress).as_bytes())
    }

    /// Does it for a program, which says itself what came of it: what is worth saying besides.
    pub async fn quietly(
        &self,
        context: &Context,
        client: &mut Client,
    ) -> Result<Vec<String>, Error> {
        let mut progress = Progress::new(self.verb, context.out, true);
        let record = &mut Record::default();
        let mut outcome = self.perform(context, client, &mut progress, record).await?;
        let notes = mem::take(&mut outcome.notes);
        self.verdict(outcome).map(|()| notes)
    }

    async fn perform(
        &self,
        context: &Context,
        client: &mut Client,
        progress: &mut Progress,
        record: &mut Record,
    ) -> Result<Outcome, Error> {
        let limit = self.timeout.unwrap_or(Duration::MAX);
        let outcome = tokio::select! {
            outcome = self.follow(context, client, &mut *progress) => outcome?,
            () = time::sleep(limit) => {
                return Err(self.too_late(context, progress, limit, record).await);
            }
        };
        let left = "not waited for, since others had failed";
        record.of(self.verb, progress, &outcome.failures, left);
        Ok(outcome)
    }

    async fn follow(
        &self,
        context: &Context,
        client: &mut Client,
        progress: &mut Progress,
    ) -> Result<Outcome, Error> {
        let mut verb = self.verb;
        loop {
            let lost = match self.attempt(verb, context, client, progress).await {
                Err(error) if error.kind == Kind::Gone => error,
                done => return done,
            };
            let begun = progress.services().next().is_some();
            verb = match verb.after_a_crash() {
                _ if !begun => verb,
                Some(next) => next,
                None => return Err(lost),
            };
            *client = client.successor().await?.ok_or(lost)?;
        }
    }

    async fn attempt(
        &self,
        verb: Verb,
        context: &Context,
        client: &mut Client,
        progress: &mut Progress,
    ) -> Result<Outcome, Error> {
        let mut stream = client.operate(verb.path(), &self.request(context)).await?;
        let mut ticks = progress::ticks();
        let words = Words::of(self.project, &context.places);
        loop {
            let item = tokio::select! {
                item = stream.next() => item?,
                _ = ticks.tick(), if progress.is_live() => {
                    words.want(progress.slow());
                    progress.show("", &words)?;
                    continue;
                }
            };
            match item {
                Some(Item::Service(service)) => progress.take(service, &words)?,
                Some(Item::Done(outcome)) => {
                    // A connection whose last answer was not read to its end is not used again.
                    while stream.next().await?.is_some() {}
                    return Ok(outcome);
                }
                None => {
                    return Err(Error::new(Kind::Gone, "the daemon went away before it was done")
                        .hinted("`locald server logs` shows what it wrote last"));
                }
            }
        }
    }

    fn request(&self, context: &Context) -> Request {
        let starts = !self.verb.stops();
        Request {
            dir: self.project.dir.clone(),
            services: self.services.to_vec(),
            env: if starts { caller_environment() } else { BTreeMap::new() },
            terminal: if starts { context.terminal() } else { None },
            cascade: self.cascade,
            no_wait: self.waiting.no_wait,
            as_before: false,
        }
    }

    fn verdict(&self, outcome: Outcome) -> Result<(), Error> {
        if let Some(problem) = outcome.problem {
            let mut error = Error::from(problem);
            error.details.extend(details(&outcome.failures));
            return Err(error);
        }
        if let Some(first) = outcome.failures.first() {
            let what = if self.verb.stops() { "not completely stopped" } else { "not up" };
            let names: Vec<&str> = outcome.failures.iter().map(|f| f.service.as_str()).collect();
            let name = self.name();
            let mut error = Error::failed(format!("{name} is {what}: {}", names.join(", ")));
            error.details.extend(details(&outcome.failures));
            return Err(if self.verb.stops() {
                error.hinted("what survives is named above; `kill -9 PID` as its owner ends it")
            } else {
                error.hinted(format!(
                    "`locald why {0}` and `locald logs {0}` say more",
                    first.service
                ))
            });
        }
        Ok(())
    }

    fn success(&self, name: &str, context: &Context, progress: &Progress) -> String {
        match self.verb {
            Verb::Down => format!("{name} is down\n"),
            Verb::Stop if self.services.is_empty() => format!("{name} is stopped\n"),
            Verb::Stop => format!("{name}: stopped {}\n", self.services.join(", ")),
            _ if self.waiting.no_wait => {
                format!("{name} is on its way; `locald status` shows how it gets on\n")
            }
            _ => {
                let summary = render::summary(progress.services(), context.out.paint);
                let took = span(progress.took().as_secs_f64());
                format!("{name} is up after {took}\n{summary}")
            }
        }
    }

    async fn print_json(&self, context: &Context, client: &mut Client) -> Result<(), Error> {
        context.out.json(&now(client, self.project).await?)
    }

    fn interrupted(&self, progress: &mut Progress) -> Error {
        progress.leave();
        Error::new(
            Kind::Interrupted,
            if self.verb.stops() {
                "interrupted; the daemon goes on stopping"
            } else {
                "interrupted; the services are left as they are"
            },
        )
        .hinted("`locald status` shows how they are, `locald down` stops them")
    }

    /// What is late is shown with what it wrote last, if it had a chance to.
    async fn too_late(
        &self,
        context: &Context,
        progress: &mut Progress,
        limit: Duration,
        record: &mut Record,
    ) -> Error {
        progress.leave();
        let after = crate::core::time::duration_text(limit);
        let failures = self.late(context, progress, &after).await;
        record.of(self.verb, progress, &failures, "not waited for any longer");
        let mut error = Error::new(
            Kind::Timeout,
            format!("{} is not up after {after}; the services are left as they are", self.name()),
        );
        let paint = Paint { colour: output::stderr_has_colour() };
        for service in progress.services().filter(|s| self.verb.is_busy(s.state)) {
            let failure = failures.iter().find(|failure| failure.service == service.name);
            let lines = failure.map_or_else(String::new, |failure| quoted(&failure.last_lines));
            error = error.detailed(format!("  {}\n{lines}", render::change(service, paint)));
        }
        error.hinted("`locald status` shows how they get on; `--timeout` waits longer")
    }

    async fn late(&self, context: &Context, progress: &Progress, after: &str) -> Vec<Failure> {
        let busy: Vec<_> =
            progress.services().filter(|service| self.verb.is_busy(service.state)).collect();
        let names: Vec<String> = busy.iter().take(LATE).map(|s| s.name.clone()).collect();
        let mut tails = words::last_lines(&context.places, &self.project.dir, &names, LINES).await;
        let failure = |service: &Service| Failure {
            service: service.name.clone(),
            reason: format!("{} after {after}", render::change(service, Paint { colour: false })),
            last_lines: tails.remove(&service.name).unwrap_or_default(),
        };
        busy.into_iter().map(failure).collect()
    }

    /// What to call the project: its name, or its folder's when its file has errors now.
    pub fn name(&self) -> String {
        match self.project.check() {
            Ok(Checked::Good(plan)) => plan.project.to_string(),
            _ => self.project.dir.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }
}

/// The project as it is now, if it is up.
pub async fn now(client: &mut Client, project: &Project) -> Result<Option<Running>, Error> {
    let query = Query::new("/v1/status").dir(&project.dir);
    let status: Status = client.get(&query).await?;
    Ok(status.projects.into_iter().next())
}

fn details(failures: &[Failure]) -> impl Iterator<Item = String> {
    let paint = Paint { colour: output::stderr_has_colour() };
    failures.iter().map(move |failure| render::failure(failure, paint))
}
