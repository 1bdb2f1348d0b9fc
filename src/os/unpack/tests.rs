use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use tar::Header;

use super::*;

const LIMITS: Limits = Limits { bytes: 1 << 20, entries: 100 };

/// An entry as no honest program would write it.
fn entry(kind: EntryType, name: &str, mode: u32, text: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(text.len() as u64);
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_link_name("/etc/passwd").unwrap();
    }
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(text);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn zipped(plain: &[u8]) -> Vec<u8> {
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    zipped.write_all(plain).unwrap();
    zipped.finish().unwrap()
}

/// What becomes of an archive, in a folder that has nothing else beside it.
fn unpacked(zipped: &[u8], limits: Limits) -> (tempfile::TempDir, Result<(), UnpackError>) {
    let top = tempfile::tempdir().unwrap();
    fs::write(top.path().join("a.tgz"), zipped).unwrap();
    fs::create_dir(top.path().join("into")).unwrap();
    let archive = File::open(top.path().join("a.tgz")).unwrap();
    let keep = |name: &Path| Some(name.to_owned());
    let done = unpack(archive, &top.path().join("into"), keep, limits, &AtomicBool::new(false));
    (top, done)
}

fn refused(entries: &[Vec<u8>], why: &str) {
    let (top, done) = unpacked(&zipped(&[entries.concat(), vec![0; 1024]].concat()), LIMITS);
    let error = done.unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
    let names = fs::read_dir(top.path()).unwrap().map(|it| it.unwrap().file_name());
    assert_eq!(names.count(), 2, "nothing is written beside it");
}

#[test]
fn files_and_folders_are_for_all_to_read_and_nothing_more() {
    let entries = [
        entry(EntryType::Directory, "p/", 0o700, b""),
        entry(EntryType::Regular, "p/bin/run", 0o6711, b"#!/bin/sh\n"),
        entry(EntryType::Regular, "./p/text", 0o600, b"text"),
    ];
    let (top, done) = unpacked(&zipped(&[entries.concat(), vec![0; 1024]].concat()), LIMITS);
    done.unwrap();
    let mode = |name: &str| {
        fs::metadata(top.path().join("into").join(name)).unwrap().permissions().mode() & 0o7777
    };
    assert_eq!(["p", "p/bin", "p/bin/run", "p/text"].map(mode), [0o755, 0o755, 0o755, 0o644]);
    assert_eq!(fs::read(top.path().join("into/p/text")).unwrap(), b"text");
}

#[test]
fn what_leads_out_or_is_no_file_is_refused() {
    let out = "leads out";
    refused(&[entry(EntryType::Regular, "/tmp/locald-evil", 0o644, b"x")], out);
    refused(&[entry(EntryType::Regular, "p/../../evil", 0o644, b"x")], out);
    refused(&[entry(EntryType::Directory, "..", 0o755, b"")], out);
    refused(&[entry(EntryType::Symlink, "p/link", 0o777, b"")], "a link");
    refused(&[entry(EntryType::Link, "p/link", 0o644, b"")], "a link");
    for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo] {
        refused(&[entry(kind, "p/device", 0o666, b"")], "no file");
    }
    refused(&[entry(EntryType::Regular, "", 0o644, b"x")], "without a name");
    let twice = entry(EntryType::Regular, "p/a", 0o644, b"x");
    refused(&[twice.clone(), twice], "cannot write");
    let file = entry(EntryType::Regular, "p", 0o644, b"x");
    refused(&[file, entry(EntryType::Regular, "p/a", 0o644, b"x")], "cannot write");
}

#[test]
fn what_is_too_large_or_not_whole_is_refused() {
    let zeros = entry(EntryType::Regular, "p/zeros", 0o644, &vec![0; 2 << 20]);
    refused(&[zeros], "more than 1 MB");
    let many: Vec<_> =
        (0..101).map(|n| entry(EntryType::Regular, &format!("{n}"), 0o644, b"")).collect();
    refused(&many, "or 100 files");
    let long_name = entry(EntryType::GNULongName, "x", 0o644, &vec![b'x'; 2 << 20]);
    refused(&[long_name], "cannot read");
    let whole = entry(EntryType::Regular, "p/a", 0o644, &[b'x'; 5000]);
    refused(&[whole[..3000].to_vec()], "cannot read");
    let zipped = zipped(&whole);
    let (_top, done) = unpacked(&zipped[..zipped.len() - 20], LIMITS);
    assert!(matches!(done, Err(UnpackError::Unreadable(_))), "{done:?}");
    let (_top, done) = unpacked(b"no archive", LIMITS);
    assert!(matches!(done, Err(UnpackError::Unreadable(_))), "{done:?}");
}

#[test]
fn nothing_is_done_for_nobody() {
    let top = tempfile::tempdir().unwrap();
    let path = top.path().join("a.tgz");
    fs::write(&path, zipped(&entry(EntryType::Regular, "a", 0o644, b"x"))).unwrap();
    let done = unpack(
        File::open(path).unwrap(),
        top.path(),
        |name| Some(name.to_owned()),
        LIMITS,
        &AtomicBool::new(true),
    );
    assert!(matches!(done, Err(UnpackError::Interrupted)));
    assert!(!top.path().join("a").exists());
}
