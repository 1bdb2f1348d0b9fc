//! `locald completions`.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::cli::{args::Cli, error::Error, output::Output};

/// Runs the command.
pub fn run(shell: Shell) -> Result<(), Error> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "locald", &mut script);
    Output::of_process().write(&script)
}
