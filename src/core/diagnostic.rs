//! What is wrong with a text, where, and what to do: data, no rendering beyond plain lines.

use std::{fmt, ops::Range, path::PathBuf};

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// Where; the first label is the place, further ones explain it.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
}

/// A place in the text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Label {
    /// In bytes; always within the text and on character boundaries.
    pub range: Range<usize>,
    /// What is there; may be empty.
    pub text: String,
}

/// A text that diagnostics point into.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SourceFile {
    /// Where it came from.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// A line of a text around a place in it: every character is as wide as it seems.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Excerpt {
    /// The number of the line, from 1.
    pub line: usize,
    /// What stands before the place, or the end of that.
    pub before: String,
    /// The place, or its beginning; may be empty.
    pub marked: String,
    /// What stands behind it, or the beginning of that.
    pub after: String,
}

/// All that is wrong with a file; ordered by place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diagnostics {
    /// The file.
    pub source: SourceFile,
    /// At least one.
    pub list: Vec<Diagnostic>,
}

/// A longer line is shown only around the place that is meant.
const WINDOW: usize = 120;

/// So many diagnostics are shown; of the rest only the number (SPEC §14).
pub const SHOWN: usize = 20;

impl Diagnostic {
    /// A diagnostic at one place.
    pub fn at(range: Range<usize>, message: impl Into<String>) -> Self {
        let label = Label { range, text: String::new() };
        Self { message: message.into(), labels: vec![label], help: None }
    }

    /// The same, with another place.
    #[must_use]
    pub fn and_at(mut self, range: Range<usize>, text: impl Into<String>) -> Self {
        self.labels.push(Label { range, text: text.into() });
        self
    }

    /// The same, with words at its first place.
    #[must_use]
    pub fn labelled(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = self.labels.first_mut() {
            label.text = text.into();
        }
        self
    }

    /// The same, with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Where its place starts.
    pub fn offset(&self) -> usize {
        self.labels.first().map_or(0, |label| label.range.start)
    }
}

impl SourceFile {
    /// The 1-based line and column (in characters) of a byte offset; the end for one beyond it.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        (line, before[start..].chars().count() + 1)
    }

    /// The line in which a place begins, with what of the place is in it.
    pub fn excerpt(&self, range: &Range<usize>) -> Excerpt {
        let text = self.text.as_str();
        let start = boundary(text, range.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let end = boundary(text, range.end).clamp(start, line_end);
        let (line, _) = self.line_column(start);

        let before = display(&text[line_start..start]);
        let marked = display(&text[start..end]);
        let after = display(text[end..line_end].trim_end());
        // Keep the end of what is before, and the start of the rest.
        let before = match before.char_indices().rev().nth(WINDOW / 2) {
            Some((at, _)) if before.len() + marked.len() > WINDOW => format!("…{}", &before[at..]),
            _ => before,
        };
        let marked = head(&marked, WINDOW);
        let shown = before.chars().count() + marked.chars().count();
        let after = head(&after, WINDOW.saturating_sub(shown));
        Excerpt { line, before, marked, after }
    }
}

fn boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn head(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Tabs as four blanks, and no control characters.
fn display(text: &str) -> String {
    let mut plain = text.replace('\t', "    ");
    plain.retain(|c| !c.is_control());
    plain
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.source.path.file_name().unwrap_or(self.source.path.as_os_str());
        for (n, diagnostic) in self.list.iter().take(SHOWN).enumerate() {
            let (line, column) = self.source.line_column(diagnostic.offset());
            let newline = if n == 0 { "" } else { "\n" };
            write!(f, "{newline}{}:{line}:{column}: ", path.display())?;
            write!(f, "{}", diagnostic.message)?;
            if let Some(help) = &diagnostic.help {
                write!(f, " ({help})")?;
            }
        }
        match self.list.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> SourceFile {
        SourceFile { path: "/x/locald.toml".into(), text: text.to_owned() }
    }

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let source = source("a\nüb\n");
        assert_eq!(source.line_column(0), (1, 1));
        assert_eq!(source.line_column(1), (1, 2));
        assert_eq!(source.line_column(2), (2, 1));
        assert_eq!(source.line_column(4), (2, 2));
        assert_eq!(source.line_column(3), (2, 1), "within a character");
        assert_eq!(source.line_column(99), (3, 1));
    }

    #[test]
    fn plain_text_names_file_line_and_column_and_counts_the_rest() {
        let one = Diagnostic::at(2..3, "bad b").help("write c");
        let text = Diagnostics { source: source("a\nb"), list: vec![one; 22] }.to_string();
        assert!(text.starts_with("locald.toml:2:1: bad b (write c)\n"), "{text}");
        assert!(text.ends_with("\nand 2 more"), "{text}");
    }
}
