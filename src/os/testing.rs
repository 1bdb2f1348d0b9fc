//! Real processes for the tests of this layer.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::Once,
    time::Duration,
};

use tokio::{io::unix::AsyncFd, time::timeout};

use super::{
    child::Ending,
    reaper::{self, Reaper},
    spawn::{Command, Output, Spawned, spawn},
    watched,
};

/// Longer than anything takes on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// `sh -c script`, with pipes.
pub(super) fn sh(script: &str) -> Command {
    command(&["sh", "-c", script])
}

pub(super) fn command(argv: &[&str]) -> Command {
    Command {
        argv: argv.iter().map(Into::into).collect(),
        env: vec![("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())],
        dir: "/".into(),
        output: Output::Pipes,
        marker: None,
    }
}

pub(super) fn on_terminal(mut command: Command) -> Command {
    command.output = Output::Pty { cols: 97, rows: 31 };
    command
}

/// Gives the command an environment entry that no other has, and lets it be known by that.
pub(super) fn marked(mut command: Command) -> Command {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let value = format!("/run/{}-{number}.notify", std::process::id());
    command.marker = Some(format!("NOTIFY_SOCKET={value}").into());
    command.env.push(("NOTIFY_SOCKET".into(), value.into()));
    command
}

/// Spawns it in a process that takes orphans and reaps them, as the daemon does.
pub(super) fn start(command: &Command) -> (Spawned, Lines) {
    take_orphans();
    let mut spawned = spawn(command).unwrap();
    let out =
        std::mem::replace(&mut spawned.out, io::stdin().as_fd().try_clone_to_owned().unwrap());
    (spawned, Lines::of(out))
}

/// Runs it to its end: how it ended, what it said, and what it complained about.
pub(super) async fn run(command: &Command) -> (Ending, String, String) {
    let (mut spawned, mut out) = start(command);
    let said = out.rest().await;
    let complained = match spawned.err.take() {
        Some(err) => Lines::of(err).rest().await,
        None => String::new(),
    };
    let ending = spawned.child.exited().await;
    spawned.child.clear(None, Duration::ZERO).await.unwrap();
    (ending, said, complained)
}

/// Waits for what is bound to come.
pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("in time")
}

/// Waits until `holds`, for what sends no event.
pub(super) async fn eventually(holds: impl Fn() -> bool) {
    soon(async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// What a program says, as it says it.
pub(super) struct Lines {
    fd: AsyncFd<OwnedFd>,
    unread: Vec<u8>,
}

impl Lines {
    pub(super) fn of(fd: OwnedFd) -> Self {
        Self { fd: watched::readable(fd).unwrap(), unread: Vec::new() }
    }

    pub(super) async fn next(&mut self) -> String {
        soon(async {
            loop {
                if let Some(end) = memchr::memchr(b'\n', &self.unread) {
                    let line: Vec<u8> = self.unread.drain(..=end).collect();
                    return String::from_utf8(line).unwrap().trim_end().to_owned();
                }
                assert!(self.more().await, "the output ended before the line did");
            }
        })
        .await
    }

    /// The next line, which is a pid.
    pub(super) async fn pid(&mut self) -> i32 {
        self.next().await.parse().unwrap()
    }

    /// All there is until its end, with the line ends of a file.
    pub(super) async fn rest(&mut self) -> String {
        soon(async { while self.more().await {} }).await;
        String::from_utf8(std::mem::take(&mut self.unread)).unwrap().replace("\r\n", "\n")
    }

    async fn more(&mut self) -> bool {
        loop {
            let mut guard = self.fd.readable().await.unwrap();
            let mut bytes = [0; 4096];
            match guard.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut bytes)?)) {
                Ok(Ok(count)) => {
                    self.unread.extend_from_slice(&bytes[..count]);
                    return count > 0;
                }
                // A terminal that nobody has open any more.
                Ok(Err(error)) if error.raw_os_error() == Some(libc::EIO) => return false,
                Ok(Err(error)) => panic!("{error}"),
                Err(_would_block) => {}
            }
        }
    }
}

fn take_orphans() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        reaper::become_subreaper().unwrap();
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(Reaper.run())
        });
    });
}
