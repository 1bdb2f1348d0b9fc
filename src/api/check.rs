//! `GET /v1/check?dir=…`: what is wrong with the configuration on disk, each with the line that it is about.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::core::diagnostic::{Diagnostic, Diagnostics, Excerpt, Label};

/// The answer; nothing is wrong if it is empty.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Checked {
    /// By place.
    pub errors: Vec<Wrong>,
}

/// Something that is wrong.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Wrong {
    /// What.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The file; null if there is none.
    pub file: Option<PathBuf>,
    /// Where in it; the first is the place, others explain it.
    pub places: Vec<Place>,
}

/// A place in the file, with its line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub column: usize,
    /// What the line has before the place.
    pub before: String,
    /// The place itself.
    pub marked: String,
    /// What the line has behind it.
    pub after: String,
    /// What is there, in words; may be empty.
    pub text: String,
}

impl Checked {
    /// All of it.
    pub fn of(all: &Diagnostics) -> Self {
        let wrong = |one: &Diagnostic| Wrong {
            message: one.message.clone(),
            help: one.help.clone(),
            file: Some(all.source.path.clone()),
            places: one.labels.iter().map(|label| place(all, label)).collect(),
        };
        Self { errors: all.list.iter().map(wrong).collect() }
    }

    /// Only that there is something.
    pub fn only(message: String) -> Self {
        let (help, file, places) = (None, None, Vec::new());
        Self { errors: vec![Wrong { message, help, file, places }] }
    }
}

fn place(all: &Diagnostics, label: &Label) -> Place {
    let Excerpt { line, before, marked, after } = all.source.excerpt(&label.range);
    let (_, column) = all.source.line_column(label.range.start);
    Place { line, column, before, marked, after, text: label.text.clone() }
}
