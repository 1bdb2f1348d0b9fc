//! Pseudo-terminals: what a service believes to be its screen and keyboard.

#![expect(unsafe_code, reason = "portable-pty lends its descriptor as a bare number")]

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::PathBuf,
};

use portable_pty::{PtySize, native_pty_system};
use rustix::termios::{Winsize, tcgetwinsize, tcsetwinsize};

/// The keyboard end of a service's terminal, and the knob for its size.
#[derive(Debug)]
pub struct Pty(OwnedFd);

impl Pty {
    /// The terminal whose master is `master` (from [`super::spawn::spawn`], or kept elsewhere).
    pub fn of_master(master: OwnedFd) -> Self {
        Self(master)
    }

    /// Tells the terminal its size; its foreground programs get SIGWINCH if that is news.
    pub fn resize(&self, cols: u16, rows: u16) -> io::Result<()> {
        Ok(tcsetwinsize(&self.0, winsize(cols, rows))?)
    }

    /// Columns and rows.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = tcgetwinsize(&self.0)?;
        Ok((size.ws_col, size.ws_row))
    }
}

impl AsFd for Pty {
    /// For typing: what is written here, the service reads.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A new terminal whose other end nobody has opened for good yet.
pub(super) struct Fresh {
    pub(super) master: OwnedFd,
    pub(super) name: PathBuf,
    /// Keeps the terminal alive until the service has opened it by its name.
    pub(super) slave: Box<dyn portable_pty::SlavePty + Send>,
}

/// Opens a terminal. The caller must see to it that nothing is spawned meanwhile: the crate
/// marks the descriptors close-on-exec only after it has opened them.
pub(super) fn open(cols: u16, rows: u16) -> io::Result<Fresh> {
    let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).map_err(|error| {
        error.downcast::<io::Error>().unwrap_or_else(|error| io::Error::other(error.to_string()))
    })?;
    let name = pair.master.tty_name().ok_or_else(|| io::Error::other("it has no name"))?;
    let number = pair.master.as_raw_fd().ok_or_else(|| io::Error::other("it has no descriptor"))?;
    // SAFETY: `pair.master` owns the descriptor and outlives the borrow.
    let master = unsafe { BorrowedFd::borrow_raw(number) }.try_clone_to_owned()?;
    Ok(Fresh { master, name, slave: pair.slave })
}

fn winsize(cols: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 }
}
