//! The daemon: builds the tree, wires it, answers signals.

mod config;
mod estate;
mod handover;
mod intensity;
mod logging;
mod narrator;
mod proxy;
mod restore;
mod root;
mod serve;
mod tell;
mod upgrade;

use std::process::ExitCode;

/// Runs the daemon in this process until it is told to end. In the foreground it logs to a terminal;
/// else standard error is its log file.
pub fn run(foreground: bool) -> ExitCode {
    let mut teller = tell::Teller::new();
    match serve::serve(&mut teller, foreground) {
        Ok(code) => code,
        Err(failure) => teller.failed(&failure),
    }
}
