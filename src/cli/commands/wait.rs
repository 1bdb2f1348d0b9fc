//! `locald wait`: until services are healthy.

use std::{collections::HashSet, time::Duration};

use tokio::time;

use super::url::{named, not_running};
use crate::{
    api::status::{Project as Running, Service, ServiceState, Status},
    cli::{
        args,
        client::{Following, Query},
        context::Context,
        error::{Error, Kind},
        project::{Checked, Project},
        render::progress::change,
    },
    core::time::duration_text,
};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Wait) -> Result<(), Error> {
    let project = Project::here()?;
    let mut last = Vec::new();
    let until = until(context, &project, &args.services, &mut last);
    let limit = args.timeout.unwrap_or(Duration::MAX);
    if let Ok(done) = time::timeout(limit, until).await {
        return done;
    }
    let message = format!("not everything is healthy after {}", duration_text(limit));
    let error = Error::new(Kind::Timeout, message);
    Err(last.into_iter().fold(error, Error::detailed))
}

async fn until(
    context: &Context,
    project: &Project,
    names: &[String],
    last: &mut Vec<String>,
) -> Result<(), Error> {
    let query = Query::new("/v1/watch").dir(&project.dir);
    let mut stream = Following::<Status, _>::begin(context.daemon().await?, query, true).await?;
    let lazy = lazy_services(project);
    while let Some(status) = stream.next().await? {
        let running = status.projects.first().ok_or_else(|| not_running(project))?;
        let waited_for = select(running, names, &lazy)?;
        if let Some(lost) = waited_for.iter().find(|service| is_lost(service.state)) {
            return Err(Error::failed(format!("{} is {}", lost.name, lost.state))
                .hinted(format!("`locald why {}` says more", lost.name)));
        }
        let late = waited_for.iter().filter(|service| !is_there(service.state));
        *last = late.map(|service| format!("  {}", change(service, PLAIN))).collect();
        if last.is_empty() {
            return Ok(());
        }
    }
    Err(Error::no_daemon("the daemon ended"))
}

const PLAIN: crate::cli::render::text::Paint = crate::cli::render::text::Paint { colour: false };

/// Those that are named; without names all but those that start only on demand and have not.
fn select<'a>(
    running: &'a Running,
    names: &[String],
    lazy: &HashSet<String>,
) -> Result<Vec<&'a Service>, Error> {
    if !names.is_empty() {
        return names.iter().map(|name| named(running, name)).collect();
    }
    let asleep = |s: &Service| s.state == ServiceState::Stopped && lazy.contains(&s.name);
    Ok(running.services.iter().filter(|service| !asleep(service)).collect())
}

fn is_there(state: ServiceState) -> bool {
    matches!(state, ServiceState::Healthy | ServiceState::Completed)
}

fn is_lost(state: ServiceState) -> bool {
    matches!(state, ServiceState::Stopped | ServiceState::Failed)
}

/// The services with `autostart = false`. A file with errors just now has none that we know of.
fn lazy_services(project: &Project) -> HashSet<String> {
    let Ok(Checked::Good(plan)) = project.check() else { return HashSet::new() };
    let lazy = plan.services.iter().filter(|service| !service.autostart);
    lazy.map(|service| service.name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::samples::{project, service};

    #[test]
    fn without_names_what_sleeps_until_it_is_needed_is_not_waited_for() {
        let running = project(vec![
            service("web", ServiceState::Healthy),
            service("tool", ServiceState::Stopped),
            service("db", ServiceState::Stopped),
        ]);
        let lazy = HashSet::from(["web".to_owned(), "tool".to_owned()]);
        let names = |names: &[String]| {
            let selected = select(&running, names, &lazy).map_err(|error| error.kind.code())?;
            Ok(selected.into_iter().map(|service| service.name.clone()).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]), Ok(vec!["web".to_owned(), "db".to_owned()]));
        assert_eq!(names(&["tool".to_owned()]), Ok(vec!["tool".to_owned()]));
        assert_eq!(names(&["nope".to_owned()]), Err(2));
    }
}
