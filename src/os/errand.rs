//! A command that runs to its end in good time, and what it said last. Nothing of it stays.

use std::{
    collections::{BTreeMap, VecDeque},
    future, io,
    io::{Seek as _, Write as _},
    os::fd::{AsFd as _, OwnedFd},
    path::Path,
    time::Duration,
};

use rustix::fs::{MemfdFlags, memfd_create};
use tokio::{net::unix::pipe, time};

use super::{
    child::Ending,
    spawn::{Command, Output, SpawnError, spawn_fed},
};

/// Of each output this much is kept.
const TAIL: usize = 1024;
/// What a killed session may have left in a pipe.
const LEFT: usize = 1 << 20;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Errand<'a> {
    /// The program and its arguments.
    pub argv: &'a [String],
    /// The whole environment.
    pub env: &'a BTreeMap<String, String>,
    /// Where it runs.
    pub dir: &'a Path,
    /// What it reads on standard input, up to the end.
    pub input: &'a [u8],
    /// How long it may take.
    pub timeout: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended; none: it was killed, since it took too long.
    pub ending: Option<Ending>,
    /// The last of what it wrote to standard output.
    pub out: Vec<u8>,
    /// The last of what it wrote to standard error.
    pub err: Vec<u8>,
}

/// Why it could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ErrandError {
    /// It does not start.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// What it is to read cannot be put anywhere.
    #[error("cannot give it its input: {0}")]
    Input(#[source] io::Error),
    /// Nobody would read what it writes.
    #[error("cannot read its output: {0}")]
    Output(#[source] io::Error),
}

impl Errand<'_> {
    /// Runs it. At its end, at the deadline and when the future is dropped, everything that it has
    /// started is killed.
    pub async fn run(&self) -> Result<Outcome, ErrandError> {
        let command = Command {
            argv: self.argv.iter().map(Into::into).collect(),
            env: self.env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            dir: self.dir.to_owned(),
            output: Output::Pipes,
            marker: None,
        };
        let input = self.input().map_err(ErrandError::Input)?;
        // From here on a dropped future takes the session along: so does a dropped `Child`.
        let spawned = spawn_fed(&command, input.as_ref().map(std::fs::File::as_fd))?;
        let child = spawned.child;
        let listen = |pipe| Tail::of(pipe).map_err(ErrandError::Output);
        let mut out = listen(spawned.out)?;
        let mut err = spawned.err.map(listen).transpose()?;
        let exited = async {
            tokio::select! {
                ending = child.exited() => ending,
                never = out.follow() => match never {},
                never = follow(err.as_mut()) => match never {},
            }
        };
        let ending = time::timeout(self.timeout, exited).await.ok();
        // A survivor of SIGKILL is stuck in the kernel: it does not change the answer, and is tried again on drop.
        drop(child.clear(None, Duration::ZERO).await);
        Ok(Outcome { ending, out: out.rest(), err: err.map(Tail::rest).unwrap_or_default() })
    }

    /// A file in memory needs nobody who writes while the command reads. None: there is nothing to read.
    fn input(&self) -> io::Result<Option<std::fs::File>> {
        if self.input.is_empty() {
            return Ok(None);
        }
        let mut file = std::fs::File::from(memfd_create("input", MemfdFlags::CLOEXEC)?);
        file.write_all(self.input)?;
        file.rewind()?;
        Ok(Some(file))
    }
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
    fn of(pipe: OwnedFd) -> io::Result<Self> {
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

    /// What was kept, and what is still in the pipe.
    fn rest(mut self) -> Vec<u8> {
        let mut left = LEFT;
        while left > 0
            && let Ok(read @ 1..) = self.read()
        {
            left = left.saturating_sub(read);
        }
        self.kept.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(script: &str, input: &[u8]) -> Outcome {
        let argv = ["/bin/sh", "-c", script].map(str::to_owned);
        let env = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        let timeout = Duration::from_secs(20);
        let errand = Errand { argv: &argv, env: &env, dir: Path::new("/tmp"), input, timeout };
        errand.run().await.expect("there is a shell")
    }

    #[tokio::test]
    async fn what_it_reads_has_an_end_however_long_it_is() {
        assert_eq!(sh("cat", b"one\ntwo\n").await.out, b"one\ntwo\n");
        assert_eq!(sh("cat", b"").await.out, b"");
        let much = vec![b'x'; 3_000_000];
        let counted = sh("wc -c", &much).await.out;
        assert_eq!(String::from_utf8_lossy(&counted).trim(), "3000000");
        assert_eq!(sh("exit 3", &much).await.ending, Some(Ending::Code(3)), "nobody has to read");
    }
}
