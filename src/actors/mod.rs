//! One actor per file: its messages, what it is given, what it does. `actors.md` tells them all.
//!
//! [`board`] and [`event_log`] are no actors: what actors publish there, anybody may read at any time. Nor is [`usage`], a
//! task for as long as somebody watches.

pub mod board;
pub mod cert_signer;
pub mod config_watcher;
pub mod context;
pub mod directory;
pub mod event_log;
pub mod gate;
pub mod infra;
pub mod ipc_gateway;
pub mod listener;
pub mod log_store;
pub mod notifier;
pub mod port_allocator;
pub mod probe;
pub mod process;
pub mod project;
pub mod projects;
pub mod proxy_router;
pub mod service;
pub mod state_store;
pub mod usage;
