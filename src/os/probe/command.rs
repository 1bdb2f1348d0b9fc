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
mod tests;
