//! A service's terminal over all its lives: what it showed last, and the way to its keyboard.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwapOption;
use nix::errno::Errno;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::sink::lock;
use crate::os::{pty::Pty, watched};

/// So much of what it showed is kept, for those who attach later.
const KEPT: usize = 32 * 1024;

/// What the pump of a terminal and those who are attached share.
#[derive(Debug)]
pub struct Terminal {
    shown: Mutex<Shown>,
    more: watch::Sender<u64>,
    /// The terminal of the life that is now; none between lives.
    pty: ArcSwapOption<Pty>,
    /// One person types.
    typist: Arc<Semaphore>,
}

/// The end of all that it ever showed.
#[derive(Debug, Default)]
struct Shown {
    bytes: VecDeque<u8>,
    /// How many bytes there ever were.
    total: u64,
}

/// What it has shown since somebody last looked.
#[derive(Debug, Eq, PartialEq)]
pub struct News {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether some before them are lost.
    pub gap: bool,
    /// Where to look on from.
    pub position: u64,
}

impl Default for Terminal {
    fn default() -> Self {
        Self {
            shown: Mutex::default(),
            more: watch::Sender::new(0),
            pty: ArcSwapOption::empty(),
            typist: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Terminal {
    /// What was shown after `position`; 0 is the beginning of what is kept.
    pub fn since(&self, position: u64) -> News {
        let shown = lock(&self.shown);
        let first = shown.total - shown.bytes.len() as u64;
        let skipped = usize::try_from(position.saturating_sub(first)).unwrap_or(usize::MAX);
        let bytes = shown.bytes.iter().skip(skipped).copied().collect();
        News { bytes, gap: position < first, position: shown.total }
    }

    /// Tells when it shows more, and when a life begins or ends.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.more.subscribe()
    }

    /// The right to type, if nobody has it.
    pub fn typist(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.typist).try_acquire_owned().ok()
    }

    /// Columns and rows; none between lives.
    pub fn size(&self) -> Option<(u16, u16)> {
        self.pty.load().as_ref()?.size().ok()
    }

    /// Gives it another size. Its programs are told, and draw themselves anew.
    pub fn resize(&self, cols: u16, rows: u16) -> io::Result<()> {
        self.pty.load().as_ref().map_or(Ok(()), |pty| pty.resize(cols, rows))
    }

    /// Types. Takes as long as the service takes to read it; between lives it is lost.
    pub async fn keys(&self, mut keys: &[u8]) -> io::Result<()> {
        let Some(pty) = self.pty.load_full() else { return Ok(()) };
        while !keys.is_empty() {
            match nix::unistd::write(&*pty, keys) {
                Ok(written) => keys = &keys[written..],
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    let room = watched::writable(pty.as_fd().try_clone_to_owned()?)?;
                    let mut room = room.writable().await?;
                    room.clear_ready();
                }
                // Its last program has gone.
                Err(Errno::EIO) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// A life begins, with this terminal.
    pub(super) fn opened(&self, master: OwnedFd) {
        self.pty.store(Some(Arc::new(Pty::of_master(master))));
        self.ring();
    }

    /// Its life is over.
    pub(super) fn closed(&self) {
        self.pty.store(None);
        self.ring();
    }

    pub(super) fn show(&self, bytes: &[u8]) {
        {
            let mut shown = lock(&self.shown);
            shown.total += bytes.len() as u64;
            let bytes = &bytes[bytes.len().saturating_sub(KEPT)..];
            let excess = (shown.bytes.len() + bytes.len()).saturating_sub(KEPT);
            shown.bytes.drain(..excess);
            shown.bytes.extend(bytes);
        }
        self.ring();
    }

    fn ring(&self) {
        self.more.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_what_was_shown_is_kept_and_gaps_are_known() {
        let terminal = Terminal::default();
        terminal.show(b"one");
        let news = terminal.since(0);
        assert_eq!(news, News { bytes: b"one".to_vec(), gap: false, position: 3 });
        terminal.show(b"two");
        assert_eq!(terminal.since(news.position).bytes, b"two");
        terminal.show(&vec![b'x'; KEPT]);
        let late = terminal.since(news.position);
        assert_eq!((late.bytes.len(), late.gap), (KEPT, true));
        assert_eq!(terminal.since(late.position).bytes, b"");
        terminal.show(&vec![b'y'; 3 * KEPT]);
        assert_eq!(terminal.since(0).bytes, vec![b'y'; KEPT]);
    }

    #[tokio::test]
    async fn one_types_at_a_time_and_between_lives_nobody_reads() {
        let terminal = Terminal::default();
        let first = terminal.typist().expect("nobody types");
        assert!(terminal.typist().is_none());
        drop(first);
        assert!(terminal.typist().is_some());
        terminal.keys(b"lost").await.expect("that is no error");
        assert_eq!(terminal.size(), None);
    }
}
