//! The screen that a service's output has come to, drawn for somebody who comes later.

use std::num::NonZero;

use vt100::Parser;

/// Switches off whatever a service may have switched on: the other screen, mouse reports, bracketed
/// paste, application keys, colours, a hidden cursor (xterm's control sequences).
pub(super) const RESET: &str = "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[0m\x1b[?25h";

/// What makes a terminal of `here` rows show what one of `cols` × `rows` shows after `shown`. What was
/// on it is pushed up, not wiped.
pub(super) fn drawn(shown: &[u8], cols: u16, rows: u16, here: u16) -> Vec<u8> {
    let at_least_one = |count| NonZero::new(count).unwrap_or(NonZero::<u16>::MIN);
    let mut parser = Parser::new(at_least_one(rows), at_least_one(cols), 0);
    parser.process(shown);
    let screen = parser.screen();
    let mut bytes = Vec::new();
    if screen.alternate_screen() {
        bytes.extend(b"\x1b[?1049h");
    } else {
        bytes.extend("\n".repeat(usize::from(here)).bytes());
    }
    bytes.extend(screen.state_formatted().bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a terminal shows after these bytes.
    fn shows(bytes: &[u8]) -> String {
        let size = |count| NonZero::new(count).expect("more than none");
        let mut parser = Parser::new(size(5), size(20), 100);
        parser.process(bytes);
        parser.screen().contents()
    }

    #[test]
    fn what_was_shown_is_shown_again_with_the_cursor_in_its_place() {
        let output = b"$ ls\r\nwrong\r\x1b[Kright\r\n$ \x1b[1mbold";
        let again = drawn(output, 20, 5, 5);
        assert_eq!(shows(&again), "$ ls\nright\n$ bold");
        assert_eq!(shows(&[again.as_slice(), b"!"].concat()), "$ ls\nright\n$ bold!");
    }

    #[test]
    fn a_program_on_the_other_screen_is_shown_there_and_left_behind() {
        let again = drawn(b"before\x1b[?1049hvim", 20, 5, 5);
        assert_eq!(shows(&again).trim(), "vim");
        let mine = [b"mine".as_slice(), &again, RESET.as_bytes()].concat();
        assert_eq!(shows(&mine), "mine");
    }

    #[test]
    fn bytes_that_make_no_sense_are_no_reason_to_fall() {
        for cols in [0, 1, 500] {
            let _drawn = drawn(b"\xff\x1b[999;999H\x1b[?1049h\x1b]0;t", cols, cols, 0);
        }
    }
}
