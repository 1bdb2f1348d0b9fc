//! What commands print, as pure functions from data to text.

pub mod diagnostic;
pub mod doctor;
pub mod events;
pub mod graph;
pub mod junit;
pub mod logs;
pub mod man;
pub mod progress;
pub mod requests;
pub mod shell;
pub mod status;
pub mod text;
pub mod tree;
pub mod why;
