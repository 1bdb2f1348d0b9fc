//! The shim for real: setuid, called by another user, in a root folder of its own, so that nothing of this
//! machine is touched; and by the root of a user namespace, where that is all there is.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests are outside, where programs are run and failures are told"
)]

mod bind;
mod callers;
mod entry;
#[path = "../support/example.rs"]
mod example;
mod hosts;
mod trust;
mod world;
