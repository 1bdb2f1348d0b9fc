//! What `doctor` found, for people.

use std::fmt::Write as _;

use super::text::{Colour, Paint, count, width};
use crate::core::doctor::{Check, Verdict};

/// The least room for a sentence beside the names of checks.
const ROOM: usize = 24;

/// A sentence for each check, as narrow as the terminal, and below it the command that mends it, which is never
/// broken: it is there to be copied.
pub fn checks(checks: &[Check], paint: Paint, columns: Option<usize>) -> String {
    let names = checks.iter().map(|check| check.id.len()).max().unwrap_or_default();
    let margin = " ".repeat(8 + 2 + names + 2);
    let room = columns.map_or(usize::MAX, |all| all.saturating_sub(margin.len()).max(ROOM));
    let mut text = String::new();
    for Check { id, status, message, fix } in checks {
        let (word, colour) = match status {
            Verdict::Ok => ("ok", Colour::Green),
            Verdict::Info => ("-", Colour::Dim),
            Verdict::Warning => ("warning", Colour::Yellow),
            Verdict::Critical => ("critical", Colour::Red),
        };
        let word = paint.with(colour, &format!("{word:8}"));
        let message = wrapped(message, room).join(&format!("\n{margin}"));
        let _infallible = writeln!(text, "{word}  {id:names$}  {message}");
        if let Some(fix) = fix {
            let _infallible = writeln!(text, "{margin}{}", paint.help(fix));
        }
    }
    text + &summary(checks)
}

/// Lines of whole words, at most so wide where words are not wider.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if width(line) + 1 + width(word) <= room => *line = format!("{line} {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn summary(checks: &[Check]) -> String {
    let of = |status| checks.iter().filter(|check| check.status == status).count();
    let (critical, warnings) = (of(Verdict::Critical), of(Verdict::Warning));
    let warnings = count(u32::try_from(warnings).unwrap_or(u32::MAX), "warning");
    match critical {
        0 if warnings == "0 warnings" => "\nall is well\n".to_owned(),
        0 => format!("\n{warnings}\n"),
        _ => format!("\n{critical} critical, {warnings}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_come_with_what_mends_them() {
        let one = |id, status, fix: Option<&str>| Check {
            id,
            status,
            message: "it is so".to_owned(),
            fix: fix.map(str::to_owned),
        };
        let paint = Paint { colour: false };
        let good = [one("ca", Verdict::Ok, None), one("heart", Verdict::Info, None)];
        assert_eq!(
            checks(&good, paint, None),
            "ok        ca     it is so\n-         heart  it is so\n\nall is well\n"
        );
        let bad =
            [one("ca", Verdict::Warning, Some("x")), one("disk", Verdict::Critical, Some("y"))];
        assert_eq!(
            checks(&bad, paint, Some(16)),
            "warning   ca    it is so\n                x\ncritical  disk  it is so\n                y\n\n\
             1 critical, 1 warning\n"
        );
    }
    #[test]
    fn sentences_are_as_narrow_as_the_terminal_and_commands_whole() {
        let check = Check {
            id: "cgroup",
            status: Verdict::Warning,
            message: "there is no cgroup v2: processes are found by session".to_owned(),
            fix: Some("a command that is much longer than the terminal is wide".to_owned()),
        };
        assert_eq!(
            checks(&[check], Paint { colour: false }, Some(50)),
            "warning   cgroup  there is no cgroup v2: processes\n                  are found by session\n\
             \x20                 a command that is much longer than the terminal is wide\n\n1 warning\n"
        );
    }
}
