//! Colours, display width, and making foreign text harmless on a terminal.

use std::{borrow::Cow, fmt::Write as _};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::api::status::{ProjectState, ServiceState};

/// Colours, or the lack of them.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    /// Whether to colour at all.
    pub colour: bool,
}

/// A colour by its number in SGR.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Colour {
    /// Trouble.
    Red,
    /// All is well.
    Green,
    /// On the way.
    Yellow,
    /// Neutral accents.
    Cyan,
    /// What matters less.
    Dim,
    /// Headings.
    Bold,
    /// One of six, for telling names apart.
    Nth(usize),
}

impl Paint {
    /// `text` in `colour`.
    pub fn with(self, colour: Colour, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match colour {
            Colour::Red => "31",
            Colour::Green => "32",
            Colour::Yellow => "33",
            Colour::Cyan => "36",
            Colour::Dim => "2",
            Colour::Bold => "1",
            Colour::Nth(nth) => ["36", "33", "32", "35", "34", "31"][nth % 6],
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// The label of an error.
    pub fn error(self, text: &str) -> String {
        if self.colour { format!("\x1b[1;31m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// The label of a hint.
    pub fn help(self, text: &str) -> String {
        self.with(Colour::Cyan, text)
    }
}

/// The colour of a service's state.
pub fn state_colour(state: ServiceState) -> Colour {
    match state {
        ServiceState::Healthy | ServiceState::Completed => Colour::Green,
        ServiceState::Waiting | ServiceState::Starting | ServiceState::Stopping => Colour::Yellow,
        ServiceState::Unhealthy | ServiceState::Backoff | ServiceState::Failed => Colour::Red,
        ServiceState::Stopped => Colour::Dim,
    }
}

/// The colour of a project's state.
pub fn project_colour(state: ProjectState) -> Colour {
    match state {
        ProjectState::Healthy => Colour::Green,
        ProjectState::Starting | ProjectState::Stopping => Colour::Yellow,
        ProjectState::Degraded | ProjectState::Failed => Colour::Red,
        ProjectState::Stopped => Colour::Dim,
    }
}

/// The columns that `text` takes on a terminal. Only for text without escape sequences.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// `text`, at most `limit` columns wide, with `…` where something was cut off.
pub fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    if width(text) <= limit {
        return Cow::Borrowed(text);
    }
    let mut short = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > limit {
            break;
        }
        used += wide;
        short.push(c);
    }
    if limit > 0 {
        short.push('…');
    }
    Cow::Owned(short)
}

/// `text` with blanks after it up to `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    let mut padded = text.to_owned();
    padded.extend(std::iter::repeat_n(' ', columns.saturating_sub(width(text))));
    padded
}

/// `text` without escape sequences and control characters, on one line, in one direction.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_control()) {
        return Cow::Borrowed(text);
    }
    if !text.chars().any(is_command) {
        return Cow::Borrowed(text);
    }
    let mut plain = without_escapes(text).into_owned();
    plain = plain.replace(['\n', '\r', '\t', '\u{2028}', '\u{2029}'], " ");
    plain.retain(|c| !is_command(c));
    Cow::Owned(plain)
}

/// Whether a character moves others instead of being one.
fn is_command(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A URL to be shown around: what lets one in is an ellipsis.
pub fn without_password(url: &str) -> Cow<'_, str> {
    let hidden = || {
        let (scheme, rest) = url.split_once("://")?;
        let (login, rest) = rest.split_once('@')?;
        let (user, _) = login.split_once(':')?;
        Some(format!("{scheme}://{user}:…@{rest}"))
    };
    hidden().map_or(Cow::Borrowed(url), Cow::Owned)
}

/// `text` without terminal escape sequences (CSI, OSC and the like, and the short ones).
pub fn without_escapes(text: &str) -> Cow<'_, str> {
    if !text.contains('\x1b') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\x1b' {
            plain.push(c);
            continue;
        }
        match rest.next() {
            // CSI: parameters and intermediates, then one final character.
            Some('[') => while rest.next_if(|c| matches!(c, ' '..='?')).is_some() {},
            // Strings: up to BEL or ESC \.
            Some(']' | 'P' | 'X' | '^' | '_') => {
                while rest.next_if(|&c| c != '\x07' && c != '\x1b').is_some() {}
                if rest.next() == Some('\x1b') {
                    rest.next_if_eq(&'\\');
                }
                continue;
            }
            // Character sets and the like: intermediates, then one final character.
            Some(' '..='/') => while rest.next_if(|c| matches!(c, ' '..='/')).is_some() {},
            _ => continue,
        }
        rest.next_if(|c| matches!(c, '0'..='~'));
    }
    Cow::Owned(plain)
}

/// A span of time as people say it: `3.2s`, `4m 5s`, `2h 3m`, `5d 1h`.
pub fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 9.95 {
        return format!("{seconds:.1}s");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and casts from floats saturate"
    )]
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole}s"),
        60..3_600 => format!("{}m {}s", whole / 60, whole % 60),
        3_600..86_400 => format!("{}h {}m", whole / 3_600, whole % 3_600 / 60),
        _ => format!("{}d {}h", whole / 86_400, whole % 86_400 / 3_600),
    }
}

/// `1 restart`, `2 restarts`.
pub fn count(number: u32, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Lines of a log under an indented heading, harmless on a terminal.
pub fn quoted(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        let _infallible = writeln!(text, "  | {}", clean(line));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_counts_columns_and_not_bytes() {
        assert_eq!(cut("grün", 4), "grün");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn escape_sequences_of_every_kind_are_removed() {
        let text = "\x1b[1;31mred\x1b[0m \x1b]0;title\x07a\x1b]8;;http://x\x1b\\b\x1b(Bc\x1bMd";
        assert_eq!(without_escapes(text), "red abcd");
        assert_eq!(without_escapes("half \x1b[3"), "half ");
        assert_eq!(without_escapes("half \x1b]0;never ends"), "half ");
        assert_eq!(without_escapes("end \x1b"), "end ");
    }

    #[test]
    fn clean_text_stays_on_one_line() {
        assert_eq!(clean("a\nb\x07\tc"), "a b c");
        assert_eq!(clean("plain ünïcode"), "plain ünïcode");
        assert_eq!(clean("a\u{202e}b\u{2028}c\u{9b}2J"), "ab c2J");
    }

    #[test]
    fn spans_are_short() {
        let said: Vec<_> =
            [0.0, 9.94, 9.97, 59.4, 59.6, 125.0, 3_700.0, 200_000.0].map(span).into();
        assert_eq!(said, ["0.0s", "9.9s", "10s", "59s", "1m 0s", "2m 5s", "1h 1m", "2d 7h"]);
    }
}
