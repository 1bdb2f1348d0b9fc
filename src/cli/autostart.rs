//! Starts the daemon when a command needs one and there is none.

use std::{
    env,
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::timeout;

use super::{client::Client, error::Error, render::text::quoted};
use crate::os::{
    detach,
    paths::{Places, create_private_dir},
    pidfd::Pidfd,
    proc,
};

/// How long a daemon may take until it serves.
const START: Duration = Duration::from_secs(30);
/// How long a daemon that is on its way out may take.
const END: Duration = Duration::from_secs(10);
/// So many lines of the daemon's log are shown when it cannot start.
const SHOWN: usize = 10;

/// Connects to the daemon, which is started if there is none. Also says whether it was.
pub async fn connect_or_start(places: &Places) -> Result<(Client, bool), Error> {
    if let Some(client) = Client::connect(&places.socket).await? {
        return Ok((client, false));
    }
    // Clients that come at once take turns: the first starts it, the others find it.
    let turn = take_turn(places)?;
    if let Some(client) = Client::connect(&places.socket).await? {
        return Ok((client, false));
    }
    let client = start(places).await?;
    drop(turn);
    Ok((client, true))
}

fn take_turn(places: &Places) -> Result<File, Error> {
    let failed = || Error::no_daemon("cannot start the daemon");
    create_private_dir(&places.state_dir).map_err(|error| failed().because(error))?;
    let turn = open_private(&places.state_dir.join("start.lock"));
    turn.and_then(|turn| turn.lock().map(|()| turn)).map_err(|error| failed().because(error))
}

fn open_private(path: &Path) -> io::Result<File> {
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    opened.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// What the daemon says on the pipe.
#[derive(Debug, Eq, PartialEq)]
enum Word {
    /// It serves.
    Ready,
    /// Another daemon has the lock; 0: it has not said yet which.
    Busy(i32),
    /// Its configuration is wrong.
    Config(String),
    /// It cannot, for this reason.
    Error(String),
}

async fn start(places: &Places) -> Result<Client, Error> {
    let mut attempt = Attempt::make(places)?;
    if let Word::Busy(pid) = attempt.word {
        // Somebody has started one by hand just now, or the last one is not quite gone yet.
        if let Some(client) = Client::connect(&places.socket).await? {
            return Ok(client);
        }
        await_end(pid, END).await;
        attempt = Attempt::make(places)?;
    }
    match Client::connect(&places.socket).await? {
        Some(client) => Ok(client),
        None => Err(attempt.failure(places)),
    }
}

/// Waits until the process is gone; answers whether it is.
pub async fn await_end(pid: i32, limit: Duration) -> bool {
    let Some(stat) = proc::stat(pid) else { return true };
    match Pidfd::of(pid, stat.started) {
        Ok(Some(process)) => timeout(limit, process.gone()).await.is_ok(),
        Ok(None) => true,
        Err(_) => false,
    }
}

/// An attempt to start the daemon.
struct Attempt {
    word: Word,
    log_length: u64,
}

impl Attempt {
    fn make(places: &Places) -> Result<Self, Error> {
        let failed = |error| Error::no_daemon("cannot start the daemon").because(error);
        let log = open_private(&places.daemon_log).map_err(failed)?;
        let log_length = log.metadata().map_or(0, |metadata| metadata.len());
        let program = program().map_err(failed)?;
        let pipe = detach::detach(&program, &["heart"], &log);
        let said = pipe.and_then(|pipe| detach::hear(pipe, START)).map_err(failed)?;
        Ok(Self { word: word(said.as_deref()), log_length })
    }

    fn failure(self, places: &Places) -> Error {
        let mut error = Error::no_daemon("cannot start the daemon");
        match self.word {
            Word::Ready => error = error.because("it said that it is ready, and is not there"),
            Word::Busy(pid) => {
                error =
                    error.because(format!("another one (pid {pid}) is there and does not answer"));
            }
            Word::Config(reason) => return Error::config(reason),
            Word::Error(reason) => error = error.because(reason),
        }
        let lines = log_since(&places.daemon_log, self.log_length);
        if !lines.is_empty() {
            error = error.detailed(quoted(&lines));
        }
        error.hinted("`locald server start --foreground` shows all that it says")
    }
}

fn word(said: Option<&str>) -> Word {
    let Some(said) = said else {
        return Word::Error(format!("it is not ready after {} s", START.as_secs()));
    };
    let said = said.trim();
    match said.split_once(' ') {
        _ if said == "ready" => Word::Ready,
        _ if said == "busy" => Word::Busy(0),
        _ if said.is_empty() => Word::Error("it ended without a word".to_owned()),
        Some(("busy", pid)) if pid.parse::<i32>().is_ok() => Word::Busy(pid.parse().unwrap_or(0)),
        Some(("config:", reason)) => Word::Config(reason.to_owned()),
        Some(("error:", reason)) => Word::Error(reason.to_owned()),
        _ => Word::Error(said.to_owned()),
    }
}

/// Our own program; by the kernel's name for it when its file has been replaced.
fn program() -> io::Result<PathBuf> {
    let own = env::current_exe()?;
    Ok(if own.exists() { own } else { PathBuf::from("/proc/self/exe") })
}

/// The last lines that were written to the log after it had this length.
fn log_since(log: &Path, length: u64) -> Vec<String> {
    let mut tail = Vec::new();
    let read = File::open(log).and_then(|mut log| {
        let end = log.metadata()?.len();
        // A shorter log is a new one.
        let from = if end < length { 0 } else { length };
        log.seek(SeekFrom::Start(from.max(end.saturating_sub(64 << 10))))?;
        log.take(64 << 10).read_to_end(&mut tail)
    });
    if read.is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&tail);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(SHOWN)..].iter().map(|&line| line.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_words_of_a_daemon_are_understood() {
        assert_eq!(word(Some("ready\n")), Word::Ready);
        assert_eq!(word(Some("busy\n")), Word::Busy(0));
        assert_eq!(word(Some("busy 17\n")), Word::Busy(17));
        assert_eq!(word(Some("error: disk full\n")), Word::Error("disk full".to_owned()));
        assert_eq!(word(Some("busy bee")), Word::Error("busy bee".to_owned()));
        assert!(matches!(word(Some("")), Word::Error(_)));
        assert!(matches!(word(None), Word::Error(_)));
    }

    #[test]
    fn only_what_the_attempt_has_written_is_shown() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let log = dir.path().join("daemon.log");
        assert!(log_since(&log, 0).is_empty());
        fs::write(&log, "old\n").expect("room");
        assert!(log_since(&log, 4).is_empty());
        let many = "new\n".repeat(29) + "newest\n";
        fs::write(&log, format!("old\n{many}")).expect("room");
        let lines = log_since(&log, 4);
        assert_eq!((lines.len(), lines[9].as_str()), (10, "newest"));
        fs::write(&log, "x\n").expect("room");
        assert_eq!(log_since(&log, 99), ["x"], "a new log");
    }

    #[tokio::test]
    async fn a_process_that_is_not_there_has_ended() {
        assert!(await_end(i32::MAX, Duration::from_secs(1)).await);
    }
}
