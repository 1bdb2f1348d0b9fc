//! The privileged helper of locald. It knows one request so far: to tell its version.

#![forbid(unsafe_code)]

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

/// The version of the protocol between locald and its shim.
const PROTOCOL: u32 = 1;

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    match (args.next(), args.next()) {
        (Some(flag), None) if flag == "--shim-version" => {
            let version = env!("CARGO_PKG_VERSION");
            match writeln!(io::stdout(), "locald-shim {version} protocol {PROTOCOL}") {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        _ => {
            // Nobody is left to tell when standard error is closed; the exit code still tells.
            let _told = writeln!(io::stderr(), "usage: locald-shim --shim-version");
            ExitCode::from(2)
        }
    }
}
