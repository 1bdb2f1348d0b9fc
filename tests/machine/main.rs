//! What changes the machine (`admin`, `trust`, the names in `/etc/hosts`) from outside: as root in namespaces with
//! an `/etc`, stores and a network of their own, so that the machine stays as it is.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests are outside, where programs are run and failures are told"
)]

mod admin;
mod names;
mod strangers;
mod trust;
mod world;
