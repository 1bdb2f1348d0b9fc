//! A check by a command: it runs where the service runs, and its exit code counts.

use std::{
    collections::{BTreeMap, VecDeque},
    future, io,
    path::Path,
    time::Duration,
};

use tokio::{net::unix::pipe, time};

use crate::{
    core::notify::harmless_line,
    os::{
        child::Ending,
        signals::signal_name,
        spawn::{Command, Output, spawn},
    },
};

/// Of each output this much is kept: only its last line is told.
const TAIL: usize = 1024;
/// How much of that line.
const LINE: usize = 200;
/// What a killed session may have left in a pipe.
const LEFT: usize = 1 << 20;

/// Whether the command exits 0 in time. Then, or at the deadline, everything it has started is killed.
pub async fn command(
    argv: &[String],
    env: &BTreeMap<String, String>,
    dir: &Path,
    timeout: Duration,
) -> Result<(), String> {
    let command = Command {
        argv: argv.iter().map(Into::into).collect(),
        env: env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        dir: dir.to_owned(),
        output: Output::Pipes,
        marker: None,
    };
    // From here on a dropped future takes the session along: so does a dropped `Child`.
    let spawned = spawn(&command).map_err(|error| error.to_string())?;
    let child = spawned.child;
    let listen = |pipe| Tail::of(pipe).map_err(|error| format!("cannot read its output: {error}"));
    let mut out = listen(spawned.out)?;
    let mut err = spawned.err.map(listen).transpose()?;
    let exited = async {
        tokio::select! {
            ending = child.exited() => ending,
            never = out.follow() => match never {},
            never = follow(err.as_mut()) => match never {},
        }
    };
    let ending = time::timeout(timeout, exited).await;
    // A survivor of SIGKILL is stuck in the kernel: it does not change the answer, and is tried again on drop.
    drop(child.clear(None, Duration::ZERO).await);
    let what = match ending {
        Ok(Ending::Code(0)) => return Ok(()),
        Ok(Ending::Code(code)) => format!("exited {code}"),
        Ok(Ending::Signal(signal)) => format!("ended by {}", signal_name(signal)),
        Err(_) => format!("did not end within {}", super::seconds(timeout)),
    };
    let said = err.and_then(Tail::last_line).or_else(|| out.last_line());
    Err(said.map_or_else(|| what.clone(), |said| format!("{what}: {said}")))
}

async fn follow(tail: Option<&mut Tail>) -> std::convert::Infallible {
    match tail {
        Some(tail) => tail.follow().await,
        None => future::pending().await,
    }
}

/// The last of what comes out of a pipe.
struct Tail {
    pipe: pipe::Receiver,
    kept: VecDeque<u8>,
}

impl Tail {
    fn of(pipe: std::os::fd::OwnedFd) -> io::Result<Self> {
        Ok(Self { pipe: pipe::Receiver::from_owned_fd(pipe)?, kept: VecDeque::new() })
    }

    /// Reads on and on, so that the command is never held up.
    async fn follow(&mut self) -> std::convert::Infallible {
        while self.pipe.readable().await.is_ok() {
            match self.read() {
                Ok(0) => break,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => break,
                _ => tokio::task::consume_budget().await,
            }
        }
        future::pending().await
    }

    fn read(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 4096];
        let read = self.pipe.try_read(&mut bytes)?;
        self.kept.extend(&bytes[..read]);
        self.kept.drain(..self.kept.len().saturating_sub(TAIL));
        Ok(read)
    }

    fn last_line(mut self) -> Option<String> {
        let mut left = LEFT;
        while left > 0
            && let Ok(read @ 1..) = self.read()
        {
            left = left.saturating_sub(read);
        }
        self.kept
            .make_contiguous()
            .rsplit(|&byte| byte == b'\n')
            .map(|line| harmless_line(line, LINE))
            .find(|line| !line.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    async fn sh(script: &str, timeout: Duration) -> Result<(), String> {
        let env = BTreeMap::from([
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            ("PORT".to_owned(), "4000".to_owned()),
        ]);
        let argv = ["sh", "-c", script].map(str::to_owned);
        command(&argv, &env, Path::new("/tmp"), timeout).await
    }

    fn because(reason: &str) -> Result<(), String> {
        Err(reason.to_owned())
    }

    #[tokio::test]
    async fn the_exit_code_counts_where_the_service_runs() {
        assert_eq!(sh("test $PORT = 4000 && test $PWD = /tmp", LONG).await, Ok(()));
        assert_eq!(sh("exit 3", LONG).await, because("exited 3"));
        assert_eq!(sh("kill -9 $$", LONG).await, because("ended by SIGKILL"));
    }

    #[tokio::test]
    async fn the_last_words_are_the_reason() {
        let script = "echo connecting; printf 'connection to server failed\\n\\n'; exit 1";
        assert_eq!(sh(script, LONG).await, because("exited 1: connection to server failed"));
        let script = "echo no; printf '\\033[31mrefused' >&2; exit 2";
        assert_eq!(sh(script, LONG).await, because("exited 2: [31mrefused"));
        let script = "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end; exit 1";
        assert_eq!(sh(script, LONG).await, because("exited 1: end"), "much output holds nobody up");
    }

    #[tokio::test]
    async fn what_cannot_be_run_says_so() {
        let argv = ["no-such-check".to_owned()];
        let result = command(&argv, &BTreeMap::new(), Path::new("/"), LONG).await;
        assert_eq!(result, because("no such program: no-such-check"));
    }

    #[tokio::test]
    async fn at_the_deadline_all_of_it_is_killed() {
        let folder = tempfile::tempdir().expect("a folder");
        let fifo = folder.path().join("alive");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("made");
        // Open for reading first, so that nobody waits for the other; ends when the last writer has.
        let mut alive = pipe::OpenOptions::new().open_receiver(&fifo).expect("opened");
        let script = format!(
            "trap '' TERM; exec 3>{}; (trap '' TERM; sleep 100) & echo stuck; sleep 100",
            fifo.display()
        );
        let short = Duration::from_millis(300);
        let result = sh(&script, short).await;
        assert_eq!(result, because("did not end within 300 ms: stuck"));
        let mut nothing = Vec::new();
        let ended = tokio::io::AsyncReadExt::read_to_end(&mut alive, &mut nothing);
        time::timeout(LONG, ended).await.expect("nobody holds it open").expect("read");
    }

    #[tokio::test]
    async fn who_stays_behind_after_the_answer_is_killed_too() {
        let before = time::Instant::now();
        assert_eq!(sh("sleep 100 & exit 0", LONG).await, Ok(()));
        assert!(before.elapsed() < LONG, "the open pipe holds nobody up");
    }
}
