//! Tells whoever started the daemon what came of it.

use std::{
    fs::File,
    io::{self, Write as _},
    process::ExitCode,
};

use crate::os::{detach, file::FileError, lock::LockError, paths::PathError, socket::BindError};

/// Why the daemon cannot serve.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Another one is there.
    #[error("a daemon is running already (pid {0})")]
    Busy(i32),
    /// Another one has the lock.
    #[error(transparent)]
    Lock(LockError),
    /// There is no place for its files.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Its socket.
    #[error(transparent)]
    Socket(#[from] BindError),
    /// The global configuration.
    #[error("{0}")]
    Config(String),
    /// A file of its own.
    #[error(transparent)]
    File(#[from] FileError),
    /// What it needs of the system.
    #[error("cannot {what}: {source}")]
    System {
        /// The attempt.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The tree.
    #[error("cannot start the actors: {0}")]
    Actors(String),
}

/// The way back to whoever started the daemon: a pipe, or the terminal.
pub(super) struct Teller {
    pipe: Option<File>,
}

impl Teller {
    /// Must be made before anything else is opened or spawned.
    pub(super) fn new() -> Self {
        Self { pipe: detach::ready_pipe() }
    }

    /// The daemon serves.
    pub(super) fn ready(&mut self) {
        self.say("ready");
    }

    /// The daemon does not serve: says why, on the pipe or to a person. Exit code 3, or 4 if its
    /// configuration is at fault.
    pub(super) fn failed(&mut self, failure: &Failure) -> ExitCode {
        match (&self.pipe, failure) {
            (Some(_), Failure::Busy(pid)) => self.say(&format!("busy {pid}")),
            (Some(_), Failure::Config(why)) => self.say(&format!("config: {}", one_line(why))),
            (Some(_), _) => self.say(&format!("error: {}", one_line(&failure.to_string()))),
            // Nobody is left to tell when standard error is closed; the exit code still tells.
            (None, _) => drop(writeln!(io::stderr(), "error: {failure}")),
        }
        ExitCode::from(if matches!(failure, Failure::Config(_)) { 4 } else { 3 })
    }

    fn say(&mut self, word: &str) {
        if let Some(mut pipe) = self.pipe.take()
            && let Err(error) = writeln!(pipe, "{word}")
        {
            tracing::debug!(%error, "the client that started the daemon is gone");
        }
    }
}

fn one_line(text: &str) -> String {
    text.trim_end().replace('\n', "; ")
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { pid: Some(pid), .. } => Self::Busy(pid),
            error => Self::Lock(error),
        }
    }
}
