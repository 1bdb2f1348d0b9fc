//! locald: a local development platform in which everything is a supervised actor.
//!
//! Not a public API: the library exists so that benches and tests reach the layers.

/// One actor per file.
pub mod actors;
/// Wire types of the socket API, and nothing else.
pub mod api;
/// The command line: one file per command.
pub mod cli;
/// Pure decisions and data: no I/O, no clock, no randomness.
pub mod core;
/// The daemon: builds the tree, wires it, answers signals.
pub mod daemon;
/// The dashboard: its page, and who may look at it.
pub mod dashboard;
/// The process that keeps the daemon alive, and what must survive it.
pub mod heart;
/// One adapter per file around what the operating system offers.
pub mod os;
/// Servers that locald provides: found, given data of their own, asked whether they are ready.
pub mod provision;
/// The reverse proxy's data path: accept, TLS, route, forward.
pub mod proxy;
/// The OTP part: dependency graph, restart budget, engine, and the actors around them.
pub mod supervision;
