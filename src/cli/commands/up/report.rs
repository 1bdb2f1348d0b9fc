//! The report of a start for a CI.

use std::{path::Path, time::Duration};

use crate::{
    cli::{
        commands::operate::record::{Record, Verdict},
        error::{Error, Kind},
        project::{Checked, Project},
        render::{
            junit::{Case, Suite, Trouble, report},
            text::Paint,
        },
        report,
    },
    os::file,
};

/// What to call a project, whatever is wrong with it: its name, or its folder's.
pub(super) fn name(path: Option<&Path>) -> String {
    let project = Project::at_or_here(path);
    if let Ok(project) = &project
        && let Ok(Checked::Good(plan)) = project.check()
    {
        return plan.project.to_string();
    }
    let dir = project.map(|project| project.dir).or_else(|_| std::env::current_dir());
    let dir = dir.unwrap_or_default();
    dir.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Writes it, whole or not at all. `began`: when that was, and how long ago.
pub(super) fn write(
    path: &Path,
    name: &str,
    (at, took): (String, Duration),
    record: &Record,
    error: Option<&Error>,
) -> Result<(), Error> {
    let said = error.map(|error| report::text(error, Paint { colour: false }));
    let mut cases: Vec<Case<'_>> = record
        .cases
        .iter()
        .map(|case| {
            let trouble = match &case.verdict {
                Verdict::Good => None,
                Verdict::Failed(why, lines) => Some(Trouble::Failure(why, lines)),
                Verdict::Open(why) => Some(Trouble::Skipped(why)),
            };
            Case { name: &case.service, took: case.took, trouble }
        })
        .collect();
    let told = cases.iter().any(|case| matches!(case.trouble, Some(Trouble::Failure(..))));
    // A report without trouble would be a success, whatever the exit code is.
    if let (Some(error), Some(said)) = (error, said.as_deref().filter(|_| !told)) {
        let first = said.lines().next().unwrap_or_default();
        let first = first.strip_prefix("error: ").unwrap_or(first);
        let name = if error.kind == Kind::Config { "configuration" } else { "up" };
        cases.push(Case { name, took, trouble: Some(Trouble::Error(first, said)) });
    }
    let text = report(&Suite { name, took, at: &at, cases });
    file::rewrite(path, text.as_bytes()).map_err(|error| {
        Error::failed(format!("cannot write the report to {}", path.display())).because(error)
    })
}
