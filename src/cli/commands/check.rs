//! `locald check`: all that is wrong with the configuration, without a daemon.

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    cli::{
        args,
        error::{Error, Kind},
        output::Output,
        project::{Checked, Project, invalid},
    },
    core::diagnostic::Diagnostics,
};

/// SPEC §4: `check --json`.
#[derive(Debug, Serialize)]
struct Report {
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
    match Project::at_or_here(args.path.as_deref()).and_then(|project| {
        let checked = project.check()?;
        Ok((project, checked))
    }) {
        Ok((_, Checked::Good(_))) if args.json => out.json(&Report { errors: Vec::new() }),
        Ok((project, Checked::Good(plan))) => {
            let services = crate::cli::render::text::count(
                u32::try_from(plan.services.len()).unwrap_or(u32::MAX),
                "service",
            );
            out.line(&format!("{} is valid: {}, {services}", project.file.display(), plan.project))
        }
        Ok((_, Checked::Bad(diagnostics))) if args.json => {
            out.json(&report(&diagnostics))?;
            Err(Error::silent(Kind::Config.code()))
        }
        Ok((_, Checked::Bad(diagnostics))) => Err(invalid(&diagnostics)),
        Err(error) if args.json && error.kind == Kind::Config => {
            let why = error.source.as_ref().map(|source| format!(": {source}")).unwrap_or_default();
            let wrong = Wrong {
                message: format!("{}{why}", error.message),
                file: None,
                line: None,
                column: None,
                help: error.hints.first().cloned(),
            };
            out.json(&Report { errors: vec![wrong] })?;
            Err(Error::silent(Kind::Config.code()))
        }
        Err(error) => Err(error),
    }
}

fn report(diagnostics: &Diagnostics) -> Report {
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
    Report { errors: errors.collect() }
}
