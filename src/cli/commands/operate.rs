//! Operations on services: asks the daemon, shows how it gets on, and says what came of it.

pub mod progress;

use std::{collections::BTreeMap, time::Duration};

use tokio::{signal, time};

use self::progress::Progress;
use crate::{
    api::{
        control::{Outcome, Progress as Item, Request},
        status::{ServiceState, Status},
    },
    cli::{
        args::Waiting,
        client::{Client, Query},
        context::{Context, caller_environment},
        error::{Error, Kind},
        output,
        project::{Checked, Project},
        render::{progress as render, text::Paint},
    },
    core::plan::Plan,
};

/// What is done to services.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verb {
    /// Starts the project.
    Up,
    /// Starts services.
    Start,
    /// Restarts services.
    Restart,
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
}

impl Verb {
    fn path(self) -> &'static str {
        match self {
            Self::Up => "/v1/up",
            Self::Start => "/v1/start",
            Self::Restart => "/v1/restart",
            Self::Stop => "/v1/stop",
            Self::Down => "/v1/down",
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
    /// Does it.
    pub async fn run(&self, context: &Context, client: &mut Client) -> Result<(), Error> {
        // From here on Ctrl-C is ours to answer.
        let interrupted = signal::ctrl_c();
        let mut progress = Progress::new(self.verb, context.out, self.waiting.json);
        let limit = self.timeout.map_or(Duration::MAX, |limit| limit);
        let outcome = tokio::select! {
            outcome = self.follow(context, client, &mut progress) => outcome?,
            Ok(()) = interrupted => return Err(self.interrupted(&mut progress)),
            () = time::sleep(limit) => return Err(self.too_late(&mut progress, limit)),
        };
        progress.end()?;
        if self.waiting.json {
            self.print_json(context, client).await?;
        }
        for note in &outcome.notes {
            output::note(note);
        }
        self.conclude(context, outcome, &progress)
    }

    async fn follow(
        &self,
        context: &Context,
        client: &mut Client,
        progress: &mut Progress,
    ) -> Result<Outcome, Error> {
        let mut stream = client.operate(self.verb.path(), &self.request(context)).await?;
        let mut second = progress::ticks();
        loop {
            let item = tokio::select! {
                item = stream.next() => item?,
                _ = second.tick(), if progress.is_live() => {
                    progress.show("")?;
                    continue;
                }
            };
            match item {
                Some(Item::Service(service)) => progress.take(service)?,
                Some(Item::Done(outcome)) => {
                    // A connection whose last answer was not read to its end is not used again.
                    while stream.next().await?.is_some() {}
                    return Ok(outcome);
                }
                None => {
                    return Err(Error::no_daemon("the daemon went away before it was done")
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
        }
    }

    fn conclude(
        &self,
        context: &Context,
        outcome: Outcome,
        progress: &Progress,
    ) -> Result<(), Error> {
        let name = self.name();
        if let Some(problem) = outcome.problem {
            let mut error = Error::from(problem);
            error.details.extend(details(&outcome.failures));
            return Err(error);
        }
        if let Some(first) = outcome.failures.first() {
            let what = if self.verb.stops() { "not completely stopped" } else { "not up" };
            let names: Vec<&str> = outcome.failures.iter().map(|f| f.service.as_str()).collect();
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
        if self.waiting.json {
            return Ok(());
        }
        context.out.write(self.success(&name, context, progress).as_bytes())
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
                format!("{name} is up\n{summary}")
            }
        }
    }

    async fn print_json(&self, context: &Context, client: &mut Client) -> Result<(), Error> {
        let query = Query::new("/v1/status").dir(&self.project.dir);
        let status: Status = client.get(&query).await?;
        match status.projects.first() {
            Some(project) => context.out.json(project),
            None => context.out.line("null"),
        }
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

    fn too_late(&self, progress: &mut Progress, limit: Duration) -> Error {
        progress.leave();
        let mut error = Error::new(
            Kind::Timeout,
            format!(
                "{} is not up after {}; the services are left as they are",
                self.name(),
                crate::core::time::duration_text(limit)
            ),
        );
        let paint = Paint { colour: output::stderr_has_colour() };
        for service in progress.services().filter(|s| self.verb.is_busy(s.state)) {
            error = error.detailed(format!("  {}", render::change(service, paint)));
        }
        error.hinted("`locald status` shows how they get on; `--timeout` waits longer")
    }

    /// What to call the project: its name, or its folder's when its file has errors now.
    pub fn name(&self) -> String {
        match self.project.check() {
            Ok(Checked::Good(plan)) => plan.project.to_string(),
            _ => self.project.dir.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }
}

fn details(failures: &[crate::api::control::Failure]) -> impl Iterator<Item = String> {
    let paint = Paint { colour: output::stderr_has_colour() };
    failures.iter().map(move |failure| render::failure(failure, paint))
}

/// Refuses names that the configuration does not have, before a daemon is asked.
pub fn refuse_unknown(plan: &Plan, services: &[String]) -> Result<(), Error> {
    match services.iter().find(|name| plan.service(name).is_none()) {
        None => Ok(()),
        Some(name) => {
            let names = plan.services.iter().map(|service| service.name.as_str());
            Err(no_such_service(&plan.project, name, names))
        }
    }
}

/// The error that a name which no service has is.
pub fn no_such_service<'a>(
    project: &str,
    name: &str,
    names: impl Iterator<Item = &'a str>,
) -> Error {
    let error = Error::usage(format!("{project} has no service `{name}`"));
    let names: Vec<&str> = names.collect();
    let near = names
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .filter(|&(distance, known)| distance <= known.len().max(name.len()) / 3 + 1)
        .min();
    match near {
        Some((_, known)) => error.hinted(format!("did you mean `{known}`?")),
        None => error.hinted(format!("its services are {}", names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_right_is_suggested() {
        let hint = |name| no_such_service("shop", name, ["web", "worker"].into_iter()).hints;
        assert_eq!(hint("wrker"), ["did you mean `worker`?"]);
        assert_eq!(hint("database"), ["its services are web, worker"]);
    }
}
