//! What travels between `locald attach` and the daemon once they are connected: frames of a kind (one
//! byte), a length (four bytes, big-endian) and so many bytes.

use std::mem;

/// The longest content of a frame.
pub const MAX_FRAME: usize = 64 * 1024;
/// Kind and length.
const HEAD: usize = 5;

/// What a client sends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ToService {
    /// Keys that were pressed.
    Keys(Vec<u8>),
    /// Columns and rows of the client's terminal.
    Size(u16, u16),
}

/// What the daemon sends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ToClient {
    /// What the terminal showed last, and its columns and rows: to start from.
    Screen {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
        /// Bytes that the service wrote; the beginning may be cut anywhere.
        shown: Vec<u8>,
    },
    /// Bytes that the service has written.
    Output(Vec<u8>),
    /// Something that a person should know, in a sentence.
    Notice(String),
    /// There is nothing to be attached to any more, and why.
    End(String),
}

/// Bytes that are no frame of these.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("what comes makes no sense")]
pub struct Nonsense;

/// A message that travels as a frame.
pub trait Frame: Sized {
    /// The kind, and the content: at most [`MAX_FRAME`] bytes.
    fn parts(&self) -> (u8, Vec<u8>);
    /// The message of a kind and a content.
    fn of(kind: u8, content: &[u8]) -> Option<Self>;

    /// The message as bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let (kind, content) = self.parts();
        let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(HEAD + content.len());
        bytes.push(kind);
        bytes.extend(length.to_be_bytes());
        bytes.extend(content);
        bytes
    }
}

/// Puts frames together from bytes as they come; keeps at most one frame.
#[derive(Debug, Default)]
pub struct Frames(Vec<u8>);

impl Frames {
    /// Takes what has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next whole message; none: more has to come.
    pub fn take<F: Frame>(&mut self) -> Result<Option<F>, Nonsense> {
        let Some((head, rest)) = self.0.split_first_chunk::<HEAD>() else { return Ok(None) };
        let [kind, length @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| Nonsense)?;
        if length > MAX_FRAME {
            return Err(Nonsense);
        }
        let Some(content) = rest.get(..length) else { return Ok(None) };
        let frame = F::of(kind, content).ok_or(Nonsense)?;
        let rest = self.0.split_off(HEAD + length);
        drop(mem::replace(&mut self.0, rest));
        Ok(Some(frame))
    }
}

impl Frame for ToService {
    fn parts(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Keys(keys) => (b'k', keys.clone()),
            Self::Size(cols, rows) => (b's', size(*cols, *rows).to_vec()),
        }
    }

    fn of(kind: u8, content: &[u8]) -> Option<Self> {
        match kind {
            b'k' => Some(Self::Keys(content.to_vec())),
            b's' => match unsize(content)? {
                ((cols, rows), []) => Some(Self::Size(cols, rows)),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Frame for ToClient {
    fn parts(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Screen { cols, rows, shown } => {
                (b'S', [size(*cols, *rows).as_slice(), shown].concat())
            }
            Self::Output(bytes) => (b'O', bytes.clone()),
            Self::Notice(text) => (b'N', text.clone().into_bytes()),
            Self::End(text) => (b'E', text.clone().into_bytes()),
        }
    }

    fn of(kind: u8, content: &[u8]) -> Option<Self> {
        let text = || String::from_utf8(content.to_vec()).ok();
        match kind {
            b'S' => {
                let ((cols, rows), shown) = unsize(content)?;
                Some(Self::Screen { cols, rows, shown: shown.to_vec() })
            }
            b'O' => Some(Self::Output(content.to_vec())),
            b'N' => text().map(Self::Notice),
            b'E' => text().map(Self::End),
            _ => None,
        }
    }
}

fn size(cols: u16, rows: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (cols.to_be_bytes(), rows.to_be_bytes());
    [a, b, c, d]
}

fn unsize(content: &[u8]) -> Option<((u16, u16), &[u8])> {
    let ([a, b, c, d], rest) = content.split_first_chunk::<4>()?;
    Some(((u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn to_client() -> impl Strategy<Value = ToClient> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..40);
        prop_oneof![
            (any::<u16>(), any::<u16>(), bytes())
                .prop_map(|(cols, rows, shown)| ToClient::Screen { cols, rows, shown }),
            bytes().prop_map(ToClient::Output),
            "\\PC{0,20}".prop_map(ToClient::Notice),
            "\\PC{0,20}".prop_map(ToClient::End),
        ]
    }

    proptest! {
        #[test]
        fn messages_arrive_as_they_were_sent_however_they_are_cut(
            sent in prop::collection::vec(to_client(), 0..6),
            cut in 1_usize..9,
        ) {
            let bytes = sent.iter().flat_map(Frame::to_bytes).collect::<Vec<u8>>();
            let mut frames = Frames::default();
            let mut come = Vec::new();
            for some in bytes.chunks(cut) {
                frames.push(some);
                while let Some(message) = frames.take::<ToClient>().expect("sound") {
                    come.push(message);
                }
            }
            prop_assert_eq!(come, sent);
        }

        #[test]
        fn nothing_makes_it_panic_or_keep_more_than_a_frame(
            bytes in prop::collection::vec(any::<u8>(), 0..60)
        ) {
            let mut frames = Frames::default();
            frames.push(&bytes);
            while let Ok(Some(_)) = frames.take::<ToService>() {}
        }
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_at_its_head() {
        let mut frames = Frames::default();
        frames.push(&[b'k', 0, 1, 0, 1]);
        assert_eq!(frames.take::<ToService>(), Err(Nonsense));
    }

    #[test]
    fn keys_and_sizes_arrive() {
        let longest = ToService::Keys(vec![b'x'; 64 << 10]);
        for sent in [ToService::Keys(b"\x1b[A".to_vec()), ToService::Size(101, 31), longest] {
            let mut frames = Frames::default();
            frames.push(&sent.to_bytes());
            assert_eq!(frames.take(), Ok(Some(sent)));
        }
    }
}
