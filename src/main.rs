//! The one binary: client, daemon and heart.

#![forbid(unsafe_code)]

use std::{env, process::ExitCode};

use locald::{cli, heart, os::proc};

fn main() -> ExitCode {
    proc::take_our_name();
    // Before anything is set up that the heart does not need: it stays for ever, and small.
    let mut args = env::args_os().skip(1);
    if args.next().is_some_and(|first| first == heart::WORD) {
        return heart::run(args.next().is_some_and(|second| second == heart::FOREGROUND));
    }
    cli::main()
}
