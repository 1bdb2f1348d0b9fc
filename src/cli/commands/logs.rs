//! `locald logs`: what services wrote.

use jiff::Timestamp;
use tokio::signal;

use crate::{
    api::{log::Line, status::Status},
    cli::{
        args,
        client::{Client, Query, Stream},
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
    if let Some(pattern) = &args.grep {
        regex::Regex::new(pattern).map_err(|error| {
            Error::usage(format!("`{pattern}` is no regular expression")).because(error)
        })?;
    }
    let since = args.since.as_deref().map(since).transpose()?;
    let project = Project::here()?;
    let mut client = context.daemon().await?;
    let mut format =
        format(context, &mut client, &project, &args.services, args.timestamps).await?;

    let cut = context.out.terminal && since.is_none();
    let lines = args.lines.or_else(|| cut.then_some(ON_TERMINAL));
    let query = query(&project, &args.services)
        .maybe("lines", lines.map(|lines| lines.to_string()))
        .maybe("since", since)
        .maybe("grep", args.grep.as_deref())
        .maybe("follow", args.follow.then_some("true"));
    let mut stream = client.watch(&query).await?;
    print(context, &mut stream, &mut format, args.json).await
}

/// Shows what services write from now on, until Ctrl-C.
pub async fn follow(
    context: &Context,
    client: &mut Client,
    project: &Project,
    services: &[String],
) -> Result<(), Error> {
    let mut format = format(context, client, project, services, false).await?;
    let query = query(project, services).with("lines", "10").with("follow", "true");
    let mut stream = client.watch(&query).await?;
    tokio::select! {
        done = print(context, &mut stream, &mut format, false) => done,
        _ = signal::ctrl_c() => {
            output::note("\nthe services go on running; `locald down` stops them");
            Ok(())
        }
    }
}

fn query(project: &Project, services: &[String]) -> Query {
    let query = Query::new("/v1/logs").dir(&project.dir);
    services.iter().fold(query, |query, service| query.with("service", service))
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
    stream: &mut Stream<Line>,
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
fn since(text: &str) -> Result<String, Error> {
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
        let at = since("2026-01-31T13:00:00+01:00").expect("RFC 3339");
        assert_eq!(at, "2026-01-31T12:00:00.000Z");
        assert!(since("5m").expect("a duration").ends_with('Z'));
        assert_eq!(since("yesterday").expect_err("no time").kind.code(), 2);
    }
}
