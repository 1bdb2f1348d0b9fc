//! Somebody else does something to the files.

use std::sync::Arc;

use tokio::sync::watch;

use super::super::ledger::Ledger;
use super::super::store::Store;
use super::*;
use crate::core::log::{Head, Stamp};

/// A store whose clock the test sets.
struct Bench {
    folder: TempDir,
    ledger: Arc<Ledger>,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { max_size: 1000, keep: 2 };
        let (ledger, publish) = Ledger::new(folder.path().join("web.log"), limits);
        let ledger = Arc::new(ledger);
        let store = Store::new(Arc::clone(&ledger), limits, publish, watch::channel(None).0);
        Self { folder, ledger, store }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("web.log")
    }

    fn write(&mut self, text: &str, second: u32) {
        let at = Stamp::parse(format!("2026-01-01T00:00:{second:02}.000Z").as_bytes()).unwrap();
        let mut records = Vec::new();
        Head::new(at, Stream::Out, false).write(text.as_bytes(), &mut records);
        self.store.append(&records, at);
    }

    async fn follower(&self) -> Follower {
        Follower::new(Arc::clone(&self.ledger), Start::All, Filter::default()).await.unwrap()
    }
}

#[tokio::test]
async fn a_deleted_log_is_made_anew() {
    let mut bench = Bench::new();
    bench.write("one", 1);
    let mut follower = bench.follower().await;
    std::fs::remove_file(bench.path()).unwrap();
    bench.write("lost with its file, but not for followers", 1);
    bench.write("three", 2);
    assert_eq!(texts_in(&bench.path()), ["three"]);
    assert_eq!(next(&mut follower).await.len(), 2);
    assert_eq!(next(&mut follower).await, ["three"]);
}

#[tokio::test]
async fn a_deleted_folder_is_made_anew() {
    let mut bench = Bench::new();
    bench.write("one", 1);
    std::fs::remove_dir_all(bench.folder.path()).unwrap();
    bench.write("two", 2);
    assert_eq!(texts_in(&bench.path()), ["two"]);
}

#[tokio::test]
async fn a_replaced_log_is_written_on() {
    let mut bench = Bench::new();
    bench.write("one", 1);
    let mut follower = bench.follower().await;
    std::fs::rename(bench.path(), bench.folder.path().join("mine")).unwrap();
    std::fs::write(bench.path(), "2026-01-01T00:00:00.000Z out theirs").unwrap();
    bench.write("two", 2);
    assert_eq!(texts_in(&bench.path()), ["theirs", "two"]);
    assert_eq!(next(&mut follower).await, ["one"]);
    assert_eq!(next(&mut follower).await, ["theirs", "two"]);
}

#[tokio::test]
async fn an_emptied_log_is_followed_from_its_beginning() {
    let mut bench = Bench::new();
    bench.write("one", 1);
    let mut follower = bench.follower().await;
    assert_eq!(next(&mut follower).await, ["one"]);
    File::options().write(true).truncate(true).open(bench.path()).unwrap();
    bench.write("two", 2);
    assert_eq!(texts_in(&bench.path()), ["two"]);
    assert_eq!(next(&mut follower).await, ["two"]);
}

#[tokio::test]
async fn a_line_that_a_killed_daemon_has_torn_gets_its_end() {
    let mut bench = Bench::new();
    std::fs::write(bench.path(), "2026-01-01T00:00:00.000Z out to").unwrap();
    bench.write("two", 1);
    assert_eq!(texts_in(&bench.path()), ["to", "two"]);
}

#[tokio::test]
async fn one_path_has_one_writer() {
    let world = World::new(1_000_000, 1);
    let again = world.plane.sink(world.path());
    let (read, write) = pipe2(OFlag::O_CLOEXEC).unwrap();
    let mut pump = again.attach(read, Stream::Out);
    let mut follower = world.follower(Start::Now).await;
    File::from(write).write_all(b"one\n").unwrap();
    assert_eq!(next(&mut follower).await, ["one"]);
    soon(pump.drained()).await;
}
