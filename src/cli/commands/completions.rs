//! `locald completions`.

use clap_complete::Shell;

use crate::cli::{complete, error::Error, output::Output};

/// Runs the command.
pub fn run(shell: Shell) -> Result<(), Error> {
    Output::of_process().write(&complete::script(&shell.to_string())?)
}
