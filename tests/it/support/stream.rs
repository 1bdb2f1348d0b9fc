//! A command that runs beside the test and is read line by line.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Instant,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{DEADLINE, left};

/// Killed when dropped.
#[derive(Debug)]
pub(crate) struct Stream {
    child: Child,
    lines: mpsc::Receiver<String>,
    seen: Vec<String>,
    what: String,
}

impl Stream {
    pub(super) fn of(command: Command, what: String) -> Self {
        Self::with_input(command, what, Stdio::null())
    }

    /// One that is also written to.
    pub(super) fn talk(command: Command, what: String) -> (Self, ChildStdin) {
        let mut stream = Self::with_input(command, what, Stdio::piped());
        let input = stream.child.stdin.take().expect("it is piped");
        (stream, input)
    }

    fn with_input(mut command: Command, what: String, input: Stdio) -> Self {
        command.process_group(0);
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("cannot run {what}: {error}"));
        let stdout = child.stdout.take().expect("it is piped");
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n') {
                let Ok(line) = line else { return };
                if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, seen: Vec::new(), what }
    }

    /// The next line; none: it has ended.
    #[track_caller]
    pub(crate) fn line(&mut self) -> Option<String> {
        self.next_before(Instant::now() + DEADLINE, "the next line")
    }

    /// The first line from here on that `is` it.
    #[track_caller]
    pub(crate) fn find(&mut self, what: &str, mut is: impl FnMut(&str) -> bool) -> String {
        let until = Instant::now() + DEADLINE;
        while let Some(line) = self.next_before(until, what) {
            if is(&line) {
                return line;
            }
        }
        panic!("{} ended without {what}; {}", self.what, self.so_far());
    }

    /// A line that contains this text.
    #[track_caller]
    pub(crate) fn find_text(&mut self, text: &str) -> String {
        self.find(text, |line| line.contains(text))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("pids are small");
        kill(Pid::from_raw(pid), signal).expect("it is our child and not reaped yet");
    }

    /// Waits for its end; what it still says is kept for messages.
    #[track_caller]
    pub(crate) fn end(&mut self) -> ExitStatus {
        while self.line().is_some() {}
        self.child.wait().expect("it is our child")
    }

    #[track_caller]
    fn next_before(&mut self, until: Instant, what: &str) -> Option<String> {
        match self.lines.recv_timeout(left(until)) {
            Ok(line) => {
                self.seen.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!("{}: waited in vain for {what}; {}", self.what, self.so_far())
            }
        }
    }

    fn so_far(&self) -> String {
        let tail = &self.seen[self.seen.len().saturating_sub(20)..];
        format!("it said last:\n{}", tail.join("\n"))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
