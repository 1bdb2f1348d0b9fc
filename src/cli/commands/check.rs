//! `locald check`: all that is wrong with the configuration, without a daemon.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{
    cli::{
        args,
        error::{Error, Kind},
        output::Output,
        project::{Checked, Project},
        render::text::count,
    },
    core::diagnostic::Diagnostics,
};

/// SPEC §4: `check --json`.
#[derive(Debug, Serialize)]
pub struct Report {
    errors: Vec<Wrong>,
}

#[derive(Debug, Serialize)]
struct Wrong {
    message: String,
    file: Option<PathBuf>,
    line: Option<usize>,
    column: Option<usize>,
    help: Option<String>,
}

/// Runs the command.
pub fn run(args: &args::Check) -> Result<(), Error> {
    let out = Output::of_process();
    if args.json {
        let report = report(args.path.as_deref())?;
        out.json(&report)?;
        return if report.errors.is_empty() {
            Ok(())
        } else {
            Err(Error::silent(Kind::Config.code()))
        };
    }
    let project = Project::at_or_here(args.path.as_deref())?;
    let plan = project.plan()?;
    let services = count(u32::try_from(plan.services.len()).unwrap_or(u32::MAX), "service");
    out.line(&format!("{} is valid: {}, {services}", project.file.display(), plan.project))
}

/// All that is wrong with the configuration in `path`, or in the project of the working folder.
pub fn report(path: Option<&Path>) -> Result<Report, Error> {
    let checked = Project::at_or_here(path).and_then(|project| project.check());
    let errors = match checked {
        Ok(Checked::Good(_)) => Vec::new(),
        Ok(Checked::Bad(diagnostics)) => located(&diagnostics),
        Err(error) if error.kind == Kind::Config => {
            let why = error.source.as_ref().map(|source| format!(": {source}")).unwrap_or_default();
            vec![Wrong {
                message: format!("{}{why}", error.message),
                file: None,
                line: None,
                column: None,
                help: error.hints.first().cloned(),
            }]
        }
        Err(error) => return Err(error),
    };
    Ok(Report { errors })
}

fn located(diagnostics: &Diagnostics) -> Vec<Wrong> {
    let errors = diagnostics.list.iter().map(|one| {
        let (line, column) = diagnostics.source.line_column(one.offset());
        Wrong {
            message: one.message.clone(),
            file: Some(diagnostics.source.path.clone()),
            line: Some(line),
            column: Some(column),
            help: one.help.clone(),
        }
    });
    errors.collect()
}
