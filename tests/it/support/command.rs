//! Runs a command with a deadline, and looks at what came of it.

use std::{
    ffi::OsStr,
    io::{Read, Write as _},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use super::{DEADLINE, left, stream::Stream, terminal::Terminal};

/// A command about to be run.
#[derive(Debug)]
pub(crate) struct Run {
    command: Command,
    stdin: Vec<u8>,
    deadline: Duration,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
    /// How it was called, for messages.
    what: String,
}

/// A command that runs beside the test.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    what: String,
    started: Instant,
    ends: mpsc::Receiver<(bool, Vec<u8>)>,
}

impl Run {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self { command: Command::new(program), stdin: Vec::new(), deadline: DEADLINE }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn empty_env(mut self) -> Self {
        self.command.env_clear();
        self
    }

    pub(crate) fn within(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// As another user; the tests must run as root for that.
    pub(crate) fn run_by(mut self, uid: u32) -> Self {
        self.command.uid(uid).gid(uid);
        self
    }

    /// In a process group of its own, so that a signal meets it alone.
    pub(crate) fn start(mut self) -> Running {
        let what = self.what();
        self.command.process_group(0);
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child =
            self.command.spawn().unwrap_or_else(|error| panic!("cannot run {what}: {error}"));
        let mut stdin = child.stdin.take().expect("it is piped");
        let input = std::mem::take(&mut self.stdin);
        thread::spawn(move || stdin.write_all(&input));
        let (send, ends) = mpsc::channel();
        let stdout = child.stdout.take().expect("it is piped");
        let stderr = child.stderr.take().expect("it is piped");
        read_to_end(stdout, send.clone(), true);
        read_to_end(stderr, send, false);
        Running { child, what, started, ends }
    }

    /// To its end.
    pub(crate) fn run(self) -> Output {
        let deadline = self.deadline;
        self.start().end_within(deadline)
    }

    /// Runs it to its end, which must be a success.
    pub(crate) fn ok(self) -> Output {
        self.run().exits(0)
    }

    /// Runs it to its end, which must be this failure.
    pub(crate) fn fails(self, code: i32) -> Output {
        self.run().exits(code)
    }

    /// Runs it beside the test, its output line by line.
    pub(crate) fn stream(self) -> Stream {
        let what = self.what();
        Stream::of(self.command, what)
    }

    /// The same, to talk with.
    pub(crate) fn talk(self) -> (Stream, ChildStdin) {
        let what = self.what();
        Stream::talk(self.command, what)
    }

    /// Runs it on a terminal of 24 lines and 80 columns, to talk with.
    pub(crate) fn on_terminal(self) -> Terminal {
        let what = self.what();
        Terminal::of(&self.command, what)
    }

    fn what(&self) -> String {
        let args = self.command.get_args().map(OsStr::to_string_lossy);
        let program: PathBuf = self.command.get_program().into();
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        args.fold(name, |text, arg| text + " " + &arg)
    }
}

impl Running {
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("pids are small")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("it is our child and not reaped yet");
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> Output {
        self.end_within(DEADLINE)
    }

    fn end_within(mut self, deadline: Duration) -> Output {
        let until = Instant::now() + deadline;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            match self.ends.recv_timeout(left(until)) {
                Ok((true, bytes)) => stdout = bytes,
                Ok((false, bytes)) => stderr = bytes,
                Err(_) => {
                    let alive = self.child.try_wait().is_ok_and(|status| status.is_none());
                    drop(self.child.kill());
                    drop(self.child.wait());
                    let who = if alive { "it still runs" } else { "somebody else holds it open" };
                    panic!("{}: no end of its output after {deadline:?}: {who}", self.what);
                }
            }
        }
        // Both ends are closed: that is its end, unless it is a very odd program.
        let status = self.child.wait().expect("it is our child");
        Output {
            status,
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            took: self.started.elapsed(),
            what: self.what,
        }
    }
}

impl Output {
    /// The code that a shell would see.
    pub(crate) fn code(&self) -> i32 {
        let signal = || self.status.signal().map_or(-1, |signal| 128 + signal);
        self.status.code().unwrap_or_else(signal)
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "the exit code of {self}");
        self
    }

    /// Standard output has this.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "no {text:?} in {self}");
        self
    }

    /// Standard error has this.
    #[track_caller]
    pub(crate) fn complains(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} in what was complained about in {self}");
        self
    }

    /// An error for a person: it says so, and nothing of our insides shows.
    #[track_caller]
    pub(crate) fn and_clearly(self) -> Self {
        assert!(self.stderr.contains("error:"), "no error in {self}");
        for ugly in ["panicked", "RUST_BACKTRACE", "Error {", "Os {", "Err(", "Some(\""] {
            assert!(!self.stderr.contains(ugly), "{ugly:?} is not for people in {self}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    /// Standard output as lines of JSON.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let line = |line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line} in {self}"))
        };
        self.stdout.lines().map(line).collect()
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, status, stdout, stderr, .. } = self;
        write!(f, "`{what}` ({status}):\n--- stdout\n{stdout}--- stderr\n{stderr}---")
    }
}

fn read_to_end(mut from: impl Read + Send + 'static, to: mpsc::Sender<(bool, Vec<u8>)>, out: bool) {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error counts.
        drop(from.read_to_end(&mut bytes));
        to.send((out, bytes))
    });
}
