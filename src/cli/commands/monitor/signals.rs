//! The signals that the monitor answers: whatever ends or stops it, the terminal is to be restored first.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The end of a program by signal N is told as this and N.
const BY_SIGNAL: u8 = 128;

/// Signals as they come.
pub(super) struct Signs {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    quit: Signal,
    stop: Signal,
    go_on: Signal,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sign {
    /// The end, with this exit code.
    End(u8),
    /// To make room for the shell.
    Stop,
    /// To go on after that.
    GoOn,
}

impl Signs {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            stop: signal(SignalKind::from_raw(libc::SIGTSTP))?,
            go_on: signal(SignalKind::from_raw(libc::SIGCONT))?,
        })
    }

    pub(super) async fn next(&mut self) -> Sign {
        let end = |kind: SignalKind| {
            Sign::End(BY_SIGNAL + u8::try_from(kind.as_raw_value()).unwrap_or_default())
        };
        tokio::select! {
            _ = self.terminate.recv() => end(SignalKind::terminate()),
            _ = self.hang_up.recv() => end(SignalKind::hangup()),
            _ = self.interrupt.recv() => end(SignalKind::interrupt()),
            _ = self.quit.recv() => end(SignalKind::quit()),
            _ = self.stop.recv() => Sign::Stop,
            _ = self.go_on.recv() => Sign::GoOn,
        }
    }
}
