//! The lines of the log pane: the latest ones, those among them that are wanted, and what is found.

pub mod scroll;

use std::{collections::VecDeque, ops::Range};

use regex::{Regex, RegexBuilder};

use self::scroll::Place;
use super::ansi::Styled;
use crate::api::log::{Line, Stream};

/// So many lines are kept, and so many bytes of them.
const LINES: usize = 10_000;
const BYTES: usize = 8 << 20;

/// A line that is kept.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Counts lines from the first on.
    pub number: u64,
    /// Who wrote it.
    pub service: String,
    /// Whether it came from standard error.
    pub err: bool,
    /// What it says.
    pub body: Styled,
    /// Whether the filter lets it through.
    wanted: bool,
}

/// The lines that are kept, and the place in them.
#[derive(Clone, Debug, Default)]
pub struct Log {
    lines: VecDeque<Entry>,
    bytes: usize,
    next: u64,
    place: Place,
    filter: Option<Pattern>,
    search: Option<Pattern>,
    found: Option<u64>,
}

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// As it was typed.
    pub text: String,
    regex: Regex,
}

/// Where to look from the line that was found last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// To earlier lines.
    Up,
    /// To later ones.
    Down,
}

impl Pattern {
    /// A regular expression, or plain text where it is none. Case counts where there is any.
    pub fn of(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let any_case = !text.chars().any(char::is_uppercase);
        let build = |text: &str| {
            RegexBuilder::new(text).case_insensitive(any_case).size_limit(1 << 20).build()
        };
        let regex = build(text).or_else(|_| build(&regex::escape(text))).ok()?;
        Some(Self { text: text.to_owned(), regex })
    }

    /// Where it is in a line.
    pub fn places(&self, line: &str) -> Vec<Range<usize>> {
        let places = self.regex.find_iter(line).map(|found| found.range());
        places.filter(|place| !place.is_empty()).collect()
    }
}

impl Log {
    /// Takes a line; the oldest make room.
    pub fn push(&mut self, line: &Line) {
        let body = Styled::of(&line.line);
        let wanted = self.filter.as_ref().is_none_or(|filter| filter.regex.is_match(&body.text));
        self.bytes += body.size();
        self.lines.push_back(Entry {
            number: self.next,
            service: line.service.clone(),
            err: line.stream == Stream::Err,
            body,
            wanted,
        });
        self.next += 1;
        while self.lines.len() > LINES || self.bytes > BYTES {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.body.size();
        }
    }

    /// Forgets all lines; what is looked for stays.
    pub fn clear(&mut self) {
        let (filter, search) = (self.filter.take(), self.search.take());
        *self = Self { filter, search, ..Self::default() };
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        !self.lines.iter().any(|entry| entry.wanted)
    }

    /// Shows only lines with this; none: all.
    pub fn set_filter(&mut self, filter: Option<Pattern>) {
        for entry in &mut self.lines {
            let text = &entry.body.text;
            entry.wanted = filter.as_ref().is_none_or(|filter| filter.regex.is_match(text));
        }
        self.filter = filter;
    }

    /// What lines must have to be shown.
    pub fn filter(&self) -> Option<&Pattern> {
        self.filter.as_ref()
    }

    /// Marks this wherever it is; none: nothing.
    pub fn set_search(&mut self, search: Option<Pattern>) {
        self.search = search;
        self.found = None;
    }

    /// What is marked.
    pub fn search(&self) -> Option<&Pattern> {
        self.search.as_ref()
    }

    /// The line that was found last.
    pub fn found(&self) -> Option<u64> {
        self.found
    }

    /// Goes to the next line with what is searched for, around the end if need be; the number of it
    /// among all that have it, and how many have it. None has it: nothing.
    pub fn find(&mut self, way: Way, view: scroll::View) -> Option<(usize, usize)> {
        let search = self.search.as_ref()?;
        let has = |entry: &&Entry| entry.wanted && search.regex.is_match(&entry.body.text);
        let all: Vec<u64> = self.lines.iter().filter(has).map(|entry| entry.number).collect();
        let below = self.lowest(view);
        let (before, after) = if let Some(found) = self.found {
            (
                all.partition_point(|number| *number < found),
                all.partition_point(|number| *number <= found),
            )
        } else {
            // The first is sought from what is seen.
            let at = all.partition_point(|number| Some(*number) <= below);
            (at, at)
        };
        let last = all.len().checked_sub(1)?;
        let nth = match way {
            Way::Up => before.checked_sub(1).unwrap_or(last),
            Way::Down if after > last => 0,
            Way::Down => after,
        };
        self.found = Some(all[nth]);
        self.reveal(all[nth], view);
        Some((nth + 1, all.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::{scroll::View, *};

    fn line(text: &str) -> Line {
        Line {
            at: "2026-01-01T00:00:00.000Z".to_owned(),
            project: "shop".to_owned(),
            service: "web".to_owned(),
            stream: Stream::Out,
            line: text.to_owned(),
        }
    }

    fn log(lines: impl IntoIterator<Item = String>) -> Log {
        let mut log = Log::default();
        for text in lines {
            log.push(&line(&text));
        }
        log
    }

    const VIEW: View = View { columns: 20, rows: 4, wrap: true };

    fn shown(log: &Log) -> Vec<&str> {
        let rows = log.rows(VIEW);
        rows.into_iter().map(|row| &row.entry.body.text[row.bytes]).collect()
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut log = log((0..LINES + 5).map(|n| n.to_string()));
        assert_eq!(log.lines.len(), LINES);
        assert_eq!(log.lines[0].body.text, "5");
        for _ in 0..300 {
            log.push(&line(&"x".repeat(64 << 10)));
        }
        assert!(log.bytes <= BYTES && log.lines.len() < 200);
        let bytes: usize = log.lines.iter().map(|entry| entry.body.size()).sum();
        assert_eq!(log.bytes, bytes);
    }

    #[test]
    fn the_newest_is_found_first_and_then_others_around_the_end() {
        let mut log = log((0..40).map(|n| format!("line {n}")));
        log.set_search(Pattern::of("E 1\\d"));
        assert_eq!(log.find(Way::Up, VIEW), None, "case counts where there is any");
        log.set_search(Pattern::of("e 1\\d"));
        assert_eq!(log.find(Way::Up, VIEW), Some((10, 10)));
        assert!(shown(&log).contains(&"line 19"), "{:?}", shown(&log));
        assert_eq!(log.find(Way::Up, VIEW), Some((9, 10)));
        assert_eq!(log.find(Way::Down, VIEW), Some((10, 10)));
        assert_eq!(log.find(Way::Down, VIEW), Some((1, 10)));
        assert!(shown(&log).contains(&"line 10"), "{:?}", shown(&log));
        assert_eq!(log.find(Way::Up, VIEW), Some((10, 10)));
    }

    #[test]
    fn what_is_no_expression_is_text() {
        let pattern = Pattern::of("f(").expect("it is text");
        assert_eq!(pattern.places("a f( F(x)"), [2..4, 5..7]);
        assert!(Pattern::of("").is_none());
        assert!(Pattern::of("x*").expect("fine").places("abc").is_empty());
    }

    #[test]
    fn a_filter_hides_and_shows_again() {
        let mut log = log((0..20).map(|n| format!("line {n}")));
        log.set_filter(Pattern::of("5"));
        log.push(&line("line 20"));
        log.push(&line("line 25"));
        assert_eq!(shown(&log), ["line 5", "line 15", "line 25"]);
        log.set_filter(None);
        assert_eq!(shown(&log), ["line 18", "line 19", "line 20", "line 25"]);
    }
}
