//! locald: a local development platform in which everything is a supervised actor.
//!
//! Not a public API: the library exists so that benches and tests reach the layers.

/// Wire types of the socket API, and nothing else.
pub mod api;
/// Pure decisions and data: no I/O, no clock, no randomness.
pub mod core;
/// The OTP part: dependency graph, restart budget, engine, and the actors around them.
pub mod supervision;
/// One adapter per file around what the operating system offers.
pub mod os;
/// One actor per file.
pub mod actors;
/// The daemon: builds the tree, wires it, answers signals.
pub mod daemon;
/// The command line: one file per command.
pub mod cli;
