//! HTTP/2, both roles.

mod client;
mod cork;
mod fields;
mod serve;
mod stream;
mod upstream;

pub(super) use serve::serve;
pub(super) use upstream::{Link, Upstream};
