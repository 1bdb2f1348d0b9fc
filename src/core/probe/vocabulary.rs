//! What the probe is told to begin with, what it hears, and what it says.

use std::time::Duration;

use crate::core::notify::Note;

/// What readiness means for a service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// A declared `http` check: attempts.
    Http,
    /// A declared `tcp` check: attempts.
    Tcp,
    /// A declared `command` check: attempts.
    Command,
    /// Only `READY=1` counts.
    Notify,
    /// Nothing declared, but there is a port: attempts or `READY=1`, whichever is first.
    Port,
    /// Nothing declared and no port: alive for so long, or `READY=1`.
    Alive(Duration),
    /// A task: its exit is what counts, so it is never ready.
    Exit,
}

/// How a service is judged.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What readiness means.
    pub mode: Mode,
    /// From one attempt to the next once ready.
    pub interval: Duration,
    /// The longest that one attempt may take.
    pub timeout: Duration,
    /// So many failures in a row make a ready service unhealthy; zero counts as one.
    pub retries: u32,
    /// Past it the start has failed; none: it may take for ever.
    pub start_period: Option<Duration>,
    /// Unhealthy is as good as crashed.
    pub on_failure_restart: bool,
    /// A declared check goes on after ready.
    pub liveness: bool,
    /// A sign of life is due at least this often.
    pub watchdog: Option<Duration>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// Attempt `number` has ended; the error says why for people.
    Attempted {
        /// The number from [`Effect::Attempt`]; late news of another one changes nothing.
        number: u64,
        /// Passed, or why not.
        outcome: Result<(), String>,
    },
    /// The service said something.
    Notified(Note),
    /// Time has passed: [`next_wake`](super::Probe::next_wake) is due.
    Tick,
}

/// What is to be done or told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Make one attempt now and report it by its number.
    Attempt {
        /// To be handed back in [`Input::Attempted`].
        number: u64,
        /// The time it has: never beyond the end of the start period.
        timeout: Duration,
    },
    /// The start has succeeded. Once.
    Ready,
    /// Too many failures in a row, with the last one's reason.
    Unhealthy(String),
    /// Well again.
    Healthy,
    /// The watchdog was missed: SIGABRT, so that the service leaves a core dump. A [`Effect::Fail`] follows.
    Abort,
    /// The service is to be treated as crashed, for this reason. The last effect there is.
    Fail(String),
    /// The service's own words.
    Status(String),
    /// It is on its way out by its own will.
    Stopping,
    /// It is busy with a reload.
    Reloading,
    /// The reload is done.
    Reloaded,
    /// It named its main process.
    MainPid(i32),
}
