//! What services print: from their terminals and pipes into files, and from the files to readers.
//!
//! One thread, the log plane, reads every output and writes every file, apart from the actors: a flood
//! slows nobody but the service that prints it. The files are the only store. A reader has its own
//! place in them and is told by a `watch` how far they reach, so that a slow reader costs neither
//! memory nor a service's time.
//!
//! `web.log` is the file being written, `web.log.1` the one before it, and so on. All files ever
//! written by one [`Sink`] are numbered as *generations*; a `Ledger` knows which of them still have a
//! name, and its lock makes "rename them all" and "open one of them" exclude each other.

#![expect(clippy::disallowed_types, reason = "short locks between the plane's thread and readers")]

mod follow;
mod journal;
mod ledger;
mod mend;
mod merge;
mod plane;
mod pump;
mod seek;
mod sink;
mod store;
mod tail;
mod tails;
mod terminal;

pub use follow::{Follower, Start};
pub(super) use journal::MAGIC as JOURNAL;
pub use merge::Merge;
pub use plane::LogPlane;
pub use pump::{Drained, Pump};
pub use sink::Sink;
pub use terminal::{News, Terminal};

#[cfg(test)]
mod tests;
