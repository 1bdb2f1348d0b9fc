//! The pure part: what any request, certificate and hosts file leads to.

#![expect(clippy::unwrap_used, reason = "tests are told by panics")]

#[path = "support/certs.rs"]
mod certs;

use std::collections::BTreeSet;

use certs::{bad, good, params, sign};
use locald_shim::{cert, der, hosts::rewrite, request};
use proptest::prelude::*;
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use time::{Duration, OffsetDateTime};

fn tlds() -> Vec<String> {
    vec!["localhost".to_owned(), "test".to_owned()]
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

#[test]
fn roots_as_locald_makes_them_are_accepted() {
    let larger = sign(&params(&["localhost"]), &PKCS_ECDSA_P384_SHA384);
    for der in [good(), larger, sign(&params(&["localhost", "test"]), &PKCS_ECDSA_P256_SHA256)] {
        assert_eq!(cert::check(&der, &tlds(), now()), Ok(()));
    }
    let inner = sign(&params(&["shop.test"]), &PKCS_ECDSA_P256_SHA256);
    assert_eq!(cert::check(&inner, &tlds(), now()), Ok(()));
    let other = sign(&params(&["localhost", "test"]), &PKCS_ECDSA_P256_SHA256);
    assert!(cert::check(&other, &["localhost".to_owned()], now()).is_err());
}

#[test]
fn each_other_root_is_refused() {
    for (what, der) in bad() {
        assert!(cert::check(&der, &tlds(), now()).is_err(), "{what}");
    }
}

#[test]
fn no_bit_of_a_root_can_be_changed() {
    let der = good();
    for at in 0..der.len() * 8 {
        let mut changed = der.clone();
        changed[at / 8] ^= 1 << (at % 8);
        assert!(cert::check(&changed, &tlds(), now()).is_err(), "bit {at}");
    }
    for end in 0..der.len() {
        assert!(cert::check(&der[..end], &tlds(), now()).is_err(), "{end} bytes");
    }
}

#[test]
fn a_root_is_good_for_its_time() {
    let der = good();
    assert!(cert::check(&der, &tlds(), now() + Duration::days(3651).whole_seconds()).is_err());
    assert_eq!(cert::check(&der, &tlds(), now() - 86_400), Ok(()));
}

#[test]
fn pem_is_what_others_make_of_it() {
    let der = good();
    let pem = cert::pem(&der);
    assert!(pem.lines().all(|line| line.len() <= 64));
    for length in 0..10 {
        let bytes = &der[..length];
        let text: String = cert::pem(bytes).lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(text.len(), length.div_ceil(3) * 4);
        assert_eq!(text.matches('=').count(), (3 - length % 3) % 3, "{text}");
    }
}

fn name() -> impl Strategy<Value = String> {
    "[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\\.[a-z0-9]{1,5}){0,2}\\.(localhost|test)"
}

fn names() -> impl Strategy<Value = BTreeSet<String>> {
    prop::collection::btree_set(name(), 0..8)
}

/// Lines of all kinds, also such that look like marks, and the last without an end.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        8 => "[ -~]{0,30}",
        1 => "127\\.0\\.0\\.1 [a-z]{1,9}\r",
        1 => "# locald [0-9]{1,2} (begin|end|begin \\(joined\\)|x)",
        1 => Just("# locald ".to_owned()),
    ];
    (prop::collection::vec(line, 0..12), any::<bool>(), prop::collection::vec(any::<u8>(), 0..4))
        .prop_map(|(lines, ends, more)| {
            let mut text = lines.join("\n").into_bytes();
            text.extend(more.into_iter().filter(|byte| *byte != 0));
            if ends {
                text.push(b'\n');
            }
            text
        })
}

proptest! {
    #[test]
    fn rewriting_is_idempotent_and_reversible(file in file(), uid in 100u32.., one in names(), two in names()) {
        let Ok(first) = rewrite(&file, uid, &one) else { return Ok(()) };
        prop_assert_eq!(&rewrite(&first, uid, &one).unwrap(), &first);
        let second = rewrite(&first, uid, &two).unwrap();
        prop_assert_eq!(&rewrite(&second, uid, &BTreeSet::new()).unwrap(), &file);
        if !two.is_empty() && !one.is_empty() {
            prop_assert_eq!(rewrite(&file, uid, &two).unwrap(), second);
        }
    }

    #[test]
    fn what_is_not_ours_stays(file in file(), more in "[ -~]{1,20}\n", one in names(), two in names(), three in names()) {
        let Ok(before) = rewrite(&file, 1000, &one) else { return Ok(()) };
        let before = rewrite(&before, 1001, &two).unwrap();
        prop_assume!(!more.starts_with("# locald "));
        let joined = matches!(before.last(), None | Some(b'\n'));
        prop_assume!(joined);
        let before = [before, more.into_bytes()].concat();
        let after = rewrite(&before, 1000, &three).unwrap();
        // All lines of others, in order.
        let others = |text: &[u8]| {
            let mut ours = false;
            let text = String::from_utf8_lossy(text).into_owned();
            text.split('\n').filter(|line| {
                ours |= line.starts_with("# locald 1000 begin");
                let keep = !ours;
                ours &= *line != "# locald 1000 end";
                keep
            }).map(str::to_owned).collect::<Vec<_>>()
        };
        prop_assert_eq!(others(&before), others(&after));
        let added = String::from_utf8_lossy(&after).matches("127.0.0.1 ").count();
        prop_assert!(added >= three.len());
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), uid: u32) {
        let _file = rewrite(&bytes, uid, &BTreeSet::from(["a.localhost".to_owned()]));
        let _root = cert::check(&bytes, &tlds(), 0);
        let _ports = request::ports(&bytes);
        let _users = request::allowed(&bytes);
        let _tlds = request::tlds(&bytes);
        if let Ok(names) = request::names(&bytes, &tlds()) {
            for name in names {
                prop_assert!(name.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b".-".contains(&it)));
                prop_assert!([".localhost", ".test"].iter().any(|end| name.ends_with(end)));
            }
        }
        let mut reader = der::Reader::new(&bytes);
        while let Ok(value) = reader.value() {
            prop_assert!(value.whole.len() >= value.content.len() + 2);
        }
    }

    #[test]
    fn names_are_taken_as_they_are(names in names()) {
        let body = names.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
        prop_assert_eq!(request::names(body.as_bytes(), &tlds()), Ok(names));
    }

    #[test]
    fn times_are_those_of_others(seconds in -631_152_000i64..4_102_444_800) {
        let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
        let digits = format!(
            "{:02}{:02}{:02}{:02}{:02}Z",
            u8::from(time.month()), time.day(), time.hour(), time.minute(), time.second()
        );
        let general = format!("{:04}{digits}", time.year());
        let read = |tag, text: &str| {
            let bytes = [&[tag, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
            der::time(der::Reader::new(&bytes).value().unwrap())
        };
        prop_assert_eq!(read(0x18, &general), Ok(seconds));
        if (1950..2050).contains(&time.year()) {
            prop_assert_eq!(read(0x17, &general[2..]), Ok(seconds));
        }
    }

    #[test]
    fn only_decimal_numbers_are_users(uids in prop::collection::btree_set(1..u32::MAX, 0..5)) {
        let list: Vec<String> = uids.iter().map(u32::to_string).collect();
        prop_assert_eq!(request::allowed(list.join("\n").as_bytes()), Ok(uids));
    }
}

#[test]
fn broken_blocks_are_refused() {
    let names = BTreeSet::from(["a.localhost".to_owned()]);
    for broken in [
        "# locald 1 begin\n",
        "# locald 1 end\n",
        "# locald 1 begin\n# locald 2 begin\n# locald 2 end\n# locald 1 end\n",
        "# locald 1 begin\n# locald 2 end\n",
        "# locald 1 begin\n# locald 1 end\n# locald 1 begin\n# locald 1 end\n",
    ] {
        for uid in [1, 2, 3] {
            assert!(rewrite(broken.as_bytes(), uid, &names).is_err(), "{broken}");
        }
    }
    let plain = b"# locald is nice\n".as_slice();
    assert!(rewrite(plain, 1, &names).unwrap().starts_with(plain));
}
