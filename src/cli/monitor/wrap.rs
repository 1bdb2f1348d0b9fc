//! Where a line is broken to fit.

use std::ops::Range;

use unicode_width::UnicodeWidthChar as _;

/// The rows that `text` takes in so many columns, as bytes of it; at least one, maybe empty.
pub(super) fn rows(text: &str, columns: usize) -> Vec<Range<usize>> {
    let mut rows = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (at, c) in text.char_indices() {
        let wide = c.width().unwrap_or(0);
        if used + wide > columns && at > start {
            rows.push(start..at);
            (start, used) = (at, 0);
        }
        used += wide;
    }
    rows.push(start..text.len());
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(text: &str, columns: usize) -> Vec<&str> {
        rows(text, columns).into_iter().map(|row| &text[row]).collect()
    }

    #[test]
    fn rows_are_full_and_no_character_is_cut() {
        assert_eq!(broken("", 3), [""]);
        assert_eq!(broken("abc", 3), ["abc"]);
        assert_eq!(broken("abcdefg", 3), ["abc", "def", "g"]);
        assert_eq!(broken("日本語", 5), ["日本", "語"]);
        assert_eq!(broken("日本", 1), ["日", "本"], "what fits nowhere stands alone");
        assert_eq!(broken("äöü", 2), ["äö", "ü"]);
    }
}
