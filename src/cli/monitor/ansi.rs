//! A line that a service wrote, as text with styles: its colours stay, and nothing of it can command
//! the terminal. Carriage returns, tabs and what erases within the line do what they would there.

use std::ops::Range;

use ratatui::style::{Color, Modifier, Style};
use vte::{Params, Parser, Perform};

/// Nothing moves the pen further than this past the end of a line.
const REACH: usize = 1_000;
/// Columns between tab stops.
const TAB: usize = 8;

/// Text without control characters, and how its parts look.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Styled {
    /// The text.
    pub text: String,
    /// Where each part begins, in bytes, and how it looks; before the first one all is plain.
    parts: Vec<(usize, Style)>,
}

impl Styled {
    /// What a terminal would show of `line`.
    pub fn of(line: &str) -> Self {
        if !line.chars().any(is_unfit) {
            return Self { text: line.to_owned(), parts: Vec::new() };
        }
        let mut pen = Pen::default();
        Parser::new().advance(&mut pen, line.as_bytes());
        pen.styled()
    }

    /// The bytes that it takes.
    pub fn size(&self) -> usize {
        self.text.len() + self.parts.len() * size_of::<(usize, Style)>()
    }

    /// The parts of the text in `range`, each with its look.
    pub fn pieces(&self, range: Range<usize>) -> Vec<(&str, Style)> {
        let mut pieces = Vec::new();
        let mut at = range.start;
        let mut style = Style::default();
        for (start, next) in &self.parts {
            let start = (*start).min(range.end);
            if start > at {
                pieces.push((&self.text[at..start], style));
                at = start;
            }
            style = *next;
        }
        if at < range.end {
            pieces.push((&self.text[at..range.end], style));
        }
        pieces
    }
}

/// Control characters, and those that turn the direction of what follows.
fn is_unfit(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Writes one line.
#[derive(Default)]
struct Pen {
    cells: Vec<(char, Style)>,
    at: usize,
    style: Style,
}

impl Pen {
    fn go_to(&mut self, at: usize) {
        self.at = at.min(self.cells.len().max(REACH));
    }

    fn put(&mut self, c: char, style: Style) {
        if self.at >= self.cells.len() {
            self.cells.resize(self.at, (' ', Style::default()));
            self.cells.push((c, style));
        } else {
            self.cells[self.at] = (c, style);
        }
        self.at += 1;
    }

    fn erase(&mut self, what: u16) {
        match what {
            0 => self.cells.truncate(self.at),
            1 => {
                let end = self.at.min(self.cells.len());
                self.cells[..end].fill((' ', Style::default()));
            }
            _ => self.cells.clear(),
        }
    }

    fn styled(self) -> Styled {
        let mut styled = Styled::default();
        let mut last = Style::default();
        for (c, style) in self.cells {
            if style != last {
                styled.parts.push((styled.text.len(), style));
                last = style;
            }
            styled.text.push(c);
        }
        styled
    }

    fn look(&mut self, params: &Params) {
        let mut params = params.iter();
        while let Some(param) = params.next() {
            match *param {
                [38 | 48, ..] => {
                    let colour = match param {
                        [_] => colour(&mut params.by_ref().map(|next| next[0])),
                        // With colons there may be an empty place for a colour space.
                        [_, 2, _, r, g, b, ..] => colour(&mut [2, *r, *g, *b].into_iter()),
                        [_, rest @ ..] => colour(&mut rest.iter().copied()),
                        [] => None,
                    };
                    let Some(colour) = colour else { continue };
                    self.style = match param[0] {
                        38 => self.style.fg(colour),
                        _ => self.style.bg(colour),
                    };
                }
                [4, 0] => self.style = self.style.remove_modifier(Modifier::UNDERLINED),
                [code, ..] => self.style = plain(self.style, code),
                [] => {}
            }
        }
    }
}

impl Perform for Pen {
    fn print(&mut self, c: char) {
        if !is_unfit(c) {
            self.put(c, self.style);
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\r' => self.at = 0,
            0x08 => self.at = self.at.saturating_sub(1),
            b'\t' => self.go_to((self.at / TAB + 1) * TAB),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, marks: &[u8], ignore: bool, action: char) {
        if ignore || !marks.is_empty() {
            return;
        }
        let first = params.iter().next().map_or(0, |param| param[0]);
        let count = usize::from(first.max(1));
        match action {
            'm' => self.look(params),
            'K' => self.erase(first),
            'G' => self.go_to(count - 1),
            'C' => self.go_to(self.at + count),
            'D' => self.at = self.at.saturating_sub(count),
            _ => {}
        }
    }
}

/// A colour from the numbers after 38 or 48.
fn colour(rest: &mut impl Iterator<Item = u16>) -> Option<Color> {
    let byte = |number: Option<u16>| number.and_then(|number| u8::try_from(number).ok());
    match rest.next()? {
        5 => byte(rest.next()).map(Color::Indexed),
        2 => {
            let (r, g, b) = (byte(rest.next()), byte(rest.next()), byte(rest.next()));
            Some(Color::Rgb(r?, g?, b?))
        }
        _ => None,
    }
}

/// `style` after an SGR code that needs no others.
fn plain(style: Style, code: u16) -> Style {
    let low = |code: u16| Color::Indexed(u8::try_from(code % 10).unwrap_or_default());
    let high = |code: u16| Color::Indexed(u8::try_from(code % 10 + 8).unwrap_or_default());
    match code {
        0 => Style::default(),
        1 => style.add_modifier(Modifier::BOLD),
        2 => style.add_modifier(Modifier::DIM),
        3 => style.add_modifier(Modifier::ITALIC),
        4 => style.add_modifier(Modifier::UNDERLINED),
        7 => style.add_modifier(Modifier::REVERSED),
        9 => style.add_modifier(Modifier::CROSSED_OUT),
        21 | 22 => without(style, Modifier::BOLD | Modifier::DIM),
        23 => without(style, Modifier::ITALIC),
        24 => without(style, Modifier::UNDERLINED),
        27 => without(style, Modifier::REVERSED),
        29 => without(style, Modifier::CROSSED_OUT),
        30..=37 => style.fg(low(code)),
        39 => Style { fg: None, ..style },
        40..=47 => style.bg(low(code)),
        49 => Style { bg: None, ..style },
        90..=97 => style.fg(high(code)),
        100..=107 => style.bg(high(code)),
        _ => style,
    }
}

fn without(style: Style, gone: Modifier) -> Style {
    Style { add_modifier: style.add_modifier - gone, ..style }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(line: &str) -> Vec<(String, Style)> {
        let styled = Styled::of(line);
        let pieces = styled.pieces(0..styled.text.len());
        pieces.into_iter().map(|(text, style)| (text.to_owned(), style)).collect()
    }

    #[test]
    fn colours_stay_and_commands_go() {
        let red = Style::default().fg(Color::Indexed(1));
        assert_eq!(
            seen("a \x1b[31mred\x1b[0m\x1b[2J\x1b]0;title\x07\x1b]52;c;aGk=\x1b\\ b\x1b[6n\x1bc"),
            [("a ".into(), Style::default()), ("red".into(), red), (" b".into(), Style::default())]
        );
        let bold = Style::default().add_modifier(Modifier::BOLD);
        let sky = |style: Style| style.fg(Color::Rgb(1, 2, 3)).bg(Color::Indexed(200));
        assert_eq!(
            seen("\x1b[1mB\x1b[38;2;1;2;3;48;5;200mS\x1b[22mT"),
            [("B".into(), bold), ("S".into(), sky(bold)), ("T".into(), sky(Style::default()))]
        );
        assert_eq!(seen("\x1b[38:2::1:2:3;48:5:200mS"), [("S".to_owned(), sky(Style::default()))]);
    }

    #[test]
    fn a_progress_bar_shows_what_it_came_to() {
        assert_eq!(Styled::of("10%\r50%\r100%").text, "100%");
        assert_eq!(Styled::of("long text\r\x1b[Kshort").text, "short");
        assert_eq!(Styled::of("ab\x08c\td").text, "ac      d");
        assert_eq!(Styled::of("half \x1b[3").text, "half ");
    }

    #[test]
    fn a_short_line_cannot_become_a_very_long_one() {
        let line = "\x1b[9999Cx".repeat(1_000);
        assert!(Styled::of(&line).text.len() < 3 * REACH);
    }

    #[test]
    fn text_is_not_turned_around() {
        assert_eq!(Styled::of("a\u{202e}b\u{2066}c").text, "abc");
    }

    proptest! {
        #[test]
        fn whatever_comes_no_control_character_stays(line in any::<Vec<u8>>()) {
            let line = String::from_utf8_lossy(&line);
            let styled = Styled::of(&line);
            prop_assert!(!styled.text.chars().any(is_unfit));
            let again: String =
                styled.pieces(0..styled.text.len()).iter().map(|(text, _)| *text).collect();
            prop_assert_eq!(again, styled.text);
        }
    }
}
