//! A command on a terminal, talked to as a person would.

use std::{
    io::{Read as _, Write},
    num::NonZero,
    process::Command,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use super::{DEADLINE, left};

/// Killed when dropped.
pub(crate) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: mpsc::Receiver<Vec<u8>>,
    /// All that it showed.
    seen: String,
    /// Up to here it was waited for.
    read: usize,
    /// What that comes to.
    screen: vt100::Parser,
    what: String,
}

impl Terminal {
    pub(super) fn of(command: &Command, what: String) -> Self {
        let pair = native_pty_system().openpty(size(24, 80)).expect("a terminal");
        let mut builder = CommandBuilder::new(command.get_program());
        builder.args(command.get_args());
        builder.env_clear();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                builder.env(name, value);
            }
        }
        builder.cwd(command.get_current_dir().expect("each has a folder"));
        let child = pair.slave.spawn_command(builder);
        let child = child.unwrap_or_else(|error| panic!("cannot run {what}: {error}"));
        drop(pair.slave);
        let keyboard = pair.master.take_writer().expect("it is new");
        let mut screen = pair.master.try_clone_reader().expect("it is new");
        let (send, output) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal that nobody holds open any more reads as an error.
            while let Ok(count @ 1..) = screen.read(&mut buffer) {
                if send.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let screen = vt100::Parser::new(at_least_one(24), at_least_one(80), 0);
        let (master, seen) = (pair.master, String::new());
        Self { master, keyboard, child, output, seen, read: 0, screen, what }
    }

    /// Waits until it shows `text`, after what was waited for before.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) {
        let until = Instant::now() + DEADLINE;
        loop {
            if self.shows(text) {
                return;
            }
            match self.output.recv_timeout(left(until)) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("{} ended without {text:?}; it showed {:?}", self.what, self.seen)
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{}: waited in vain for {text:?}; it showed {:?}", self.what, self.seen)
                }
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.seen.push_str(&String::from_utf8_lossy(bytes));
        self.screen.process(bytes);
    }

    /// Waits until the screen as a whole is such; gives it.
    #[track_caller]
    pub(crate) fn until_screen(&mut self, is_it: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + DEADLINE;
        loop {
            let screen = self.screen.screen().contents();
            if is_it(&screen) {
                return screen;
            }
            match self.output.recv_timeout(left(until)) {
                Ok(bytes) => self.take(&bytes),
                Err(why) => panic!("{}: {why}, and the screen is\n{screen}", self.what),
            }
        }
    }

    /// The terminal as what was shown has left it.
    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.screen.screen()
    }

    fn shows(&mut self, text: &str) -> bool {
        let at = self.seen[self.read..].find(text);
        self.read += at.map_or(0, |at| at + text.len());
        at.is_some()
    }

    /// Types.
    pub(crate) fn say(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal is open");
    }

    /// The same, doing something again every second: for what nothing tells that it can be done.
    #[track_caller]
    pub(crate) fn until_or(&mut self, text: &str, mut again: impl FnMut(&mut Self)) {
        let until = Instant::now() + DEADLINE;
        while !self.shows(text) {
            match self.output.recv_timeout(Duration::from_secs(1)) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) if Instant::now() < until => again(self),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{}: never {text:?}; it showed {:?}", self.what, self.seen)
                }
            }
        }
    }

    pub(crate) fn resize(&mut self, rows: u16, cols: u16) {
        self.screen.screen_mut().set_size(at_least_one(rows), at_least_one(cols));
        self.master.resize(size(rows, cols)).expect("the terminal is open");
    }

    /// What it shows within a time in which it is to show nothing.
    pub(crate) fn silent_for(&mut self, time: Duration) -> String {
        let at = self.seen.len();
        let until = Instant::now() + time;
        while let Ok(bytes) = self.output.recv_timeout(left(until)) {
            self.take(&bytes);
        }
        self.seen[at..].to_owned()
    }

    /// All that it showed so far.
    pub(crate) fn seen(&self) -> &str {
        &self.seen
    }

    /// Waits for its end, and takes what it still shows.
    #[track_caller]
    pub(crate) fn end(&mut self) -> ExitStatus {
        let until = Instant::now() + DEADLINE;
        loop {
            match self.output.recv_timeout(left(until)) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{} does not end; it showed {:?}", self.what, self.seen)
                }
            }
        }
        self.child.wait().expect("it is our child")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn at_least_one(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("more than none")
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}
