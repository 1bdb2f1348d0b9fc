use std::{fs, io::Write as _};

use super::*;

fn open(dir: &tempfile::TempDir, last: u64) -> EventLog {
    EventLog::open(&dir.path().join("events.jsonl"), last)
}

fn numbers(log: &EventLog) -> Vec<u64> {
    log.since(0).iter().map(|event| event.seq).collect()
}

#[test]
fn numbers_have_no_gaps_and_old_events_make_room() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir, 41);
    for _ in 0..KEPT + 5 {
        log.record(None, None, "test", None);
    }
    let all = log.since(0);
    assert_eq!(all.len(), KEPT);
    assert!(all.windows(2).all(|pair| pair[1].seq == pair[0].seq + 1));
    assert_eq!(log.last(), 41 + u64::try_from(KEPT).unwrap() + 5);
    assert_eq!(log.since(log.last() - 1).len(), 1);
    assert!(log.since(u64::MAX).is_empty());
}

#[test]
fn the_next_one_goes_on_where_this_one_was() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir, 0);
    log.record(Some("shop"), Some("web"), "exited", Some("with code 1\nand \"more\"".to_owned()));
    log.record(None, None, "last", None);
    let before = log.since(0);
    // Nothing is told to it that it was killed: it is just not there any more.
    std::mem::forget(log);
    let log = open(&dir, 1);
    assert_eq!((log.since(0), log.last(), log.last_word().as_deref()), (before, 2, Some("last")));
    log.record(None, None, "next", None);
    assert_eq!(numbers(&open(&dir, 0)), [1, 2, 3]);
}

#[test]
fn what_was_being_written_at_the_end_was_never_told() {
    let dir = tempfile::tempdir().unwrap();
    open(&dir, 0).record(None, None, "whole", None);
    let file = fs::OpenOptions::new().append(true).open(dir.path().join("events.jsonl"));
    file.unwrap().write_all(b"{\"seq\":2,\"at\":\"20").unwrap();
    let log = open(&dir, 0);
    assert_eq!(numbers(&log), [1]);
    log.record(None, None, "second", None);
    assert_eq!(numbers(&open(&dir, 0)), [1, 2]);
}

#[test]
fn what_cannot_be_read_is_left_out_with_all_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let line = |seq: u64| {
        format!(
            "{{\"seq\":{seq},\"at\":\"\",\"project\":null,\"service\":null,\"event\":\"x\",\"detail\":null}}\n"
        )
    };
    let text = [line(1), "garbage\n".to_owned(), line(3), line(4)].concat();
    fs::write(dir.path().join("events.jsonl"), text).unwrap();
    assert_eq!(numbers(&open(&dir, 0)), [3, 4]);
    // The state knows of later ones: those here are of an older daemon.
    let log = open(&dir, 9);
    assert_eq!((numbers(&log), log.last()), (vec![], 9));
}

#[test]
fn without_a_place_events_are_told_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let log = EventLog::open(&dir.path().join("nowhere/events.jsonl"), 7);
    log.record(None, None, "test", None);
    assert_eq!(numbers(&log), [8]);
}
