//! Prints an [`Error`] for a person: `error:` what, `because:` why, `help:` what to do.

use std::{error::Error as _, fmt::Write as _, process::ExitCode};

use super::{
    error::{Error, Kind},
    output,
    render::text::{Paint, clean},
};

/// Says on standard error why the command failed, and gives the exit code for it.
pub fn report(error: &Error) -> ExitCode {
    if !matches!(error.kind, Kind::BrokenPipe | Kind::Silent(_)) {
        let paint = Paint { colour: output::stderr_has_colour() };
        output::to_stderr(&text(error, paint));
    }
    ExitCode::from(error.kind.code())
}

/// The report as text.
pub fn text(error: &Error, paint: Paint) -> String {
    let mut text = String::new();
    if !error.message.is_empty() {
        line(&mut text, &paint.error("error:"), &error.message);
    }
    let mut said = error.message.clone();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        // Many causes repeat themselves in the words of the error above them.
        if !said.contains(&words) {
            line(&mut text, &paint.error("because:"), &words);
            said = words;
        }
        cause = error.source();
    }
    for detail in &error.details {
        text.push_str(detail);
        if !detail.ends_with('\n') {
            text.push('\n');
        }
    }
    for hint in &error.hints {
        line(&mut text, &paint.help("help:"), hint);
    }
    text
}

fn line(text: &mut String, label: &str, words: &str) {
    for (nth, words) in words.lines().enumerate() {
        let words = clean(words);
        let _infallible =
            if nth == 0 { writeln!(text, "{label} {words}") } else { writeln!(text, "  {words}") };
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn says_what_why_and_what_to_do() {
        let error = Error::no_daemon("cannot start the daemon")
            .because(io::Error::other("disk full"))
            .detailed("  | last line of the log")
            .hinted("make room and try again");
        insta::assert_snapshot!(text(&error, Paint { colour: false }), @r"
        error: cannot start the daemon
        because: disk full
          | last line of the log
        help: make room and try again
        ");
    }

    #[test]
    fn does_not_repeat_a_cause_that_the_message_has_already() {
        let error =
            Error::failed("cannot read it: disk full").because(io::Error::other("disk full"));
        insta::assert_snapshot!(text(&error, Paint { colour: false }), @"error: cannot read it: disk full");
    }

    #[test]
    fn a_message_cannot_command_the_terminal() {
        let error = Error::failed("bad \x1b[2Jthing");
        insta::assert_snapshot!(text(&error, Paint { colour: false }), @"error: bad thing");
    }
}
