//! `locald up`: starts the project, and the daemon if there is none.

mod report;

use std::path::{Path, PathBuf};

use super::{
    logs,
    operate::{Operation, Verb, record::Record, refuse_unknown},
};
use crate::{
    cli::{args, context::Context, error::Error, output, project::Project},
    core::time::rfc3339,
    os::clock,
};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Up) -> Result<(), Error> {
    let out = if args.ci { context.out.plain() } else { context.out };
    let context = &Context { out, places: context.places.clone() };
    let mut record = Record::default();
    let Some(file) = args.report() else { return start(context, args, &mut record).await };
    let (at, began) = (clock::wall(), clock::now());
    let done = start(context, args, &mut record).await;
    let (path, _) = split(&args.arguments);
    let began = (rfc3339(at), began.elapsed());
    let written =
        report::write(file, &report::name(path.as_deref()), began, &record, done.as_ref().err());
    match (done, written) {
        (Ok(()), written) => written,
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(unwritten)) => {
            output::note(&format!("{}: {unwritten}", file.display()));
            Err(error)
        }
    }
}

async fn start(context: &Context, args: &args::Up, record: &mut Record) -> Result<(), Error> {
    let (path, services) = split(&args.arguments);
    let project = Project::at_or_here(path.as_deref())?;
    let plan = project.plan()?;
    refuse_unknown(&plan, services)?;
    let mut client = context.daemon_or_start().await?;
    client.daemon().mention_other_release();
    let operation = Operation {
        verb: Verb::Up,
        project: &project,
        services,
        cascade: false,
        waiting: args.waiting,
        timeout: Some(args.timeout),
        silent: false,
    };
    operation.run_recorded(context, &mut client, record).await?;
    if args.follow { logs::follow(context, &mut client, &project, services).await } else { Ok(()) }
}

/// The first argument is a path if it is `.`, `..` or contains `/` (SPEC §14).
fn split(arguments: &[String]) -> (Option<PathBuf>, &[String]) {
    match arguments.split_first() {
        Some((first, rest)) if first == "." || first == ".." || first.contains('/') => {
            (Some(Path::new(first).to_owned()), rest)
        }
        _ => (None, arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_path_is_one() {
        let split = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            let (path, services) = split(&words);
            (path.map(|path| path.display().to_string()), services.join(" "))
        };
        let path = |path: &str| Some(path.to_owned());
        assert_eq!(split(&[]), (None, String::new()));
        assert_eq!(split(&["web", "db"]), (None, "web db".to_owned()));
        assert_eq!(split(&[".", "db"]), (path("."), "db".to_owned()));
        assert_eq!(split(&["..",]), (path(".."), String::new()));
        assert_eq!(split(&["shop/", "db"]), (path("shop/"), "db".to_owned()));
        assert_eq!(split(&["web", "./x"]), (None, "web ./x".to_owned()));
    }
}
