//! Where an HTTP/1 body ends. Pure: bytes in, decisions out.

use memchr::memchr;

use super::super::head::Body;

/// The longest line with the size of a chunk.
const SIZE_LINE: usize = 1024;
/// The longest block of trailers.
const TRAILERS: usize = 32 * 1024;

/// How far a body has been read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Framing {
    /// So many bytes to come.
    Length(u64),
    Chunked(Chunk),
    /// All there is until the end of the connection.
    Close,
}

/// Where in a chunked body we are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Chunk {
    Size,
    Data(u64),
    /// The line end behind the data.
    Crlf,
    Trailers,
    Done,
}

/// What the bytes at hand are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// So many bytes of the body.
    Data(usize),
    /// So many bytes that only delimit it.
    Skip(usize),
    /// So many bytes of trailers, and then the end.
    Trailers(usize),
    /// Not to be told yet.
    More,
    End,
}

/// Why bytes are not a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the chunked body is malformed")]
pub(super) struct Malformed;

impl Framing {
    pub(super) fn of(body: Body) -> Self {
        match body {
            Body::Empty => Self::Length(0),
            Body::Length(length) => Self::Length(length),
            Body::Stream => Self::Chunked(Chunk::Size),
            Body::Tunnel => Self::Close,
        }
    }

    /// What `bytes` begin with.
    pub(super) fn step(&mut self, bytes: &[u8]) -> Result<Step, Malformed> {
        match self {
            Self::Length(0) => Ok(Step::End),
            Self::Length(_) | Self::Close if bytes.is_empty() => Ok(Step::More),
            Self::Length(left) => Ok(Step::Data(at_most(bytes.len(), *left))),
            Self::Close => Ok(Step::Data(bytes.len())),
            Self::Chunked(chunk) => chunk.step(bytes),
        }
    }

    /// So many bytes of the body have been taken.
    pub(super) fn took(&mut self, count: usize) {
        let count = count as u64;
        match self {
            Self::Length(left) => *left = left.saturating_sub(count),
            Self::Chunked(Chunk::Data(left)) if *left > count => *left -= count,
            Self::Chunked(chunk) => *chunk = Chunk::Crlf,
            Self::Close => {}
        }
    }

    /// Whether the end of the connection is the end of the body.
    pub(super) fn ends_at_close(self) -> bool {
        self == Self::Close
    }
}

impl Chunk {
    fn step(&mut self, bytes: &[u8]) -> Result<Step, Malformed> {
        match self {
            Self::Done => Ok(Step::End),
            Self::Data(_) if bytes.is_empty() => Ok(Step::More),
            Self::Data(left) => Ok(Step::Data(at_most(bytes.len(), *left))),
            Self::Crlf => match bytes {
                [b'\r', b'\n', ..] => {
                    *self = Self::Size;
                    Ok(Step::Skip(2))
                }
                [] | [b'\r'] => Ok(Step::More),
                _ => Err(Malformed),
            },
            Self::Size => {
                let Some(end) = memchr(b'\n', bytes) else {
                    return if bytes.len() > SIZE_LINE { Err(Malformed) } else { Ok(Step::More) };
                };
                let line = bytes[..end].strip_suffix(b"\r").ok_or(Malformed)?;
                let size = chunk_size(line).ok_or(Malformed)?;
                *self = if size == 0 { Self::Trailers } else { Self::Data(size) };
                Ok(Step::Skip(end + 1))
            }
            Self::Trailers => {
                let length = trailers_end(bytes)?;
                if length.is_some() {
                    *self = Self::Done;
                }
                Ok(length.map_or(Step::More, Step::Trailers))
            }
        }
    }
}

fn trailers_end(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    if bytes.starts_with(b"\r\n") {
        return Ok(Some(2));
    }
    match head_end(bytes, &mut 0) {
        Err(BareNewline) => Err(Malformed),
        Ok(None) if bytes.len() > TRAILERS => Err(Malformed),
        Ok(end) => Ok(end),
    }
}

/// A size in hex; extensions are dropped, but have to be printable.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let (digits, rest) = line.split_at(digits);
    let rest = rest.trim_ascii_start();
    let extension = rest.first().is_none_or(|&byte| byte == b';');
    let printable = rest.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f));
    if digits.is_empty() || digits.len() > 15 || !extension || !printable {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// A line that ends without a carriage return, which two readers may read as two things.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct BareNewline;

/// The length of the head at the start of `bytes`, blank line included; `from` is how far it has
/// been looked at before.
pub(super) fn head_end(bytes: &[u8], from: &mut usize) -> Result<Option<usize>, BareNewline> {
    for newline in memchr::memchr_iter(b'\n', &bytes[*from..]) {
        let end = *from + newline;
        if end == 0 || bytes[end - 1] != b'\r' {
            return Err(BareNewline);
        }
        if bytes[..=end].ends_with(b"\r\n\r\n") {
            return Ok(Some(end + 1));
        }
    }
    *from = bytes.len();
    Ok(None)
}

fn at_most(have: usize, left: u64) -> usize {
    usize::try_from(left).map_or(have, |left| have.min(left))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a body that comes in pieces of `piece` bytes: the data, and what is left over. No
    /// reason is given for one that is not complete.
    fn read(
        mut framing: Framing,
        all: &[u8],
        piece: usize,
    ) -> Result<(Vec<u8>, Vec<u8>), Option<Malformed>> {
        let (mut held, mut data, mut pieces) = (Vec::new(), Vec::new(), all.chunks(piece));
        loop {
            match framing.step(&held).map_err(Some)? {
                Step::Data(count) => {
                    data.extend(held.drain(..count));
                    framing.took(count);
                }
                Step::Skip(count) | Step::Trailers(count) => drop(held.drain(..count)),
                Step::More => held.extend_from_slice(pieces.next().ok_or(None)?),
                Step::End => {
                    held.extend(pieces.flatten());
                    return Ok((data, held));
                }
            }
        }
    }

    #[test]
    fn bodies_end_where_they_say() {
        for (framing, text, data, rest) in [
            (Framing::Length(3), "abcdef", "abc", "def"),
            (Framing::Length(0), "abc", "", "abc"),
            (Framing::Chunked(Chunk::Size), "3\r\nabc\r\n0\r\n\r\nGET", "abc", "GET"),
            (
                Framing::Chunked(Chunk::Size),
                "3;x=y\r\nabc\r\nA\r\n0123456789\r\n00\r\n\r\n",
                "abc0123456789",
                "",
            ),
            (Framing::Chunked(Chunk::Size), "1\r\na\r\n0\r\nX: y\r\nZ: w\r\n\r\nnext", "a", "next"),
        ] {
            for piece in 1..text.len() {
                let expected = (data.as_bytes().to_vec(), rest.as_bytes().to_vec());
                assert_eq!(
                    read(framing, text.as_bytes(), piece),
                    Ok(expected),
                    "{text:?} by {piece}"
                );
            }
        }
    }

    #[test]
    fn doubtful_chunks_are_refused() {
        for text in [
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "+1\r\n",
            "0x1\r\n",
            "1 1\r\n",
            "1\nab",
            "3\r\nabcX\r\n",
            "1_0\r\n",
            "10000000000000000\r\n",
            "1;\u{0}\r\n",
            "1;a\rb\r\n",
            "0\r\nX: y\n\r\n",
            "1\r\na\n0\r\n\r\n",
        ] {
            let refused = read(Framing::Chunked(Chunk::Size), text.as_bytes(), 100);
            assert_eq!(refused, Err(Some(Malformed)), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn chunks_come_out_as_they_went_in(chunks in prop::collection::vec("[a-z]{1,50}", 0..8), piece in 1usize..60) {
            let mut text = String::new();
            for chunk in &chunks {
                let size = format!("{:x}", chunk.len());
                text.extend([size.as_str(), "\r\n", chunk, "\r\n"]);
            }
            text.push_str("0\r\n\r\n");
            let (data, rest) = read(Framing::Chunked(Chunk::Size), text.as_bytes(), piece).expect("well formed");
            prop_assert_eq!(data, chunks.concat().into_bytes());
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1usize..50) {
            read(Framing::Chunked(Chunk::Size), &bytes, piece).ok();
            head_end(&bytes, &mut 0).ok();
        }
    }
}
