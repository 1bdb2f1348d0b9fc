//! The end of a stream, as much of it as an agent is to read.

use std::{borrow::Cow, collections::VecDeque, fmt::Write as _};

use serde::{Serialize, de::DeserializeOwned};

use crate::cli::{client::Stream, error::Error, render::text::without_escapes};

/// So much of a stream is kept, as JSON.
const ROOM: usize = 64 << 10;
/// The longest text of an item.
const TEXT: usize = 2000;

/// The newest items, with their sizes.
#[derive(Debug)]
pub(super) struct Tail<T> {
    items: VecDeque<(usize, T)>,
    size: usize,
    most: usize,
    /// How many older ones there was no room for.
    pub(super) left_out: usize,
}

impl<T: Serialize> Tail<T> {
    /// One that takes up to `most` items.
    pub(super) fn new(most: usize) -> Self {
        Self { items: VecDeque::new(), size: 0, most, left_out: 0 }
    }

    /// Takes an item, in place of older ones if need be.
    pub(super) fn push(&mut self, item: T) -> Result<(), Error> {
        let json = serde_json::to_string(&item);
        let size = json.map_err(|e| Error::failed("cannot write as JSON").because(e))?.len();
        self.items.push_back((size, item));
        self.size += size;
        while self.items.len() > self.most || self.size > ROOM {
            let Some((size, _)) = self.items.pop_front() else { break };
            self.size -= size;
            self.left_out += 1;
        }
        Ok(())
    }

    /// Takes all of a stream, each item cut to a bearable size.
    pub(super) async fn read(
        mut self,
        mut stream: Stream<T>,
        cut: impl Fn(&mut T),
    ) -> Result<Self, Error>
    where
        T: DeserializeOwned,
    {
        while let Some(mut item) = stream.next().await? {
            cut(&mut item);
            self.push(item)?;
        }
        Ok(self)
    }

    /// The items, the newest last.
    pub(super) fn items(self) -> Vec<T> {
        self.items.into_iter().map(|(_, item)| item).collect()
    }
}

/// Takes what only a terminal understands out of a text, and cuts a long one, which then says so.
pub(super) fn cut(text: &mut String) {
    if let Cow::Owned(plain) = without_escapes(text) {
        *text = plain;
    }
    if text.len() > TEXT {
        let end = text.floor_char_boundary(TEXT);
        let rest = text.len() - end;
        text.truncate(end);
        let _infallible = write!(text, "… and {rest} bytes more");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay_within_number_and_size() {
        let mut tail = Tail::new(3);
        (0..5).for_each(|nth| tail.push(nth).expect("a number"));
        assert_eq!((tail.left_out, tail.items()), (2, vec![2, 3, 4]));

        let mut tail = Tail::new(1000);
        for nth in 0..100 {
            tail.push(format!("{nth:1000}")).expect("a text");
        }
        let left_out = tail.left_out;
        let items = tail.items();
        assert_eq!(items.len() + left_out, 100);
        assert!((60..=65).contains(&items.len()), "{}", items.len());
        assert!(items[items.len() - 1].ends_with("99"));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let mut text = "ü".repeat(1500);
        cut(&mut text);
        assert_eq!(text, format!("{}… and 1000 bytes more", "ü".repeat(1000)));
        let mut text = "\x1b[32mshort\x1b[0m".to_owned();
        cut(&mut text);
        assert_eq!(text, "short");
    }
}
