//! Cuts a stream of bytes into lines of JSON, without ever keeping more than one line.

/// The longest line: a status with many thousands of services still fits.
pub const LONGEST: usize = 32 << 20;

/// A line that is longer than [`LONGEST`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a line of the answer is longer than {} MiB", LONGEST >> 20)]
pub struct TooLong;

/// Bytes that have come and are not a whole line yet.
#[derive(Debug, Default)]
pub struct Lines {
    bytes: Vec<u8>,
    /// Where the next line starts.
    start: usize,
    /// Up to here there is no line end.
    searched: usize,
}

impl Lines {
    /// Takes what has come.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), TooLong> {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.bytes.extend_from_slice(chunk);
        if self.bytes.len() <= LONGEST {
            return Ok(());
        }
        let open = self.bytes.len() - memchr::memrchr(b'\n', &self.bytes).map_or(0, |end| end + 1);
        if open > LONGEST { Err(TooLong) } else { Ok(()) }
    }

    /// The next whole line, without its end. Empty lines are skipped.
    pub fn next_line(&mut self) -> Option<&[u8]> {
        loop {
            let Some(length) = memchr::memchr(b'\n', &self.bytes[self.searched..]) else {
                self.searched = self.bytes.len();
                return None;
            };
            let end = self.searched + length;
            let line = self.start..end;
            self.start = end + 1;
            self.searched = self.start;
            if !self.bytes[line.clone()].trim_ascii().is_empty() {
                return Some(&self.bytes[line]);
            }
        }
    }

    /// Whether the stream has ended in the middle of a line.
    pub fn is_mid_line(&self) -> bool {
        !self.bytes[self.start..].trim_ascii().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_come_out_as_they_went_in_however_they_are_cut(
            lines in prop::collection::vec("[a-z]{1,9}", 0..9),
            cut in 1_usize..7,
        ) {
            let text = lines.iter().fold(String::new(), |text, line| text + line + "\n");
            let mut reader = Lines::default();
            let mut seen = Vec::new();
            for chunk in text.as_bytes().chunks(cut) {
                reader.push(chunk).expect("short");
                while let Some(line) = reader.next_line() {
                    seen.push(String::from_utf8(line.to_vec()).expect("it was a string"));
                }
            }
            prop_assert_eq!(seen, lines);
            prop_assert!(!reader.is_mid_line());
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut reader = Lines::default();
        let chunk = vec![b'x'; 1 << 20];
        let refused = (0..64).find_map(|_| reader.push(&chunk).err());
        assert_eq!(refused, Some(TooLong));
    }

    #[test]
    fn half_a_line_is_known_as_such() {
        let mut reader = Lines::default();
        reader.push(b"\n{}\n{\"a\"").expect("short");
        assert_eq!(reader.next_line(), Some(b"{}".as_slice()));
        assert_eq!(reader.next_line(), None);
        assert!(reader.is_mid_line());
    }
}
