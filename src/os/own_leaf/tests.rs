use std::path::PathBuf;

use tempfile::TempDir;

use super::{OwnLeaf, Unusable};

/// A pair for this name, as two files.
fn write(dir: &TempDir, host: &str) -> [PathBuf; 2] {
    let made = rcgen::generate_simple_self_signed([host.to_owned()]).expect("a certificate");
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| dir.path().join(name));
    std::fs::write(&cert, made.cert.pem()).expect("room");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("room");
    [cert, key]
}

fn temporary() -> TempDir {
    tempfile::tempdir().expect("room")
}

#[test]
fn a_pair_is_taken_for_its_own_name_only() {
    let dir = temporary();
    let [cert, key] = write(&dir, "shop.localhost");
    let own = OwnLeaf::new(cert, key);
    own.check("shop.localhost").expect("it is for it");
    let error = own.check("other.localhost").expect_err("it is not");
    assert!(matches!(error, Unusable::OtherName { .. }), "{error}");
}

#[test]
fn a_key_of_another_certificate_is_found_out() {
    let (one, other) = (temporary(), temporary());
    let [cert, _] = write(&one, "shop.localhost");
    let [_, key] = write(&other, "shop.localhost");
    let error = OwnLeaf::new(cert, key).check("shop.localhost").expect_err("they do not fit");
    assert!(matches!(error, Unusable::Mismatch { .. }), "{error}");
}

#[test]
fn what_is_written_anew_is_read_anew() {
    let dir = temporary();
    let [cert, key] = write(&dir, "shop.localhost");
    let own = OwnLeaf::new(cert.clone(), key);
    let first = own.current().expect("there is one");
    assert_eq!(own.current().expect("still").cert, first.cert);
    write(&dir, "shop.localhost");
    let second = own.current().expect("there is another");
    assert_ne!(second.cert, first.cert);
    std::fs::write(&cert, "half a certif").expect("room");
    assert_eq!(own.current().expect("the last whole one").cert, second.cert);
    std::fs::remove_file(&cert).expect("it was there");
    assert_eq!(own.current().expect("the last whole one").cert, second.cert);
}

#[test]
fn there_is_nothing_where_there_are_no_files() {
    let dir = temporary();
    let own = OwnLeaf::new(dir.path().join("cert.pem"), dir.path().join("key.pem"));
    assert!(own.current().is_none());
    assert!(matches!(own.check("shop.localhost"), Err(Unusable::Unreadable { .. })));
}
