//! The pure part: what any request, certificate and hosts file leads to.

#![expect(clippy::unwrap_used, reason = "tests are told by panics")]

#[path = "support/certs.rs"]
mod certs;
#[path = "../../fuzz/truths.rs"]
mod truths;

use std::{collections::BTreeSet, fs, path::PathBuf};

use certs::{bad, good, params, sign};
use locald_shim::{cert, hosts::rewrite, request};
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, ExtendedKeyUsagePurpose, IsCa, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
};
use time::{Duration, OffsetDateTime};

fn tlds() -> Vec<String> {
    vec!["localhost".to_owned(), "test".to_owned()]
}

fn now() -> u64 {
    OffsetDateTime::now_utc().unix_timestamp().try_into().unwrap()
}

/// Days in seconds.
const DAY: u64 = 86_400;

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
    for (what, why, der) in bad() {
        assert_eq!(cert::check(&der, &tlds(), now()), Err(why), "{what}");
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
    assert!(cert::check(&der, &tlds(), now() + 3651 * DAY).is_err());
    assert_eq!(cert::check(&der, &tlds(), now() + 3649 * DAY), Ok(()));
    assert!(cert::check(&der, &tlds(), now() - DAY).is_err());
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

/// Domains, a few of which are others'.
const DOMAINS: [&str; 8] =
    ["localhost", "test", "shop.test", "localhost", "test", "com", "test.evil.com", "eviltest"];
const USES: [ExtendedKeyUsagePurpose; 4] = [
    ExtendedKeyUsagePurpose::ServerAuth,
    ExtendedKeyUsagePurpose::ClientAuth,
    ExtendedKeyUsagePurpose::CodeSigning,
    ExtendedKeyUsagePurpose::Any,
];

/// A seed of the fuzzer's, changed in a few places: a byte exchanged, one taken out, a part put in.
fn changed(target: &str) -> impl Strategy<Value = Vec<u8>> {
    let seeds = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let seeds: Vec<_> =
        fs::read_dir(seeds).unwrap().map(|it| fs::read(it.unwrap().path()).unwrap()).collect();
    let change = (0..4u8, any::<prop::sample::Index>(), any::<u8>(), any::<prop::sample::Index>());
    let changes = prop::collection::vec(change, 0..6);
    (prop::sample::select(seeds), changes).prop_map(|(mut bytes, changes)| {
        for (kind, at, byte, to) in changes {
            let (at, to) = (at.index(bytes.len().max(1)), to.index(bytes.len().max(1)));
            match kind {
                0 | 1 if at < bytes.len() => {
                    bytes[at] = if kind == 0 { byte } else { bytes[at] ^ 1 << (byte % 8) }
                }
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 => {
                    let part = bytes[at.min(to)..at.max(to)].to_vec();
                    bytes.splice(at..at, part);
                }
                _ => bytes.push(byte),
            }
        }
        bytes
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
    fn of_any_bytes_only_what_is_harmless_is_accepted(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        truths::requests(&bytes);
        truths::certificates(&bytes);
        truths::hosts(&bytes);
    }

    #[test]
    fn of_changed_requests_only_what_is_harmless_is_accepted(bytes in changed("requests")) {
        truths::requests(&bytes);
    }

    #[test]
    fn of_changed_roots_only_what_is_harmless_is_accepted(bytes in changed("certificates")) {
        truths::certificates(&bytes);
    }

    #[test]
    fn of_changed_hosts_files_nothing_of_others_is_lost(bytes in changed("hosts")) {
        truths::hosts(&bytes);
    }

    #[test]
    fn a_root_is_accepted_if_all_of_it_is_harmless(
        domains in prop::collection::vec(prop::sample::select(DOMAINS.to_vec()), 0..4),
        uses in prop_oneof![3 => Just(vec![0]), 1 => prop::collection::vec(0..4usize, 0..3)],
        path in prop_oneof![3 => Just(0), 1 => 0..3u8],
        days in 3600..3700i64,
        age in 0..9i64,
    ) {
        let mut root = params(&domains);
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(path));
        root.extended_key_usages = uses.iter().map(|&it| USES[it].clone()).collect();
        root.not_before = OffsetDateTime::now_utc() - Duration::days(age) + Duration::hours(1);
        root.not_after = root.not_before + Duration::days(days);
        let good = !domains.is_empty()
            && domains.iter().all(|domain| ["localhost", "test", "shop.test"].contains(domain))
            && uses == [0] && path == 0 && days <= 3653 && age > 0;
        let checked = cert::check(&sign(&root, &PKCS_ECDSA_P256_SHA256), &tlds(), now());
        prop_assert_eq!(checked.is_ok(), good, "{:?}", checked);
    }

    #[test]
    fn names_are_taken_as_they_are(names in names()) {
        let body = names.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
        prop_assert_eq!(request::names(body.as_bytes(), &tlds()), Ok(names));
    }

    #[test]
    fn only_decimal_numbers_are_users(uids in prop::collection::btree_set(1..u32::MAX, 0..5)) {
        let list: Vec<String> = uids.iter().map(u32::to_string).collect();
        prop_assert_eq!(request::allowed(list.join("\n").as_bytes()), Ok(uids));
    }
}

#[test]
fn a_broken_block_is_refused_to_whom_it_is_of() {
    let names = BTreeSet::from(["a.localhost".to_owned()]);
    for (broken, whom) in [
        ("# locald 1 begin\n", vec![1]),
        ("# locald 1 begin (joined)\r\n", vec![1]),
        ("# locald 1 end\n", vec![1]),
        ("# locald 1 end\n# locald 1 begin\n", vec![1]),
        ("# locald 1 begin\n# locald 2 begin\n# locald 2 end\n# locald 1 end\n", vec![1]),
        ("# locald 1 begin\n# locald 2 end\n", vec![1, 2]),
        ("# locald 1 begin\n# locald 2 begin\n# locald 1 end\n# locald 2 end\n", vec![1, 2]),
        ("# locald 1 begin\n# locald 1 end\n# locald 1 begin\n# locald 1 end\n", vec![1]),
    ] {
        for uid in [1, 2, 3] {
            let after = rewrite(broken.as_bytes(), uid, &names);
            assert_eq!(after.is_err(), whom.contains(&uid), "{uid}: {broken}");
            // Nothing of another's is lost.
            let lines = after.unwrap_or_default();
            let lines = String::from_utf8(lines).unwrap();
            assert!(
                whom.contains(&uid) || broken.lines().all(|line| lines.contains(line)),
                "{broken}"
            );
        }
    }
    let plain = b"# locald is nice\n".as_slice();
    assert!(rewrite(plain, 1, &names).unwrap().starts_with(plain));
}
