//! `locald status`: the services as they are.

use std::time::Duration;

use tokio::time::{Instant, interval};

use crate::{
    api::status::Status,
    cli::{
        args,
        client::{Following, Query},
        context::Context,
        error::Error,
        live::Live,
        project::{Checked, Project},
        render::{
            status::status as table,
            text::{clean, cut},
        },
    },
    os::project_file,
};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Status) -> Result<(), Error> {
    let project = Project::unless_all(args.all)?;
    let about = |path| Query::new(path).maybe_dir(project.as_ref().map(|project| &*project.dir));
    let mut client = context.daemon().await?;
    client.daemon().mention_other_release();
    if args.watch {
        let stream = Following::begin(client, about("/v1/watch"), true).await?;
        return watch(context, stream, args.json, project.as_ref()).await;
    }
    let status: Status = client.get(&about("/v1/status")).await?;
    if let Some(project) = &project
        && status.projects.is_empty()
        && !args.json
    {
        let all: Status = client.get(&Query::new("/v1/status")).await?;
        if let Some(text) = moved(&all, project) {
            return context.out.write(text.as_bytes());
        }
    }
    if args.json {
        context.out.json(&status)
    } else {
        let text = text(&status, project.as_ref(), context, context.out.width());
        context.out.write(text.as_bytes())
    }
}

/// What is to be said if it seems that the project was running when its folder was moved to here.
fn moved(all: &Status, here: &Project) -> Option<String> {
    let Ok(Checked::Good(plan)) = here.check() else { return None };
    let old = all.projects.iter().find(|one| one.name == plan.project.as_str())?;
    if !project_file::is_gone(&old.path) {
        return None;
    }
    let (name, state, from) = (clean(&old.name), old.state, old.path.display().to_string());
    Some(format!(
        "project {name} is {state}, but was started in {}, which is not there any more: `locald up` \
         stops what runs from there, and goes on here\n",
        clean(&from)
    ))
}

fn text(
    status: &Status,
    project: Option<&Project>,
    context: &Context,
    width: Option<usize>,
) -> String {
    match project {
        Some(project) if status.projects.is_empty() => {
            let dir = project.dir.display().to_string();
            format!("the project in {} is not running; `locald up` starts it\n", clean(&dir))
        }
        _ => table(status, width, context.out.paint),
    }
}

async fn watch(
    context: &Context,
    mut stream: Following<Status, Query>,
    json: bool,
    project: Option<&Project>,
) -> Result<(), Error> {
    if json {
        while let Some(status) = stream.next().await? {
            context.out.json_line(&status)?;
        }
        return Ok(());
    }
    if !context.out.terminal {
        while let Some(status) = stream.next().await? {
            context.out.write(text(&status, project, context, None).as_bytes())?;
            context.out.line("")?;
        }
        return Ok(());
    }
    let mut live = Live::new(context.out);
    let mut last: Option<(Status, Instant)> = None;
    let mut second = interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            status = stream.next() => match status? {
                Some(status) => last = Some((status, Instant::now())),
                None => return Ok(()),
            },
            _ = second.tick() => {}
        }
        if let Some((status, at)) = &mut last {
            grow(status, at);
            let (columns, rows) = live.room();
            let text = text(status, project, context, Some(columns));
            live.draw("", fit(&text, columns, rows))?;
        }
    }
}

/// Lets the uptimes go on while nothing else changes.
fn grow(status: &mut Status, at: &mut Instant) {
    let now = Instant::now();
    let passed = now.duration_since(*at).as_secs_f64();
    *at = now;
    for service in status.projects.iter_mut().flat_map(|project| &mut project.services) {
        service.uptime_s = service.uptime_s.map(|uptime| uptime + passed);
    }
}

/// At most `rows` lines; the last says how many are missing.
pub fn fit(text: &str, columns: usize, rows: usize) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.len() > rows {
        let missing = lines.len() + 1 - rows.max(1);
        lines.truncate(rows.saturating_sub(1));
        if rows > 0 {
            lines.push(cut(&format!("… and {missing} more lines"), columns).into_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        assert_eq!(fit("a\nb\nc\n", 80, 3), ["a", "b", "c"]);
        assert_eq!(fit("a\nb\nc\nd\n", 80, 3), ["a", "b", "… and 2 more lines"]);
        assert_eq!(fit("a\nb\n", 80, 1), ["… and 2 more lines"]);
        assert!(fit("a\nb\n", 80, 0).is_empty());
    }
}
