//! `locald logs`: what services wrote.

use jiff::Timestamp;
use tokio::signal;

use crate::{
    api::{log::Line, status::Status},
    cli::{
        args,
        client::{Client, Following, Query, following::Logs},
        context::Context,
        error::Error,
        output,
        project::Project,
        render::logs::LogFormat,
    },
    core::time::{parse_duration, rfc3339},
    os::clock,
};

/// So many lines of each service are shown on a terminal.
const ON_TERMINAL: usize = 100;
/// Lines are written together while they come faster than this many bytes.
const TOGETHER: usize = 64 << 10;

/// Runs the command.
pub async fn run(context: &Context, args: &args::Logs) -> Result<(), Error> {
    let select = select(args.since.as_deref(), args.grep.as_deref())?;
    let project = Project::here()?;
    let mut client = context.daemon().await?;
    let mut format =
        format(context, &mut client, &project, &args.services, args.timestamps).await?;

    let cut = context.out.terminal && args.since.is_none();
    let lines = args.lines.or_else(|| cut.then_some(ON_TERMINAL));
    let onward = select
        .dir(&project.dir)
        .services(&args.services)
        .maybe("follow", args.follow.then_some("true"));
    let first = onward.clone().maybe("lines", lines.map(|lines| lines.to_string()));
    let resume = Logs::new(first, onward, rfc3339(clock::wall()));
    let mut stream = Following::begin(client, resume, args.follow).await?;
    print(context, &mut stream, &mut format, args.json).await
}

/// Shows what services write from now on, until Ctrl-C.
pub async fn follow(
    context: &Context,
    client: &mut Client,
    project: &Project,
    services: &[String],
) -> Result<(), Error> {
    tokio::select! {
        done = stream(context, client, project, services) => done,
        _ = signal::ctrl_c() => {
            output::note("\nthe services go on running; `locald down` stops them");
            Ok(())
        }
    }
}

/// Shows what services wrote last, and what they write, until the daemon ends.
pub async fn stream(
    context: &Context,
    client: &mut Client,
    project: &Project,
    services: &[String],
) -> Result<(), Error> {
    let mut format = format(context, client, project, services, false).await?;
    let onward = Query::new("/v1/logs").dir(&project.dir).services(services);
    let onward = onward.with("follow", "true");
    let resume = Logs::new(onward.clone().with("lines", "10"), onward, rfc3339(clock::wall()));
    let mut stream = Following::begin(context.daemon().await?, resume, true).await?;
    print(context, &mut stream, &mut format, false).await
}

/// The lines since then that match, of any project.
pub fn select(since: Option<&str>, grep: Option<&str>) -> Result<Query, Error> {
    if let Some(pattern) = grep {
        regex::Regex::new(pattern).map_err(|error| {
            Error::usage(format!("`{pattern}` is no regular expression")).because(error)
        })?;
    }
    let since = since.map(time).transpose()?;
    Ok(Query::new("/v1/logs").maybe("since", since).maybe("grep", grep))
}

/// Several services are told apart by prefixes; whether there are several, the daemon knows.
async fn format(
    context: &Context,
    client: &mut Client,
    project: &Project,
    services: &[String],
    timestamps: bool,
) -> Result<LogFormat, Error> {
    let paint = context.out.paint;
    if !services.is_empty() {
        return Ok(LogFormat::new(services.iter().map(String::as_str), paint, timestamps));
    }
    let status: Status = client.get(&Query::new("/v1/status").dir(&project.dir)).await?;
    let running = status.projects.iter().flat_map(|project| &project.services);
    Ok(LogFormat::new(running.map(|service| service.name.as_str()), paint, timestamps))
}

async fn print(
    context: &Context,
    stream: &mut Following<Line, Logs>,
    format: &mut LogFormat,
    json: bool,
) -> Result<(), Error> {
    let mut text = String::new();
    while let Some(mut line) = stream.next().await? {
        loop {
            if json {
                let json = serde_json::to_string(&line);
                text += &json.map_err(|e| Error::failed("cannot write as JSON").because(e))?;
                text.push('\n');
            } else {
                text += &format.line(&line);
            }
            match stream.buffered()? {
                Some(next) if text.len() < TOGETHER => line = next,
                Some(next) => {
                    context.out.write(text.as_bytes())?;
                    text.clear();
                    line = next;
                }
                None => break,
            }
        }
        context.out.write(text.as_bytes())?;
        text.clear();
    }
    Ok(())
}

/// A time as the daemon wants it, from a duration up to now or a time.
fn time(text: &str) -> Result<String, Error> {
    if let Ok(ago) = parse_duration(text) {
        return Ok(rfc3339(clock::wall().checked_sub(ago).unwrap_or(std::time::UNIX_EPOCH)));
    }
    text.parse::<Timestamp>().map(|at| format!("{at:.3}")).map_err(|_| {
        Error::usage(format!("`{text}` is no time"))
            .hinted("write how long ago, like `5m`, or when, like `2026-01-31T12:00:00Z`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_duration_or_a_time() {
        let at = time("2026-01-31T13:00:00+01:00").expect("RFC 3339");
        assert_eq!(at, "2026-01-31T12:00:00.000Z");
        assert!(time("5m").expect("a duration").ends_with('Z'));
        assert_eq!(time("yesterday").expect_err("no time").kind.code(), 2);
    }
}
