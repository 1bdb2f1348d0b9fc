//! Where in the log the pane is: at its end, or with its lower edge at some row of some line, which
//! stays there while lines come.

use std::ops::Range;

use super::{super::wrap, Entry, Log};

/// How the pane shows the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct View {
    /// Columns for text.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// Whether long lines are broken.
    pub wrap: bool,
}

/// Where the lower edge is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Place {
    /// At the end, whatever comes.
    #[default]
    End,
    /// Below a line, of which so many rows are further down.
    At {
        /// The line.
        number: u64,
        /// Its hidden rows.
        below: usize,
    },
}

/// A row of the pane.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The line it is of.
    pub entry: &'a Entry,
    /// The part of that.
    pub bytes: Range<usize>,
}

impl Log {
    /// Whether what comes is shown as it comes.
    pub fn follows(&self) -> bool {
        self.place == Place::End
    }

    /// Goes to the end and stays there.
    pub fn follow(&mut self) {
        self.place = Place::End;
    }

    /// Stays where it is while lines come.
    pub fn hold(&mut self, view: View) {
        self.up(0, view);
    }

    /// Goes to the first line.
    pub fn top(&mut self, view: View) {
        if let Some(first) = self.wanted_from(0) {
            self.place = Place::At { number: self.lines[first].number, below: 0 };
            self.fill(view);
        }
    }

    /// Goes so many rows up.
    pub fn up(&mut self, rows: usize, view: View) {
        let Some((mut index, mut below)) = self.edge(view) else { return };
        below += rows;
        loop {
            let height = self.rows_of(index, view).len();
            if below < height {
                break;
            }
            let Some(above) = self.wanted_before(index) else {
                below = height - 1;
                break;
            };
            below -= height;
            index = above;
        }
        self.place = Place::At { number: self.lines[index].number, below };
        self.fill(view);
    }

    /// Goes so many rows down; at the end it follows.
    pub fn down(&mut self, mut rows: usize, view: View) {
        if self.follows() {
            return;
        }
        let Some((mut index, mut below)) = self.edge(view) else { return };
        while rows > below {
            rows -= below;
            let Some(next) = self.wanted_from(index + 1) else {
                self.place = Place::End;
                return;
            };
            index = next;
            below = self.rows_of(index, view).len();
        }
        below -= rows;
        let last = below == 0 && self.wanted_from(index + 1).is_none();
        let at = Place::At { number: self.lines[index].number, below };
        self.place = if last { Place::End } else { at };
    }

    /// Goes to where the line is seen, if it is not.
    pub(super) fn reveal(&mut self, number: u64, view: View) {
        if self.rows(view).iter().any(|row| row.entry.number == number) {
            self.hold(view);
            return;
        }
        self.place = Place::At { number, below: 0 };
        // With as much below it as above.
        self.down(view.rows / 2, view);
        self.fill(view);
    }

    /// The lowest line that is seen.
    pub(super) fn lowest(&self, view: View) -> Option<u64> {
        self.edge(view).map(|(index, _)| self.lines[index].number)
    }

    /// The rows of the pane from its upper edge on.
    pub fn rows(&self, view: View) -> Vec<Row<'_>> {
        let Some((edge, below)) = self.edge(view) else { return Vec::new() };
        let mut rows: Vec<Row<'_>> = Vec::new();
        let mut index = Some((edge, below));
        while let Some((at, hidden)) = index {
            let entry = &self.lines[at];
            let parts = self.rows_of(at, view);
            let seen = parts.len().saturating_sub(hidden);
            for bytes in parts.into_iter().take(seen).rev() {
                if rows.len() < view.rows {
                    rows.push(Row { entry, bytes });
                }
            }
            if rows.len() >= view.rows {
                break;
            }
            index = self.wanted_before(at).map(|above| (above, 0));
        }
        rows.reverse();
        // Where there is not enough above, there may be something below.
        let mut index = Some((edge, self.rows_of(edge, view).len().saturating_sub(below)));
        while let Some((at, seen)) = index.filter(|_| rows.len() < view.rows) {
            let entry = &self.lines[at];
            for bytes in self.rows_of(at, view).into_iter().skip(seen) {
                if rows.len() < view.rows {
                    rows.push(Row { entry, bytes });
                }
            }
            index = self.wanted_from(at + 1).map(|next| (next, 0));
        }
        rows
    }

    /// The lower edge as the place of a line among those kept, and its hidden rows.
    fn edge(&self, view: View) -> Option<(usize, usize)> {
        let last = self.wanted_before(self.lines.len())?;
        let Place::At { number, below } = self.place else { return Some((last, 0)) };
        let first = self.lines[0].number;
        let Some(index) = number.checked_sub(first).and_then(|index| usize::try_from(index).ok())
        else {
            return self.wanted_from(0).map(|first| (first, 0));
        };
        match self.lines.get(index) {
            None => Some((last, 0)),
            Some(entry) if entry.wanted => {
                Some((index, below.min(self.rows_of(index, view).len() - 1)))
            }
            Some(_) => {
                self.wanted_before(index).or_else(|| self.wanted_from(index)).map(|at| (at, 0))
            }
        }
    }

    /// Has the pane full where there are lines enough.
    fn fill(&mut self, view: View) {
        let Some((mut index, below)) = self.edge(view) else { return };
        let mut above = self.rows_of(index, view).len() - below;
        while above < view.rows {
            let Some(next) = self.wanted_before(index) else {
                self.down(view.rows - above, view);
                return;
            };
            index = next;
            above += self.rows_of(index, view).len();
        }
    }

    fn rows_of(&self, index: usize, view: View) -> Vec<Range<usize>> {
        let text = &self.lines[index].body.text;
        if view.wrap && view.columns > 0 {
            wrap::rows(text, view.columns)
        } else {
            std::iter::once(0..text.len()).collect()
        }
    }

    fn wanted_before(&self, index: usize) -> Option<usize> {
        (0..index).rev().find(|index| self.lines[*index].wanted)
    }

    fn wanted_from(&self, index: usize) -> Option<usize> {
        (index..self.lines.len()).find(|index| self.lines[*index].wanted)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::Pattern, *};
    use crate::api::log::{Line, Stream};

    const VIEW: View = View { columns: 4, rows: 3, wrap: true };

    fn push(log: &mut Log, text: &str) {
        log.push(&Line {
            at: "2026-01-01T00:00:00.000Z".to_owned(),
            project: "shop".to_owned(),
            service: "web".to_owned(),
            stream: Stream::Out,
            line: text.to_owned(),
        });
    }

    fn log(lines: &[&str]) -> Log {
        let mut log = Log::default();
        for text in lines {
            push(&mut log, text);
        }
        log
    }

    fn shown(log: &Log, view: View) -> Vec<String> {
        let rows = log.rows(view).into_iter();
        rows.map(|row| row.entry.body.text[row.bytes].to_owned()).collect()
    }

    #[test]
    fn it_follows_until_it_is_told_where_to_stay() {
        let mut log = log(&["a", "b", "cccccc", "d"]);
        assert_eq!(shown(&log, VIEW), ["cccc", "cc", "d"]);
        push(&mut log, "e");
        assert_eq!(shown(&log, VIEW), ["cc", "d", "e"]);
        log.up(1, VIEW);
        push(&mut log, "f");
        assert_eq!(shown(&log, VIEW), ["cccc", "cc", "d"]);
        log.up(100, VIEW);
        assert_eq!(shown(&log, VIEW), ["a", "b", "cccc"]);
        log.down(1, VIEW);
        assert_eq!(shown(&log, VIEW), ["b", "cccc", "cc"]);
        log.down(2, VIEW);
        assert!(!log.follows());
        log.down(1, VIEW);
        assert!(log.follows());
        log.top(VIEW);
        assert_eq!(shown(&log, VIEW), ["a", "b", "cccc"]);
        log.follow();
        push(&mut log, "g");
        assert_eq!(shown(&log, VIEW), ["e", "f", "g"]);
    }

    #[test]
    fn a_line_longer_than_the_pane_is_read_row_by_row() {
        let mut log = log(&["0000111122223333444"]);
        assert_eq!(shown(&log, VIEW), ["2222", "3333", "444"]);
        log.up(1, VIEW);
        assert_eq!(shown(&log, VIEW), ["1111", "2222", "3333"]);
        log.up(5, VIEW);
        assert_eq!(shown(&log, VIEW), ["0000", "1111", "2222"]);
        assert_eq!(shown(&log, View { wrap: false, ..VIEW }), ["0000111122223333444"]);
    }

    #[test]
    fn few_lines_stand_at_the_top_and_cannot_be_scrolled() {
        let mut log = log(&["a", "b"]);
        log.up(1, VIEW);
        assert_eq!(shown(&log, VIEW), ["a", "b"]);
        assert!(log.follows(), "there is nothing to stay at");
    }

    proptest! {
        #[test]
        fn the_pane_is_full_wherever_one_goes_and_however_it_is_sized(
            lines in prop::collection::vec("[a-z]{0,9}", 0..20),
            steps in prop::collection::vec((0..5_u8, 0..9_usize, 1..9_usize, 0..6_usize), 0..20),
        ) {
            let mut log = Log::default();
            for text in &lines {
                push(&mut log, text);
            }
            for (step, by, columns, rows) in steps {
                let view = View { columns, rows, wrap: by % 2 == 0 };
                match step {
                    0 => log.up(by, view),
                    1 => log.down(by, view),
                    2 => log.top(view),
                    3 => push(&mut log, "new line"),
                    _ => log.set_filter(Pattern::of(["", "a", "line"][by % 3])),
                }
                let all: usize =
                    (0..log.lines.len()).filter(|index| log.lines[*index].wanted)
                        .map(|index| log.rows_of(index, view).len()).sum();
                prop_assert_eq!(log.rows(view).len(), all.min(rows));
            }
        }
    }
}
