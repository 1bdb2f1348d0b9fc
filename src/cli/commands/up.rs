//! `locald up`: starts the project, and the daemon if there is none.

use std::path::{Path, PathBuf};

use super::{
    logs,
    operate::{Operation, Verb, refuse_unknown},
};
use crate::cli::{args, context::Context, error::Error, project::Project};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Up) -> Result<(), Error> {
    let (path, services) = split(&args.arguments);
    let project = Project::at_or_here(path.as_deref())?;
    let plan = project.plan()?;
    refuse_unknown(&plan, services)?;
    let mut client = context.daemon_or_start().await?;
    let operation = Operation {
        verb: Verb::Up,
        project: &project,
        services,
        cascade: false,
        waiting: args.waiting,
        timeout: Some(args.timeout),
    };
    operation.run(context, &mut client).await?;
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
