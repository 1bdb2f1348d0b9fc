//! Reading back: the last lines, from a time on, only some, several logs as one.

use regex::bytes::Regex;

use super::*;
use crate::core::log::Stamp;

/// One line a second, `line 0` at 12:00:00, in files of about this size; the newest last.
fn write_history(world: &World, lines: usize, files: usize) {
    std::fs::create_dir_all(world.path().parent().unwrap()).unwrap();
    let per_file = lines.div_ceil(files);
    for file in 0..files {
        let from = (files - 1 - file) * per_file;
        let text = records(from..lines.min(from + per_file));
        let path = if file == 0 { world.path() } else { suffixed(&world.path(), file) };
        std::fs::write(path, text).unwrap();
    }
}

fn records(seconds: impl Iterator<Item = usize>) -> String {
    let records = seconds.map(|n| format!("{} out line {n}", stamp(n)));
    records.chain([String::new()]).collect::<Vec<_>>().join("\n")
}

fn stamp(second: usize) -> String {
    format!("2026-01-01T{:02}:{:02}:{:02}.000Z", 12 + second / 3600, second / 60 % 60, second % 60)
}

/// A world whose files were there before its sink.
fn with_history(lines: usize, files: usize) -> World {
    let mut world = World::new(100_000_000, 5);
    write_history(&world, lines, files);
    world.plane = LogPlane::start(Limits { max_size: 100_000_000, keep: 5 }).unwrap();
    world.sink = world.plane.sink(world.path());
    world
}

async fn read(world: &World, start: Start, filter: Filter) -> Vec<String> {
    history(&mut world.sink.follower(start, filter).await.unwrap()).await
}

fn lines(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("line {n}")).collect()
}

#[tokio::test]
async fn the_last_lines_reach_back_over_rotated_files() {
    let world = with_history(10_000, 3);
    for n in [0, 1, 2, 5000, 9999, 10_000, 20_000] {
        let expected = lines(10_000_usize.saturating_sub(n)..10_000);
        assert!(read(&world, Start::Last(n), Filter::default()).await == expected, "{n}");
        assert!(world.sink.last_lines(n, None) == expected, "{n}");
    }
    assert!(read(&world, Start::All, Filter::default()).await == lines(0..10_000));
    assert!(read(&world, Start::Now, Filter::default()).await.is_empty());
}

#[tokio::test]
async fn a_time_is_found_in_any_of_the_files() {
    let world = with_history(10_000, 3);
    for n in [0, 1, 3333, 3334, 3335, 5000, 6667, 6668, 9999, 10_000] {
        let filter = Filter { since: Stamp::parse(stamp(n).as_bytes()), grep: None };
        assert!(read(&world, Start::All, filter.clone()).await == lines(n..10_000), "{n}");
        assert!(read(&world, Start::Last(7), filter).await == lines(n.max(9993)..10_000), "{n}");
    }
}

#[tokio::test]
async fn only_lines_that_match_count() {
    let world = with_history(10_000, 3);
    let filter = Filter { grep: Some(Regex::new("00$").unwrap()), since: None };
    let expected = ["line 9700", "line 9800", "line 9900"];
    assert_eq!(read(&world, Start::Last(3), filter.clone()).await, expected);
    assert_eq!(read(&world, Start::All, filter).await.len(), 99);
}

#[tokio::test]
async fn the_last_lines_end_with_the_prompt() {
    let world = World::new(1_000_000, 3);
    assert!(world.sink.last_lines(5, None).is_empty());
    let mut follower = world.follower(Start::Now).await;
    let (master, mut slave) = pty();
    let _pump = world.sink.attach(master, Stream::Out);
    slave.write_all(b"one\ntwo\nPassword: ").unwrap();
    next(&mut follower).await;
    while world.sink.last_lines(1, None) != ["Password: "] {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.sink.last_lines(2, None), ["two", "Password: "]);
    assert!(world.sink.last_lines(0, None).is_empty());
}

#[tokio::test]
async fn a_foreign_line_takes_the_time_of_the_line_before() {
    let mut world = World::new(1_000_000, 3);
    std::fs::create_dir_all(world.path().parent().unwrap()).unwrap();
    std::fs::write(world.path(), format!("{} out a\nby hand\n{} err b\n", stamp(1), stamp(2)))
        .unwrap();
    world.plane = LogPlane::start(Limits::default()).unwrap();
    world.sink = world.plane.sink(world.path());
    let mut follower = world.follower(Start::All).await;
    let batch = follower.next_batch(false).await.unwrap().unwrap();
    let seen: Vec<_> =
        batch.iter().map(|line| (line.at.as_str().to_owned(), line.stream, line.text())).collect();
    assert_eq!(seen[1], (stamp(1), Stream::Out, "by hand".into()));
    assert_eq!(seen[2], (stamp(2), Stream::Err, "b".into()));
}

#[tokio::test]
async fn a_follower_waits_for_the_first_line_and_ends_with_the_log() {
    let world = World::new(1_000_000, 3);
    let mut follower = world.follower(Start::All).await;
    assert_eq!(soon(follower.next_batch(false)).await.unwrap(), None);
    let waiting = tokio::time::timeout(Duration::from_millis(20), follower.next_batch(true)).await;
    assert!(waiting.is_err(), "there is nothing yet");
    world.print(b"one\n").await;
    assert_eq!(next(&mut follower).await, ["one"]);
    world.print(b"two\n").await;
    drop(world.sink);
    assert_eq!(next(&mut follower).await, ["two"]);
    assert_eq!(soon(follower.next_batch(true)).await.unwrap(), None);
}

#[tokio::test]
async fn several_logs_are_told_in_the_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let plane = LogPlane::start(Limits::default()).unwrap();
    let (mut followers, mut sinks) = (Vec::new(), Vec::new());
    for service in 0..3 {
        let path = folder.path().join(format!("{service}.log"));
        let text = records((service..3000).step_by(3));
        std::fs::write(&path, text).unwrap();
        let sink = plane.sink(path);
        followers.push((service, sink.follower(Start::All, Filter::default()).await.unwrap()));
        sinks.push(sink);
    }
    let mut merge = Merge::new(followers);
    let mut seen = Vec::new();
    while let Some(batch) = soon(merge.next_batch(false)).await.unwrap() {
        seen.extend(batch);
    }
    let texts: Vec<String> = seen.iter().map(|(_, line)| line.text().into_owned()).collect();
    assert!(texts == lines(0..3000));
    assert!(seen.iter().enumerate().all(|(n, (service, _))| n % 3 == *service));

    // One log ends, the others go on.
    sinks.pop();
    for service in [1, 0, 1] {
        sinks[service].note("again");
        let batch = soon(merge.next_batch(true)).await.unwrap().unwrap();
        assert_eq!(batch.len(), 1);
        assert_eq!((batch[0].0, batch[0].1.text()), (service, "locald: again".into()));
    }
    drop(sinks);
    assert!(soon(merge.next_batch(true)).await.unwrap().is_none());
}
