//! The one writer to standard output and standard error, and what it knows about them.

use std::{
    env,
    io::{self, BufRead as _, IsTerminal as _, Write as _},
};

use serde::Serialize;

use super::{error::Error, render::text::Paint};

/// Standard output.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Whether a person looks at it as it appears.
    pub terminal: bool,
    /// Whether what is drawn there may be drawn anew in place.
    pub live: bool,
    /// Whether to use colours.
    pub paint: Paint,
}

impl Output {
    /// Looks at what standard output is.
    pub fn of_process() -> Self {
        let terminal = io::stdout().is_terminal();
        let paint = Paint { colour: terminal && colours_wanted() };
        Self { terminal, live: terminal && !is_dumb() && !is_ci(), paint }
    }

    /// The same with plain lines only.
    #[must_use]
    pub fn plain(self) -> Self {
        Self { live: false, paint: Paint { colour: false }, ..self }
    }

    /// Columns of the terminal; none: lines are not to be cut.
    pub fn width(self) -> Option<usize> {
        self.size().map(|(columns, _)| columns)
    }

    /// Columns and rows of the terminal that standard output is.
    pub fn size(self) -> Option<(usize, usize)> {
        if !self.terminal {
            return None;
        }
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then(|| (size.ws_col.into(), size.ws_row.into()))
    }

    /// Writes `text` as it is, and at once.
    pub fn write(self, text: &[u8]) -> Result<(), Error> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text).and_then(|()| stdout.flush()).map_err(Error::of_writing)
    }

    /// Writes `line` and a line end.
    pub fn line(self, line: &str) -> Result<(), Error> {
        self.write(format!("{line}\n").as_bytes())
    }

    /// Writes a JSON document: for people on a terminal, on one line otherwise.
    pub fn json(self, value: &impl Serialize) -> Result<(), Error> {
        let json = if self.terminal {
            serde_json::to_string_pretty(value)
        } else {
            serde_json::to_string(value)
        };
        self.line(&json.map_err(|error| Error::failed("cannot write as JSON").because(error))?)
    }

    /// Writes one line of a stream of JSON values.
    pub fn json_line(self, value: &impl Serialize) -> Result<(), Error> {
        let json = serde_json::to_string(value);
        self.line(&json.map_err(|error| Error::failed("cannot write as JSON").because(error))?)
    }
}

/// Writes to standard error. What cannot be written there is lost: nobody is left to be told.
pub fn to_stderr(text: &str) {
    let _nobody_to_tell = io::stderr().write_all(text.as_bytes());
}

/// Says something to a person beside the output, as a line on standard error.
pub fn note(line: &str) {
    to_stderr(&format!("{line}\n"));
}

/// Asks a person whether to go ahead, who may have said `yes` before.
pub fn agreed(yes: bool) -> Result<(), Error> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Error::usage("there is no terminal to ask on").hinted("`--yes` says yes"));
    }
    if is_yes("Go ahead? [y/N] ", false)? { Ok(()) } else { Err(Error::failed("not done")) }
}

/// Asks the person at the terminal; `unsaid`: what an empty line means. An end of the input is a no.
pub fn is_yes(question: &str, unsaid: bool) -> Result<bool, Error> {
    to_stderr(question);
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    let read = read.map_err(|error| Error::failed("cannot ask").because(error))?;
    Ok(match line.trim() {
        "" => unsaid && read > 0,
        word => matches!(word, "y" | "Y" | "yes" | "Yes"),
    })
}

/// Whether standard error takes colours.
pub fn stderr_has_colour() -> bool {
    io::stderr().is_terminal() && colours_wanted()
}

/// `NO_COLOR` counts when it is not empty (no-color.org); a dumb terminal has no colours, and who reads
/// what a CI has run sees the codes.
fn colours_wanted() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && !is_dumb() && !is_ci()
}

fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Every CI says so, also where it has a terminal.
fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true" || value == "1")
}
