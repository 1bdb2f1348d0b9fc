//! The reverse proxy's data path: accept, TLS by SNI, route, forward. It reads what others publish
//! (routes, settings, certificates, phases of services) and never waits for an actor, except to
//! tell a person why a service does not answer.

mod accept;
mod answer;
mod authority;
mod connection;
mod dashboard;
mod dial;
mod engine;
mod exchange;
mod fields;
mod forward;
mod forwarded;
mod greet;
mod h1;
mod h2;
mod head;
mod hold;
mod pages;
mod patience;
mod pool;
mod pump;
mod reason;
mod rewind;
mod settings;
mod side;
#[cfg(test)]
mod tests;
mod tls;
mod websocket;
mod worker;

pub use accept::Kind;
pub use engine::{Engine, Listening};
pub use settings::{
    DashboardAnswer, DashboardRequest, Deadlines, Narrator, Settings, Sources, Story,
};

use reason::reason;
