//! One line of a log file: stamp, stream, text.
//!
//! `2026-01-01T00:00:00.123Z out text` – the byte after the stream is a space, or `+` where the line
//! was longer than [`MAX_LINE`](super::MAX_LINE) and goes on in the next record of the same stream.
//! Readers show such pieces as lines of their own, so that no line costs more memory than a piece.

use super::{Stamp, Stream};

/// All of a record but its text: the same for every line of one read.
#[derive(Clone, Copy, Debug)]
pub struct Head([u8; Self::LEN]);

/// A line of a log file, taken apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Record<'a> {
    /// When locald read it.
    pub at: Stamp,
    /// Who wrote it.
    pub stream: Stream,
    /// Whether the next record of this stream continues the line.
    pub continues: bool,
    /// The text.
    pub line: &'a [u8],
}

impl Head {
    /// Bytes before the text.
    pub const LEN: usize = Stamp::LEN + 5;

    /// The head of a line, or of a piece that continues in the next record.
    pub fn new(at: Stamp, stream: Stream, continues: bool) -> Self {
        let mut head = [b' '; Self::LEN];
        head[..Stamp::LEN].copy_from_slice(at.as_bytes());
        head[Stamp::LEN + 1..Stamp::LEN + 4].copy_from_slice(match stream {
            Stream::Out => b"out",
            Stream::Err => b"err",
            Stream::Sys => b"sys",
        });
        if continues {
            head[Stamp::LEN + 4] = b'+';
        }
        Self(head)
    }

    /// Appends a record with this head.
    pub fn write(&self, line: &[u8], out: &mut Vec<u8>) {
        out.reserve(Self::LEN + line.len() + 1);
        out.extend_from_slice(&self.0);
        out.extend_from_slice(line);
        out.push(b'\n');
    }
}

impl<'a> Record<'a> {
    /// Takes a line of a file apart, given without its line end.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let at = Stamp::parse(bytes)?;
        let (head, line) = bytes[Stamp::LEN..].split_at_checked(5)?;
        let stream = match &head[..4] {
            b" out" => Stream::Out,
            b" err" => Stream::Err,
            b" sys" => Stream::Sys,
            _ => return None,
        };
        let continues = match head[4] {
            b' ' => false,
            b'+' => true,
            _ => return None,
        };
        Some(Self { at, stream, continues, line })
    }

    /// Like [`Self::parse`]; a line that somebody else put into the file counts as output at `at`,
    /// the time of the record before it.
    pub fn read(bytes: &'a [u8], at: Stamp) -> Self {
        Self::parse(bytes).unwrap_or(Self {
            at,
            stream: Stream::Out,
            continues: false,
            line: bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_reads_as_text() {
        let mut file = Vec::new();
        Head::new(Stamp::MIN, Stream::Out, false).write(b"Listening", &mut file);
        Head::new(Stamp::MIN, Stream::Err, true).write(b"long", &mut file);
        let text = "1970-01-01T00:00:00.000Z out Listening\n1970-01-01T00:00:00.000Z err+long\n";
        assert_eq!(String::from_utf8(file).unwrap(), text);
    }

    #[test]
    fn a_foreign_line_counts_as_output() {
        for line in
            [&b""[..], b"hello", b"1970-01-01T00:00:00.000Z log x", b"1970-01-01T00:00:00.000Z out"]
        {
            assert_eq!(Record::parse(line), None);
            assert_eq!(Record::read(line, Stamp::MIN).line, line);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(line: Vec<u8>, continues: bool, which in 0..3_usize) {
            let stream = [Stream::Out, Stream::Err, Stream::Sys][which];
            let mut file = Vec::new();
            Head::new(Stamp::MIN, stream, continues).write(&line, &mut file);
            prop_assert_eq!(file.pop(), Some(b'\n'));
            let expected = Record { at: Stamp::MIN, stream, continues, line: &line };
            prop_assert_eq!(Record::parse(&file), Some(expected));
        }
    }
}
