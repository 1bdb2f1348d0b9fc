//! The line between the heart and the daemon: what is to be kept, and how those have ended who have
//! become the heart's children.
//!
//! One datagram says one thing: a word, a name, a note of whatever form, and maybe a descriptor. The
//! heart answers only when it is asked, in the order of the questions.

#![expect(clippy::disallowed_types, reason = "a question and its answer exclude others")]

mod packet;

use std::{
    collections::BTreeMap,
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::Path,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        socket::{setsockopt, sockopt},
        time::TimeVal,
    },
    unistd::getppid,
};

pub use self::packet::{LONGEST_NOTE, Packet, receive, send, try_receive};
use super::{detach, logs, wait::Ending};
use crate::core::{memory, state};

/// Names the descriptor of the line in the daemon's environment.
pub const FD: &str = "LOCALD_HEART_FD";
/// What both ends must agree on. A daemon that is told of another one does not begin.
pub const VERSION: &str = "1";

/// Keep this (name, note, descriptor).
pub const KEEP: &str = "keep";
/// What has this name is not needed any more.
pub const DROP: &str = "drop";
/// Give me all; answered by what was kept, then [`END`] with the version as its name.
pub const ALL: &str = "all";
/// That was all.
pub const END: &str = "end";
/// This pid leads a session: when it is yours and ends, leave it a zombie.
pub const LEADS: &str = "leads";
/// How has this pid ended? Answered by the same word and a note.
pub const ENDING: &str = "ending";
/// Nobody needs to know of this pid any more.
pub const REAP: &str = "reap";
/// The daemon serves: it has not died in vain from now on.
pub const SERVES: &str = "serves";

/// Become the program whose path is the note when I make way. Answered by the same word.
pub const UPGRADE: &str = "upgrade";
/// The exit code of a daemon that makes way for the next one, and has left all as it was.
pub const MAKES_WAY: u8 = 71;
/// The version of what a heart tells the program that it becomes.
pub const MEMORY: u32 = 1;

/// How long the heart may take, which does nothing but answer. One that was stopped must not stop us.
const PATIENCE: Duration = Duration::from_secs(2);

static LINE: OnceLock<Line> = OnceLock::new();

/// The daemon's end.
#[derive(Debug)]
pub struct Line {
    socket: Mutex<OwnedFd>,
    heart: i32,
}

/// What the heart kept, by its names.
#[derive(Debug, Default)]
pub struct Kept(
    /// Notes and descriptors.
    pub BTreeMap<String, (Vec<u8>, Option<OwnedFd>)>,
    /// The leaders of sessions that have not been cleared away.
    pub Vec<i32>,
);

/// How the heart's child has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It runs.
    Runs,
    /// It has ended so, and is a zombie.
    Ended(Ending),
    /// It is no child of the heart, or nobody answers.
    Unknown,
}

impl Line {
    /// The line to the heart that has started us; none: we were started without one. To be called
    /// before anything else is opened.
    pub fn open() -> io::Result<Option<&'static Self>> {
        let Some(socket) = detach::inherited(FD) else { return Ok(None) };
        be_patient(&socket)?;
        let line = Self { socket: Mutex::new(socket), heart: getppid().as_raw() };
        Ok(Some(LINE.get_or_init(|| line)))
    }

    /// The heart's pid; none: it is gone.
    pub fn heart(&self) -> Option<i32> {
        let socket = self.lock();
        let mut polled = [PollFd::new(socket.as_fd(), PollFlags::empty())];
        let quiet = poll(&mut polled, PollTimeout::ZERO).is_ok_and(|count| count == 0);
        quiet.then_some(self.heart)
    }

    /// Has something kept, in place of what had that name. Of what is too long for a note nothing is
    /// kept: better than what is no longer so.
    pub fn keep(&self, name: &str, note: &[u8], fd: Option<BorrowedFd<'_>>) {
        if note.len() > LONGEST_NOTE {
            return self.drop(name);
        }
        self.say(&self.lock(), KEEP, name, note, fd);
    }

    /// What has this name is not needed any more.
    pub fn drop(&self, name: &str) {
        self.say(&self.lock(), DROP, name, &[], None);
    }

    /// We serve.
    pub fn serves(&self) {
        self.say(&self.lock(), SERVES, "", &[], None);
    }

    /// Everything that is kept; it stays so. An error if the heart does not speak our language.
    pub fn all(&self) -> io::Result<Kept> {
        let socket = self.lock();
        send(&*socket, ALL, "", &[], None)?;
        let mut kept = Kept::default();
        loop {
            let packet = receive(&*socket)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            match packet.word.as_str() {
                KEEP => drop(kept.0.insert(packet.name, (packet.note, packet.fd))),
                LEADS => kept.1.extend(packet.name.parse::<i32>().ok()),
                END if packet.name == VERSION => return Ok(kept),
                _ => {
                    let text = format!(
                        "the heart (pid {}) is of another version: `locald server restart` replaces it",
                        self.heart
                    );
                    return Err(io::Error::new(io::ErrorKind::Unsupported, text));
                }
            }
        }
    }

    /// Has the heart become this program when we make way. An error if it does not say that it will:
    /// one that knows no such thing says nothing.
    pub fn succeed_by(&self, program: &Path) -> io::Result<()> {
        let socket = self.lock();
        send(&*socket, UPGRADE, "", program.as_os_str().as_bytes(), None)?;
        loop {
            let packet = receive(&*socket)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if packet.word == UPGRADE {
                return Ok(());
            }
        }
    }

    /// How the heart's child `pid` has ended.
    pub fn fate(&self, pid: i32) -> Fate {
        let socket = self.lock();
        self.say(&socket, ENDING, &pid.to_string(), &[], None);
        loop {
            match receive(&*socket) {
                Ok(Some(answer)) if answer.word == ENDING && answer.name == pid.to_string() => {
                    return Fate::read(&answer.note);
                }
                // Late, for somebody who has lost patience.
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return Fate::Unknown,
            }
        }
    }

    fn say(
        &self,
        socket: &OwnedFd,
        word: &str,
        name: &str,
        note: &[u8],
        fd: Option<BorrowedFd<'_>>,
    ) {
        if let Err(error) = send(socket, word, name, note, fd) {
            tracing::debug!(%error, heart = self.heart, word, "the heart is not to be reached");
        }
    }

    fn lock(&self) -> MutexGuard<'_, OwnedFd> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The versions of all that a daemon leaves to the next one. Only one that says the same goes on with it.
pub fn formats() -> String {
    let (notes, state, journal) = (memory::VERSION, state::VERSION, logs::JOURNAL);
    format!("line {VERSION}, heart {MEMORY}, notes {notes}, state {state}, journal {journal:x}")
}

/// Bounds what an end waits for the other one.
pub fn be_patient(socket: &OwnedFd) -> io::Result<()> {
    let limit = TimeVal::new(PATIENCE.as_secs().cast_signed(), 0);
    setsockopt(socket, sockopt::SendTimeout, &limit)?;
    setsockopt(socket, sockopt::ReceiveTimeout, &limit)?;
    Ok(())
}

/// The line, if there is a heart.
pub fn line() -> Option<&'static Line> {
    LINE.get()
}

/// A session has begun that must not outlive us unnoticed.
pub(super) fn leads(pid: i32) {
    if let Some(line) = line() {
        line.say(&line.lock(), LEADS, &pid.to_string(), &[], None);
    }
}

/// A session has been cleared away.
pub(super) fn reap(pid: i32) {
    if let Some(line) = line() {
        line.say(&line.lock(), REAP, &pid.to_string(), &[], None);
    }
}

impl Kept {
    /// The descriptor of this name.
    pub fn take(&mut self, name: &str) -> Option<OwnedFd> {
        self.0.remove(name)?.1
    }
}

impl Fate {
    /// As it is written in a note.
    pub fn write(self) -> String {
        match self {
            Self::Runs => "runs".to_owned(),
            Self::Ended(Ending::Code(code)) => format!("code {code}"),
            Self::Ended(Ending::Signal(signal)) => format!("signal {signal}"),
            Self::Unknown => "unknown".to_owned(),
        }
    }

    fn read(note: &[u8]) -> Self {
        let text = String::from_utf8_lossy(note);
        match text.split_once(' ').map(|(how, number)| (how, number.parse())) {
            Some(("code", Ok(code))) => Self::Ended(Ending::Code(code)),
            Some(("signal", Ok(signal))) => Self::Ended(Ending::Signal(signal)),
            _ if text == "runs" => Self::Runs,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fate_survives_the_line() {
        let endings = [Ending::Code(0), Ending::Code(255), Ending::Signal(9)].map(Fate::Ended);
        for fate in endings.into_iter().chain([Fate::Runs, Fate::Unknown]) {
            assert_eq!(Fate::read(fate.write().as_bytes()), fate);
        }
        assert_eq!(Fate::read(b"code x"), Fate::Unknown);
    }
}
