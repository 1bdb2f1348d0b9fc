//! Which lines a reader wants.

use regex::bytes::Regex;

use super::{Record, Stamp};

/// Conditions that a line must all meet; the default lets everything through.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Matches somewhere in the text.
    pub grep: Option<Regex>,
    /// Not earlier than this.
    pub since: Option<Stamp>,
}

impl Filter {
    /// Whether the line is wanted.
    pub fn admits(&self, record: &Record<'_>) -> bool {
        !self.is_early(record) && self.matches(record.line)
    }

    /// Whether the text is what is looked for.
    pub fn matches(&self, line: &[u8]) -> bool {
        self.grep.as_ref().is_none_or(|grep| grep.is_match(line))
    }

    /// Whether the line is from before the time asked for, and with it all lines above it.
    pub fn is_early(&self, record: &Record<'_>) -> bool {
        self.since.is_some_and(|since| record.at < since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(filter: &Filter, line: &str) -> bool {
        filter.admits(&Record::parse(line.as_bytes()).unwrap())
    }

    #[test]
    fn a_line_must_meet_every_condition() {
        let filter = Filter {
            grep: Some(Regex::new("^GET /[a-z]+$").unwrap()),
            since: Stamp::parse(b"2026-01-01T00:00:00.500Z"),
        };
        assert!(admits(&filter, "2026-01-01T00:00:00.500Z out GET /shop"));
        assert!(!admits(&filter, "2026-01-01T00:00:00.499Z out GET /shop"));
        assert!(!admits(&filter, "2026-01-01T00:00:00.500Z out POST /shop"));
        assert!(admits(&Filter::default(), "1970-01-01T00:00:00.000Z sys locald: x"));
    }
}
