//! The person's own terminal without line editing: every key comes through, and all is as before in the end.

use std::{
    io::{self, PipeReader, PipeWriter, Read as _, Stdin},
    os::fd::AsFd as _,
    thread,
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

/// So many portions of keys may wait.
const AHEAD: usize = 16;
/// A portion.
const PORTION: usize = 4096;

/// A raw terminal; restored when dropped.
#[derive(Debug)]
pub struct RawTerminal {
    stdin: Stdin,
    before: Termios,
}

impl RawTerminal {
    /// Makes the terminal that is standard input raw; none: it is no terminal.
    pub fn of_stdin() -> io::Result<Option<Self>> {
        let stdin = io::stdin();
        if !rustix::termios::isatty(&stdin) {
            return Ok(None);
        }
        let before = tcgetattr(&stdin)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Drain, &raw)?;
        Ok(Some(Self { stdin, before }))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        // A terminal that has gone needs nothing.
        let _restored = tcsetattr(&self.stdin, OptionalActions::Flush, &self.before);
    }
}

/// What comes from standard input, as it comes.
#[derive(Debug)]
pub struct Keys {
    portions: mpsc::Receiver<Vec<u8>>,
    /// Its end tells the thread that nobody wants more.
    _wanted: PipeWriter,
}

impl Keys {
    /// Begins to read. A thread of its own waits, since a descriptor shared with other programs must
    /// not be made non-blocking; it takes nothing any more once this is dropped.
    pub fn of_stdin() -> io::Result<Self> {
        let (unwanted, wanted) = io::pipe()?;
        let (send, portions) = mpsc::channel(AHEAD);
        thread::spawn(move || {
            let mut buffer = [0; PORTION];
            while there_is_more(&unwanted) {
                // An error is an end, too.
                let Ok(count @ 1..) = io::stdin().lock().read(&mut buffer) else { return };
                if send.blocking_send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Ok(Self { portions, _wanted: wanted })
    }

    /// The next portion; none: the input has ended.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.portions.recv().await
    }
}

/// Waits for input; false when none is wanted any more.
fn there_is_more(unwanted: &PipeReader) -> bool {
    let stdin = io::stdin();
    loop {
        let mut ends = [
            PollFd::new(stdin.as_fd(), PollFlags::POLLIN),
            PollFd::new(unwanted.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut ends, PollTimeout::NONE) {
            Ok(_) => return !ends[1].any().unwrap_or(true),
            Err(Errno::EINTR) => {}
            Err(_) => return false,
        }
    }
}
