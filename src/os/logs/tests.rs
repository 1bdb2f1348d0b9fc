//! Logs as services and readers see them: real pipes, terminals and files.

mod files;
mod outputs;
mod readers;
mod rotation;
mod trouble;

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use tempfile::TempDir;

use super::*;
use crate::core::log::{Filter, Limits, StoredLine, Stream};

/// A plane and one sink in a folder of their own.
struct World {
    folder: TempDir,
    plane: LogPlane,
    sink: Sink,
}

impl World {
    fn new(max_size: u64, keep: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plane = LogPlane::start(Limits { max_size, keep }).unwrap();
        let sink = plane.sink(folder.path().join("logs/shop/web.log"));
        Self { folder, plane, sink }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("logs/shop/web.log")
    }

    /// What all the files have, oldest first, without the heads.
    fn texts(&self) -> Vec<String> {
        texts_in(&self.path())
    }

    fn pipe(&self, stream: Stream) -> (File, Pump) {
        let (read, write) = pipe2(OFlag::O_CLOEXEC).unwrap();
        (write.into(), self.sink.attach(read, stream))
    }

    /// Prints as a service does that ends at once.
    async fn print(&self, bytes: &[u8]) {
        let (mut output, mut pump) = self.pipe(Stream::Out);
        let bytes = bytes.to_vec();
        let writer = std::thread::spawn(move || output.write_all(&bytes).unwrap());
        assert_eq!(soon(pump.drained()).await, Drained::Ended);
        writer.join().unwrap();
    }

    async fn follower(&self, start: Start) -> Follower {
        self.sink.follower(start, Filter::default()).await.unwrap()
    }
}

fn texts_in(path: &Path) -> Vec<String> {
    let mut rotated: Vec<PathBuf> =
        (1..10_000).map(|n| suffixed(path, n)).take_while(|path| path.exists()).collect();
    rotated.reverse();
    rotated.push(path.to_owned());
    let read = |path: &PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    let files: Vec<String> = rotated.iter().map(read).collect();
    assert!(files.iter().all(|file| file.is_empty() || file.ends_with('\n')), "a torn line");
    let lines = files.iter().flat_map(|file| file.lines());
    lines
        .map(|line| line.get(29..).unwrap_or_else(|| panic!("torn: {line:?}")).to_owned())
        .collect()
}

fn suffixed(path: &Path, n: usize) -> PathBuf {
    PathBuf::from(format!("{}.{n}", path.display()))
}

fn numbered(n: usize) -> Vec<u8> {
    (0..n).flat_map(|n| format!("line {n}\n").into_bytes()).collect()
}

fn texts_of(lines: &[StoredLine]) -> Vec<String> {
    lines.iter().map(|line| line.text().into_owned()).collect()
}

/// Everything that a follower has of history.
async fn history(follower: &mut Follower) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(batch) = soon(follower.next_batch(false)).await.unwrap() {
        assert!(!batch.is_empty());
        lines.extend(texts_of(&batch));
    }
    lines
}

async fn next(follower: &mut Follower) -> Vec<String> {
    texts_of(&soon(follower.next_batch(true)).await.unwrap().expect("the log goes on"))
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("not within 20 s")
}

fn pty() -> (OwnedFd, File) {
    let pty = nix::pty::openpty(None, None).unwrap();
    (pty.master, pty.slave.into())
}
