//! Changed files: when a burst of changes is over, whom it concerns, and what is a loop.

mod settling;

pub use settling::Settling;
