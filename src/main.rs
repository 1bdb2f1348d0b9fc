//! The one binary: client and daemon.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    locald::cli::main()
}
