//! A million lines of 100 bytes through a pipe and a terminal into a log, beside a bare copier's time.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::thread;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use locald::core::log::{Filter, Limits, Stream};
use locald::os::logs::{Drained, LogPlane, Start};
use nix::fcntl::OFlag;
use nix::sys::termios::{self, OutputFlags, SetArg};

const LINES: usize = 1_000_000;
const LIMITS: Limits = Limits { max_size: 1 << 40, keep: 0 };

/// Reading end and writing end.
type Channel = (OwnedFd, File);

fn main() {
    divan::main();
}

#[divan::bench(args = ["pipe", "pty"], sample_count = 10, sample_size = 1)]
fn store(bencher: Bencher<'_, '_>, kind: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    counted(bencher).bench_local(|| {
        let path = folder.path().join("web.log");
        store_lines(&path, channel(kind));
        check(&path);
    });
}

/// The same bytes read and written as they are, without lines and times.
#[divan::bench(args = ["pipe", "pty"], sample_count = 10, sample_size = 1)]
fn copy(bencher: Bencher<'_, '_>, kind: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    counted(bencher).bench_local(|| {
        let (read, write) = channel(kind);
        let writer = thread::spawn(move || print(write));
        let mut from = File::from(read);
        let mut to = File::create(folder.path().join("copy")).expect("a file");
        let mut buffer = vec![0; 256 * 1024];
        // A terminal ends with an error.
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            to.write_all(&buffer[..n]).expect("room on the disk");
        }
        writer.join().expect("the writer ends");
    });
}

/// `locald logs` of all that is there.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn read_back(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("web.log");
    store_lines(&path, channel("pipe"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let plane = LogPlane::start(LIMITS).expect("a plane");
    let sink = plane.sink(path);
    counted(bencher).bench_local(|| {
        runtime.block_on(async {
            let follower = sink.follower(Start::All, Filter::default()).await;
            let mut follower = follower.expect("a readable file");
            let mut lines = 0;
            while let Some(batch) = follower.next_batch(false).await.expect("a readable file") {
                lines += batch.len();
            }
            assert_eq!(lines, LINES);
        });
    });
}

/// What `locald up` shows when a service fails.
#[divan::bench]
fn last_lines(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("web.log");
    store_lines(&path, channel("pipe"));
    let plane = LogPlane::start(LIMITS).expect("a plane");
    let sink = plane.sink(path);
    bencher.bench_local(|| assert_eq!(sink.last_lines(20, None).len(), 20));
}

fn counted<'a, 'b>(bencher: Bencher<'a, 'b>) -> Bencher<'a, 'b> {
    bencher.counter(ItemsCount::new(LINES)).counter(BytesCount::new(LINES * 100))
}

fn store_lines(path: &Path, (read, write): Channel) {
    let plane = LogPlane::start(LIMITS).expect("a plane");
    let writer = thread::spawn(move || print(write));
    let mut pump = plane.sink(path.to_owned()).attach(read, Stream::Out);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert_eq!(runtime.block_on(pump.drained()), Drained::Ended);
    writer.join().expect("the writer ends");
}

/// Every line is there and whole; the file is gone for the next round.
fn check(path: &Path) {
    let size = std::fs::metadata(path).expect("a log").len();
    assert_eq!(size, LINES as u64 * 129);
    std::fs::remove_file(path).expect("a log");
}

/// As a service does that prints as fast as it can.
fn print(mut to: File) {
    let block: Vec<u8> = [&[b'x'; 99][..], b"\n"].concat().repeat(600);
    let (mut left, mut from) = (LINES * 100, 0);
    while left > 0 {
        let n = to.write(&block[from..][..left.min(block.len() - from)]).expect("a reader");
        left -= n;
        from = (from + n) % block.len();
    }
}

fn channel(kind: &str) -> Channel {
    if kind == "pipe" {
        let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
        return (read, write.into());
    }
    let pty = nix::pty::openpty(None, None).expect("a terminal");
    let mut settings = termios::tcgetattr(&pty.slave).expect("a terminal");
    assert!(settings.output_flags.contains(OutputFlags::ONLCR), "as services have it");
    settings.output_flags.insert(OutputFlags::OPOST);
    termios::tcsetattr(&pty.slave, SetArg::TCSANOW, &settings).expect("a terminal");
    (pty.master, pty.slave.into())
}
