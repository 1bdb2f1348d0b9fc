//! What is true of the shim whatever it is fed: for the fuzzer, and for `shim/tests/pure.rs`, which feeds it, too.

use std::collections::BTreeSet;

use locald_shim::{cert, hosts::rewrite, request};

/// The domains that root allows here.
const DOMAINS: [&str; 2] = ["localhost", "test"];
/// Within the time of the root that is among the seeds.
const NOW: u64 = 1_795_600_000;

fn domains() -> Vec<String> {
    DOMAINS.map(str::to_owned).to_vec()
}

/// Whether it is a name that may stand in a hosts file.
fn harmless(name: &str) -> bool {
    let plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b".-".contains(&it);
    name.bytes().all(plain)
        && name.len() <= 253
        && name.split('.').all(|label| (1..=63).contains(&label.len()))
        && DOMAINS.iter().any(|domain| name.ends_with(&format!(".{domain}")))
}

/// Requests and lists: what is accepted is harmless.
pub(crate) fn requests(bytes: &[u8]) {
    if let Ok(ports) = request::ports(bytes) {
        assert!(ports.iter().all(|port| [80, 443].contains(port)));
    }
    if let Ok(fingerprint) = request::fingerprint(bytes) {
        assert_eq!(fingerprint.len(), 64);
        assert!(fingerprint.bytes().all(|it| it.is_ascii_hexdigit()));
    }
    if let Ok(names) = request::names(bytes, &domains()) {
        assert!(names.len() <= request::MOST_NAMES && names.iter().all(|name| harmless(name)));
    }
    if let Ok(users) = request::allowed(bytes) {
        let lines: BTreeSet<u32> = bytes
            .split(|&byte| byte == b'\n')
            .filter_map(|line| str::from_utf8(line).ok()?.parse().ok())
            .collect();
        assert_eq!(users, lines);
        assert!(!users.contains(&0) && !users.contains(&u32::MAX));
    }
    if let Ok(domains) = request::tlds(bytes) {
        assert_eq!(domains[0], "localhost");
        assert!(domains.iter().all(|domain| harmless(&format!("{domain}.test"))));
    }
}

/// Certificates: nobody can make one that is accepted by changing another.
pub(crate) fn certificates(bytes: &[u8]) {
    if cert::check(bytes, &domains(), NOW) == Ok(()) {
        assert!(bytes.len() <= cert::LARGEST);
        for needed in [cert::NAME.as_bytes(), b"localhost", &[0x55, 0x1d, 30], &[0x55, 0x1d, 37]] {
            assert!(bytes.windows(needed.len()).any(|it| it == needed));
        }
    }
    let pem = cert::pem(bytes);
    assert_eq!(pem.matches("-----").count(), 4);
    assert!(pem.lines().all(|line| line.len() <= 64) && pem.is_ascii() && pem.ends_with('\n'));
    assert_eq!(request::fingerprint(cert::fingerprint(bytes).as_bytes()).map(str::len), Ok(64));
}

/// A hosts file, after a byte that chooses names: rewriting is idempotent, can be taken back, and leaves what is
/// others'.
pub(crate) fn hosts(bytes: &[u8]) {
    let Some((&choice, file)) = bytes.split_first() else { return };
    let uid = u32::from(choice & 1) + 1;
    let names = |bits: u8| -> BTreeSet<String> {
        (0..3).filter(|bit| bits >> bit & 1 == 1).map(|bit| format!("n{bit}.localhost")).collect()
    };
    let (one, two) = (names(choice >> 1), names(choice >> 4));
    let Ok(first) = rewrite(file, uid, &one) else { return };
    assert_eq!(rewrite(&first, uid, &one).as_ref(), Ok(&first), "it is not idempotent");
    let second = rewrite(&first, uid, &two).expect("its own work is whole");
    let none = rewrite(&second, uid, &BTreeSet::new()).expect("its own work is whole");
    if rewrite(file, uid, &BTreeSet::new()).as_deref() == Ok(file) {
        assert_eq!(none, file, "it cannot be taken back");
    }
    let lines = |text: &[u8]| -> Vec<Vec<u8>> {
        let (begin, end) = (format!("# locald {uid} begin"), format!("# locald {uid} end"));
        let mut ours = false;
        let keep = |line: &&[u8]| {
            let was = ours;
            let text = line.trim_ascii_end();
            ours = text != end.as_bytes()
                && (was
                    || text == begin.as_bytes()
                    || text == format!("{begin} (joined)").as_bytes());
            !was && !ours && !text.is_empty()
        };
        text.split(|&byte| byte == b'\n').filter(keep).map(<[u8]>::to_vec).collect()
    };
    assert_eq!(lines(file), lines(&second), "what is others' has changed");
}
