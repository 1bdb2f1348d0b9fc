//! The binary as users, scripts and the kernel see it.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests are outside, where programs are run, clocks are read and failures are told"
)]

mod support;

mod bad_input;
mod cli;
mod config;
mod deps;
mod environment;
mod example;
mod gateway;
mod healing;
mod logs;
mod notify;
mod ports;
mod processes;
mod proxy;
mod readiness;
mod reload;
mod restart;
mod scale;
mod server;
mod signals;
mod soak;
mod state;
mod stop;
mod strategies;
mod terminal;
mod tree;
mod up;
mod users;
mod watch;
