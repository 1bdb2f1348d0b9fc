//! Why a command did not succeed: what, because of what, what to do, and the exit code that says so.

use std::{error, fmt, io};

use crate::{
    api::error::{Code, Problem},
    cli::project::underlined,
};

/// What a command ends with when it does not succeed.
#[derive(Debug)]
pub struct Error {
    /// Decides on the exit code.
    pub kind: Kind,
    /// What went wrong.
    pub message: String,
    /// Why, if something lower said it.
    pub source: Option<Box<dyn error::Error + Send + Sync>>,
    /// What to look at: blocks of lines printed as they are (diagnostics, last log lines).
    pub details: Vec<String>,
    /// What to do.
    pub hints: Vec<String>,
}

/// The kinds of failure and their exit codes (SPEC §3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The operation was tried and failed.
    Failed,
    /// The project is not up.
    NoProject,
    /// The command line makes no sense.
    Usage,
    /// There is no daemon, or it cannot start.
    NoDaemon,
    /// There was one, and it went away before its answer was complete.
    Gone,
    /// The configuration has errors.
    Config,
    /// It took too long.
    Timeout,
    /// Ctrl-C.
    Interrupted,
    /// Nobody reads what we write: no failure, and nothing to say.
    BrokenPipe,
    /// The command that was run for the user has this code, or could not be run.
    Code(u8),
    /// Everything has been said already; this is the code to end with.
    Silent(u8),
}

impl Kind {
    /// The exit code of the process.
    pub fn code(self) -> u8 {
        match self {
            Self::BrokenPipe => 0,
            Self::Failed | Self::NoProject => 1,
            Self::Usage => 2,
            Self::NoDaemon | Self::Gone => 3,
            Self::Config => 4,
            Self::Timeout => 5,
            Self::Interrupted => 130,
            Self::Code(code) | Self::Silent(code) => code,
        }
    }
}

impl Error {
    /// An error without a cause.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, details: Vec::new(), hints: Vec::new() }
    }

    /// The operation failed: exit code 1.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// The command line makes no sense: exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// No daemon: exit code 3.
    pub fn no_daemon(message: impl Into<String>) -> Self {
        Self::new(Kind::NoDaemon, message)
    }

    /// Bad configuration: exit code 4.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(Kind::Config, message)
    }

    /// Ends the process with `code` and says nothing more.
    pub fn silent(code: u8) -> Self {
        Self::new(Kind::Silent(code), String::new())
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds lines to look at.
    #[must_use]
    pub fn detailed(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }

    /// What writing to standard output came to: a reader that has gone is no failure.
    pub fn of_writing(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::new(Kind::BrokenPipe, String::new())
        } else {
            Self::failed("cannot write to standard output").because(error)
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let kind = match problem.code {
            Code::Failed => Kind::Failed,
            Code::NoProject => Kind::NoProject,
            Code::BadRequest => Kind::Usage,
            Code::InvalidConfig => Kind::Config,
            Code::ShuttingDown => Kind::NoDaemon,
            Code::Timeout => Kind::Timeout,
        };
        if let Some(place) = &problem.place
            && let Some(drawn) = underlined(place, &problem)
        {
            return Self::new(kind, String::new()).detailed(drawn);
        }
        let mut error = Self::new(kind, problem.message);
        error.hints.extend(problem.help);
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
