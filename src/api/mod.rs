//! What travels over the socket: requests, answers and stream items, as JSON (SPEC §4 and §5).
//!
//! The field names are a contract with scripts; change them only together with [`PROTOCOL`].

pub mod attach;
pub mod check;
pub mod control;
pub mod dashboard;
pub mod error;
pub mod event;
pub mod graph;
pub mod live;
pub mod log;
pub mod requests;
pub mod status;
pub mod tree;
pub mod upgrade;
pub mod version;
pub mod why;

/// The version of this protocol. Client and daemon of different versions refuse to talk.
pub const PROTOCOL: u32 = 1;
