//! Bytes as they are read, in any portions, become lines.

use memchr::memchr;

/// Above this the memory of an unfinished line is given back once the line is done.
const KEPT: usize = 1024;

/// Cuts a stream of bytes into lines. How the bytes were portioned makes no difference.
///
/// A line ends with `\n`; carriage returns before it are dropped (a terminal adds one), those within
/// the line are kept, as is every other byte. A line longer than the limit comes in pieces.
#[derive(Debug)]
pub struct Splitter {
    /// The line that has begun and not ended; never longer than the limit.
    unfinished: Vec<u8>,
    limit: usize,
}

impl Splitter {
    /// With the longest piece in bytes, at least one.
    pub fn new(limit: usize) -> Self {
        Self { unfinished: Vec::new(), limit: limit.max(1) }
    }

    /// Goes on with a line that another one has begun.
    pub fn resume(limit: usize, mut unfinished: Vec<u8>) -> Self {
        unfinished.truncate(limit.max(1));
        Self { unfinished, limit: limit.max(1) }
    }

    /// Takes bytes and calls `line(text, continues)` for each piece that they complete.
    pub fn push(&mut self, mut input: &[u8], mut line: impl FnMut(&[u8], bool)) {
        loop {
            // Only a byte too many shows that a line must be cut: it may end at the limit.
            let room = self.limit - self.unfinished.len();
            let window = &input[..input.len().min(room + 1)];
            let (taken, rest, continues) = match memchr(b'\n', window) {
                Some(end) => (&input[..end], &input[end + 1..], false),
                None if window.len() > room => (&input[..room], &input[room..], true),
                None => break,
            };
            self.complete(taken, continues, &mut line);
            input = rest;
        }
        self.unfinished.extend_from_slice(input);
    }

    /// The stream has ended: what is left is the last line.
    pub fn finish(&mut self, mut line: impl FnMut(&[u8], bool)) {
        if !self.unfinished.is_empty() {
            self.complete(&[], false, &mut line);
        }
    }

    /// The line that has begun and not ended, such as a prompt.
    pub fn unfinished(&self) -> &[u8] {
        &self.unfinished
    }

    fn complete(&mut self, taken: &[u8], continues: bool, line: &mut impl FnMut(&[u8], bool)) {
        let text = if self.unfinished.is_empty() {
            taken
        } else {
            self.unfinished.extend_from_slice(taken);
            &self.unfinished
        };
        line(if continues { text } else { without_returns(text) }, continues);
        self.unfinished.clear();
        if self.unfinished.capacity() > KEPT {
            self.unfinished = Vec::new();
        }
    }
}

fn without_returns(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b'\r'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(limit: usize, portions: &[&[u8]]) -> Vec<(Vec<u8>, bool)> {
        let mut lines = Vec::new();
        let mut splitter = Splitter::new(limit);
        for portion in portions {
            splitter.push(portion, |text, continues| lines.push((text.to_vec(), continues)));
            assert!(splitter.unfinished().len() <= limit);
        }
        splitter.finish(|text, continues| lines.push((text.to_vec(), continues)));
        splitter.finish(|_, _| panic!("a stream ends once"));
        lines
    }

    /// What the lines are, said in another way: on the whole input at once.
    fn model(limit: usize, input: &[u8]) -> Vec<(Vec<u8>, bool)> {
        let mut lines = Vec::new();
        let mut raw: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
        if raw.last().is_some_and(|last| last.is_empty()) {
            raw.pop();
        }
        for line in raw {
            let mut rest = line;
            while rest.len() > limit {
                lines.push((rest[..limit].to_vec(), true));
                rest = &rest[limit..];
            }
            lines.push((without_returns(rest).to_vec(), false));
        }
        lines
    }

    #[test]
    fn a_prompt_is_seen_before_its_line_ends() {
        let mut splitter = Splitter::new(100);
        splitter.push(b"ready\r\nlogin: ", |text, _| assert_eq!(text, b"ready"));
        assert_eq!(splitter.unfinished(), b"login: ");
    }

    #[test]
    fn carriage_returns_are_kept_within_a_line_only() {
        let lines = split(100, &[b"10%\r50%\r100%\r", b"\r\n\r\nx\r"]);
        let texts: Vec<_> = lines.iter().map(|(text, _)| text.as_slice()).collect();
        assert_eq!(texts, [&b"10%\r50%\r100%"[..], b"", b"x"]);
    }

    #[test]
    fn a_line_of_just_the_limit_is_one_piece() {
        assert_eq!(split(3, &[b"abc", b"\nabcd"]), model(3, b"abc\nabcd"));
        assert_eq!(split(3, &[b"abc", b"\n"]), [(b"abc".to_vec(), false)]);
    }

    #[test]
    fn the_memory_of_a_long_line_is_given_back() {
        let mut splitter = Splitter::new(64 * 1024);
        splitter.push(&vec![b'x'; 60_000], |_, _| panic!("not yet"));
        splitter.push(b"\n", |text, _| assert_eq!(text.len(), 60_000));
        assert!(splitter.unfinished.capacity() <= KEPT);
    }

    proptest! {
        #[test]
        fn any_portions_of_any_bytes_give_the_same_lines(
            portions in prop::collection::vec(prop::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'x'), any::<u8>()], 0..20), 0..20),
            limit in 1..12_usize,
        ) {
            let input = portions.concat();
            let portions: Vec<&[u8]> = portions.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(split(limit, &portions), model(limit, &input));
        }
    }
}
