//! The command line: parses, runs the command, reports, and ends with the right exit code.

pub mod args;
pub mod autostart;
pub mod client;
pub mod commands;
pub mod complete;
pub mod context;
pub mod error;
pub mod live;
pub mod monitor;
pub mod output;
pub mod project;
pub mod render;
pub mod report;
#[cfg(test)]
mod samples;

use std::{env, process::ExitCode};

use clap::FromArgMatches as _;

use self::{args::Cli, error::Error};

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    if let Some(code) = complete::answer() {
        return code;
    }
    let parsed = args::command().try_get_matches().and_then(|found| Cli::from_arg_matches(&found));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are such "errors", too. A reader that has gone wants neither.
            let _nobody_reads = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match go_to(&cli).and_then(|()| commands::run(cli.command)) {
        Ok(code) => code,
        Err(error) => report::report(&error),
    }
}

/// Does what `-C` asks for.
fn go_to(cli: &Cli) -> Result<(), Error> {
    let Some(dir) = &cli.directory else { return Ok(()) };
    env::set_current_dir(dir)
        .map_err(|error| Error::usage(format!("cannot go to {}", dir.display())).because(error))
}
