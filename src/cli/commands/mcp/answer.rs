//! What a tool says: the JSON of its command, or the words that the command has on standard error.

use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;
use serde_json::Value;

use crate::cli::{
    error::Error,
    render::text::{Paint, clean},
    report,
};

/// The largest answer: a status of hundreds of services.
const LARGEST: usize = 256 << 10;

/// An answer: JSON as text and as itself, words, or both.
#[derive(Debug, Default)]
pub(super) struct Answer {
    texts: Vec<String>,
    json: Option<Value>,
}

impl Answer {
    /// What the command prints with `--json`.
    pub(super) fn json(value: &impl Serialize) -> Result<Self, Error> {
        let failed = |error| Error::failed("cannot write as JSON").because(error);
        let text = serde_json::to_string(value).map_err(failed)?;
        if text.len() > LARGEST {
            let (size, most) = (text.len() >> 10, LARGEST >> 10);
            return Err(Error::failed(format!("the answer has {size} KiB, more than {most}"))
                .hinted("the command of that name, with `--json`, prints all of it"));
        }
        let json = serde_json::to_value(value).map_err(failed)?;
        Ok(Self { texts: vec![text], json: Some(json) })
    }

    /// Nothing but these words.
    pub(super) fn words(words: impl Into<String>) -> Self {
        Self { texts: vec![words.into()], json: None }
    }

    /// The same, and something worth saying besides.
    pub(super) fn noting(mut self, notes: Vec<String>) -> Self {
        self.texts.extend(notes);
        self
    }
}

/// As it goes to the client.
pub(super) fn result(answer: Result<Answer, Error>) -> CallToolResult {
    match answer {
        Ok(Answer { texts, json }) => {
            let mut result =
                CallToolResult::success(texts.into_iter().map(ContentBlock::text).collect());
            result.structured_content = json;
            result
        }
        Err(error) => refusal(&error),
    }
}

/// The words of a command that fails.
pub(super) fn refusal(error: &Error) -> CallToolResult {
    let said = report::text(error, Paint { colour: false });
    // Parts were coloured already if standard error is a terminal.
    let plain: Vec<_> = said.lines().map(clean).collect();
    CallToolResult::error(vec![ContentBlock::text(plain.join("\n"))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_why_and_what_to_do_without_colours() {
        let error = Error::usage("what").because("why").detailed("\x1b[31m  detail\x1b[0m");
        let result = refusal(&error.hinted("do"));
        let text = result.content[0].as_text().expect("a text").text.clone();
        assert_eq!(text, "error: what\nbecause: why\n  detail\nhelp: do");
        assert_eq!((result.is_error, result.structured_content), (Some(true), None));
    }

    #[test]
    fn an_answer_that_nobody_could_read_is_refused() {
        let error = Answer::json(&"x".repeat(LARGEST)).expect_err("it is too large");
        assert_eq!(error.message, "the answer has 256 KiB, more than 256");
    }
}
