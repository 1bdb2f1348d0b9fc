//! The binary as users, scripts and the kernel see it.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests are outside, where programs are run, clocks are read and failures are told"
)]

mod support;

mod add;
mod attach;
mod bad_input;
mod build;
mod ci;
mod cli;
mod completions;
mod config;
mod dashboard;
mod deps;
mod doctor;
mod environment;
mod events;
mod example;
mod gateway;
mod healing;
mod heart;
mod init;
mod logs;
mod man;
mod mcp;
mod monitor;
mod moves;
mod notify;
mod on_event;
mod ports;
mod processes;
mod progress;
mod provided;
mod proxy;
mod readiness;
mod reconnect;
mod reload;
mod restart;
mod scale;
mod sentences;
mod server;
mod shop;
mod signals;
mod soak;
mod state;
mod stop;
mod strategies;
mod terminal;
mod tree;
mod try_out;
mod up;
mod upgrade;
mod users;
mod watch;
mod watch_much;
