//! What the router publishes and the data plane reads: one cell per service, without a lock on the way.

mod requests;
mod target;

pub use requests::{REMEMBERED, Request, RequestLog};
pub use target::{Phase, Spoken, State, Target};
