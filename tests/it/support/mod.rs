//! What the tests of the binary share: a home of their own, projects in it, and eyes on the system.

pub(crate) mod command;
#[path = "../../support/example.rs"]
mod example;
pub(crate) mod front;
pub(crate) mod home;
pub(crate) mod http;
pub(crate) mod kernel;
pub(crate) mod project;
pub(crate) mod status;
pub(crate) mod stream;
pub(crate) mod svc;
pub(crate) mod terminal;

use std::{
    fmt::Display,
    io::Write as _,
    time::{Duration, Instant},
};

pub(crate) use self::{
    command::Output,
    home::Home,
    project::Project,
    status::{ProjectStatus, ServiceStatus},
    svc::svc,
};

/// How long anything may take on a slow and busy machine. Nothing waits for it to pass.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// What is left until a deadline.
pub(crate) fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// Says loudly that a test cannot be done here; fails it where nothing may be left out.
pub(crate) fn skip(why: impl Display) {
    let strict = std::env::var_os("LOCALD_TESTS_STRICT").is_some_and(|value| value == "1");
    assert!(!strict, "cannot be tested here: {why}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Past the capturing of a test's output.
    writeln!(std::io::stderr(), "SKIPPED {test}: {why}").expect("standard error is open");
}

/// Looks again and again until `look` sees something; only where nothing tells when it comes.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + DEADLINE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < until, "this never came true: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
