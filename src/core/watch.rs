//! Changed files: when a burst of changes is over, whom it concerns, and what is a loop.

mod globs;
mod loops;
mod settling;

pub use globs::{BadGlob, Globs, Root, check};
pub use loops::{Loop, QUIET, Verdict};
pub use settling::Settling;
