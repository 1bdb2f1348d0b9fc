//! Rotation loses no line and tears none, and followers go along.

use std::sync::Arc;

use proptest::prelude::*;
use tokio::sync::watch;

use super::super::ledger::Ledger;
use super::super::store::Store;
use super::*;
use crate::core::log::{Head, Stamp};

/// Bytes of a record with this text.
fn record(text: &str) -> Vec<u8> {
    let mut record = Vec::new();
    Head::new(Stamp::MIN, Stream::Out, false).write(text.as_bytes(), &mut record);
    record
}

proptest! {
    #[test]
    fn the_kept_files_are_the_end_of_all_lines(
        blocks in prop::collection::vec(prop::collection::vec(0..120_usize, 1..12), 1..20),
        max_size in 1..1000_u64,
        keep in 0..4_u32,
        restart_at in 0..20_usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.log");
        let open = || {
            let limits = Limits { max_size, keep };
            let (ledger, publish) = Ledger::new(path.clone(), limits);
            Store::new(Arc::new(ledger), limits, publish, watch::channel(None).0)
        };
        let mut store = open();
        let mut all = Vec::new();
        for (n, block) in blocks.iter().enumerate() {
            if n == restart_at {
                store = open();
            }
            let texts: Vec<String> =
                block.iter().map(|len| format!("{}{}", all.len(), "x".repeat(*len))).collect();
            let records: Vec<u8> = texts.iter().flat_map(|text| record(text)).collect();
            store.append(&records, Stamp::MIN);
            all.extend(texts);
        }
        let kept = texts_in(&path);
        prop_assert!(!kept.is_empty() && all.ends_with(&kept));
        prop_assert!(!suffixed(&path, keep as usize + 1).exists());
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
        for file in &files {
            let text = std::fs::read_to_string(file).unwrap();
            prop_assert!(text.len() as u64 <= max_size || text.lines().count() == 1);
        }
        if kept.len() < all.len() {
            prop_assert_eq!(files.len(), keep as usize + 1, "a line was lost too early");
        }
    }
}

#[tokio::test]
async fn followers_lose_nothing_over_many_rotations() {
    let world = World::new(20_000, 1000);
    let mut first = world.follower(Start::Now).await;
    let (mut output, mut pump) = world.pipe(Stream::Out);
    let writer = std::thread::spawn(move || output.write_all(&numbered(50_000)).unwrap());
    let mut late = world.follower(Start::All).await;
    for follower in [&mut first, &mut late] {
        let mut seen = 0;
        while seen < 50_000 {
            for text in next(follower).await {
                assert_eq!(text, format!("line {seen}"));
                seen += 1;
            }
        }
    }
    soon(pump.drained()).await;
    writer.join().unwrap();
    assert!(suffixed(&world.path(), 50).exists(), "there were rotations");
}

#[tokio::test]
async fn a_follower_finishes_its_file_after_it_was_deleted() {
    let world = World::new(100, 0);
    world.print(b"one\n").await;
    let mut follower = world.follower(Start::All).await;
    // Two records fit into 100 bytes: "one" and "two" go together, and are gone.
    world.print(b"two\nthree\n").await;
    assert_eq!(world.texts(), ["three"]);
    assert_eq!(next(&mut follower).await, ["one", "two"]);
    assert_eq!(next(&mut follower).await, ["three"]);
}

#[tokio::test]
async fn a_slow_follower_is_told_what_it_missed() {
    let world = World::new(100, 1);
    world.print(b"one\n").await;
    let mut follower = world.follower(Start::Now).await;
    // Two a file, two files kept: 0 is with "one", 1 to 6 are gone.
    world.print(&numbered(11)).await;
    assert_eq!(next(&mut follower).await, ["line 0"]);
    assert_eq!(next(&mut follower).await, ["… 6 lines skipped"]);
    assert_eq!(next(&mut follower).await, ["line 7", "line 8"]);
    assert_eq!(next(&mut follower).await, ["line 9", "line 10"]);
}

#[tokio::test]
async fn a_follower_of_a_log_not_yet_begun_is_told_too() {
    let world = World::new(100, 1);
    let mut follower = world.follower(Start::Now).await;
    world.print(&numbered(7)).await;
    assert_eq!(next(&mut follower).await, ["… 4 lines skipped"]);
    assert_eq!(next(&mut follower).await, ["line 4", "line 5"]);
    assert_eq!(next(&mut follower).await, ["line 6"]);
}

#[tokio::test]
async fn what_a_follower_sees_and_what_it_skips_is_all_there_was() {
    let world = World::new(5000, 1);
    let mut follower = world.follower(Start::Now).await;
    let (mut output, pump) = world.pipe(Stream::Out);
    let writer = std::thread::spawn(move || output.write_all(&numbered(200_000)).unwrap());
    let mut seen = 0;
    while seen < 200_000 {
        for text in next(&mut follower).await {
            if let Some(skipped) = text.strip_prefix("… ") {
                seen += skipped.split(' ').next().unwrap().parse::<usize>().unwrap();
            } else {
                assert_eq!(text, format!("line {seen}"));
                seen += 1;
            }
        }
    }
    soon(pump.stop_within(Duration::ZERO)).await;
    writer.join().unwrap();
}

#[tokio::test]
async fn what_an_earlier_daemon_left_is_rotated_and_read_on() {
    let world = World::new(100, 2);
    world.print(&numbered(5)).await;
    let World { folder, plane, sink } = world;
    drop((plane, sink));
    let plane = LogPlane::start(Limits { max_size: 100, keep: 2 }).unwrap();
    let sink = plane.sink(folder.path().join("logs/shop/web.log"));
    let world = World { folder, plane, sink };
    let mut follower = world.follower(Start::All).await;
    assert_eq!(history(&mut follower).await, ["line 0", "line 1", "line 2", "line 3", "line 4"]);
    world.print(b"next\nlast\n").await;
    assert_eq!(next(&mut follower).await, ["next"]);
    assert_eq!(next(&mut follower).await, ["last"]);
    assert_eq!(world.texts(), ["line 2", "line 3", "line 4", "next", "last"]);
}
