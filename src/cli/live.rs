//! A block of lines at the end of a terminal that is drawn anew in place.

use std::fmt::Write as _;

use super::{
    error::Error,
    output::Output,
    render::text::{width, without_escapes},
};

/// What is drawn now. Nothing of the terminal's state is changed, so nothing is to be restored; what
/// stands there when the command ends stays.
#[derive(Debug)]
pub struct Live {
    out: Output,
    drawn: Vec<String>,
    /// The columns of the terminal for which that was drawn.
    columns: usize,
}

impl Live {
    /// Draws on `out`, which is a terminal.
    pub fn new(out: Output) -> Self {
        Self { out, drawn: Vec::new(), columns: 0 }
    }

    /// Columns and rows that a block may take: all but the last line, where the cursor is, and the last
    /// column, where terminals do not agree on what an erasure takes away.
    pub fn room(&self) -> (usize, usize) {
        let (columns, rows) = self.size();
        (columns.saturating_sub(1), rows.saturating_sub(1))
    }

    fn size(&self) -> (usize, usize) {
        self.out.size().unwrap_or((80, 24))
    }

    /// Shows `above` for good, and `block` below it until the next call. Lines must fit.
    pub fn draw(&mut self, above: &str, block: Vec<String>) -> Result<(), Error> {
        let (columns, rows) = self.size();
        if above.is_empty() && block == self.drawn && columns == self.columns {
            return Ok(());
        }
        // A terminal that has been made narrower has broken what did not fit any more.
        let taken =
            self.drawn.iter().map(|line| width(&without_escapes(line)).div_ceil(columns).max(1));
        let old = taken.sum::<usize>().min(rows.saturating_sub(1));
        self.out.write(frame(old, above, &block).as_bytes())?;
        (self.drawn, self.columns) = (block, columns);
        Ok(())
    }

    /// Takes the block away.
    pub fn clear(&mut self) -> Result<(), Error> {
        if self.drawn.is_empty() { Ok(()) } else { self.draw("", Vec::new()) }
    }
}

/// What turns a block of `old` lines into `above` and `new`: one write, each line overwritten before
/// its rest is erased, so that nothing flickers.
fn frame(old: usize, above: &str, new: &[String]) -> String {
    let mut text = String::new();
    if old > 0 {
        let _infallible = write!(text, "\x1b[{old}A\r");
    }
    for line in above.lines().chain(new.iter().map(String::as_str)) {
        text.push_str(line);
        text.push_str("\x1b[K\n");
    }
    text.push_str("\x1b[J");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_overwritten_in_place() {
        assert_eq!(frame(0, "", &["a".to_owned()]), "a\x1b[K\n\x1b[J");
        assert_eq!(frame(2, "done\n", &["b".to_owned()]), "\x1b[2A\rdone\x1b[K\nb\x1b[K\n\x1b[J");
        assert_eq!(frame(1, "", &[]), "\x1b[1A\r\x1b[J");
    }
}
