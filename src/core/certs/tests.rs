use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;

const DAY: Duration = Duration::from_hours(24);

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + 20_000 * DAY
}

fn leaf(realm: &Realm, sni: &str) -> Option<String> {
    realm.leaf_for(Some(sni)).map(|name| name.to_string())
}

#[test]
fn a_leaf_is_for_exactly_the_name_that_was_asked_for() {
    let realm = Realm::new(["localhost", "test"]);
    for (sni, expected) in [
        ("shop.localhost", Some("shop.localhost")),
        ("SHOP.LocalHost.", Some("shop.localhost")),
        ("a.b.c.shop.localhost", Some("a.b.c.shop.localhost")),
        ("my_shop.localhost", Some("my_shop.localhost")),
        ("xn--bcher-kva.test", Some("xn--bcher-kva.test")),
        ("localhost", Some("localhost")),
        ("test", Some("test")),
        ("127.0.0.1", Some("localhost")),
        ("127.9.9.9", Some("localhost")),
        ("::1", Some("localhost")),
        ("[::1]", Some("localhost")),
        ("evil.com", None),
        ("localhost.evil.com", None),
        ("evillocalhost", None),
        ("shop.localhost..", None),
        ("*.localhost", None),
        (".localhost", None),
        ("a..localhost", None),
        ("-a.localhost", None),
        ("a b.localhost", None),
        ("ä.localhost", None),
        ("10.0.0.1", None),
        ("", None),
        (".", None),
    ] {
        assert_eq!(leaf(&realm, sni).as_deref(), expected, "{sni}");
    }
    assert_eq!(realm.leaf_for(None).map(|it| it.to_string()).as_deref(), Some("localhost"));
    assert_eq!(leaf(&Realm::new(["localhost"]), "shop.test"), None);
}

#[test]
fn only_the_name_of_this_machine_has_its_addresses() {
    let realm = Realm::new(["test"]);
    assert!(realm.leaf_for(None).unwrap().has_addresses());
    assert!(!realm.leaf_for(Some("shop.localhost")).unwrap().has_addresses());
    assert!(!realm.leaf_for(Some("test")).unwrap().has_addresses());
}

#[test]
fn names_that_no_certificate_can_hold_are_refused() {
    let realm = Realm::new(["localhost"]);
    let label = |length| "a".repeat(length);
    assert!(leaf(&realm, &format!("{}.localhost", label(63))).is_some());
    assert_eq!(leaf(&realm, &format!("{}.localhost", label(64))), None);
    let long = vec![label(60); 4].join(".");
    assert_eq!(leaf(&realm, &format!("{long}.localhost")).unwrap().len(), 253);
    assert_eq!(leaf(&realm, &format!("a{long}.localhost")), None);
    let common = |name: &str| realm.leaf_for(Some(name)).unwrap().common_name().map(str::len);
    assert_eq!(common(&format!("{}.localhost", label(54))), Some(64));
    assert_eq!(common(&format!("{}.localhost", label(55))), None);
}

#[test]
fn localhost_is_always_ours_and_nothing_is_twice() {
    let realm = Realm::new(["test", ".Test", "localhost", ""]);
    assert_eq!(realm.domains().collect::<Vec<_>>(), ["localhost", "test"]);
}

#[test]
fn domains_that_mean_something_elsewhere_are_doubted() {
    let doubts = |tlds: &[&str]| Realm::new(tlds).doubts().map(|(it, _)| it.to_owned()).collect();
    let doubted: Vec<_> = doubts(&["test", "dev", "local"]);
    assert_eq!(doubted, ["dev", "local"]);
    let none: Vec<String> = doubts(&["test", "internal"]);
    assert!(none.is_empty());
}

#[test]
fn the_name_of_a_root_fits() {
    let subject = root_subject("ann", "box", [0x0a, 0xbc, 1, 2]);
    assert_eq!(subject, "locald dev CA ann@box 0abc0102");
    let long = root_subject(&"ü ".repeat(40), &"host".repeat(40), [255; 4]);
    assert_eq!(long.len(), 64);
    assert!(long.ends_with(" ffffffff") && long.is_ascii(), "{long}");
}

#[test]
fn a_root_is_good_for_five_years_from_yesterday() {
    let Validity { from, until } = root_validity(now());
    assert_eq!((from, until), (now() - DAY, now() + 1825 * DAY));
}

#[test]
fn a_leaf_is_replaced_when_a_third_is_left_or_the_clock_jumps() {
    let leaf = leaf_validity(now(), root_validity(now()));
    let hour = Duration::from_hours(1);
    assert_eq!((leaf.from, leaf.until), (now() - hour, now() + 7 * DAY));
    let third = (leaf.until - (7 * DAY + hour) / 3, Duration::from_secs(1));
    assert!(!leaf.is_due(now()) && leaf.contains(now()));
    assert!(!leaf.is_due(third.0 - third.1) && leaf.is_due(third.0) && leaf.contains(third.0));
    for gone in [leaf.from - third.1, leaf.until + third.1] {
        assert!(leaf.is_due(gone) && !leaf.contains(gone));
    }
}

#[test]
fn a_leaf_never_outlives_its_root() {
    let root = root_validity(now());
    let leaf = leaf_validity(root.until - DAY, root);
    assert_eq!(leaf.until, root.until);
    assert_eq!(leaf_validity(root.from, root).from, root.from);
}

#[test]
fn a_scan_of_ten_thousand_names_costs_few_certificates() {
    let mut bucket = Bucket::default();
    let admitted = |bucket: &mut Bucket, at: u64| bucket.take(Duration::from_millis(at));
    // One after the other, within ten seconds.
    let granted = (0..10_000).filter(|at| admitted(&mut bucket, *at)).count();
    assert!((200..=240).contains(&granted), "{granted}");
    // A minute later a page with many hosts is served again.
    assert!((0..100).all(|_| admitted(&mut bucket, 70_000)));
}

#[test]
fn those_used_longest_ago_have_to_go() {
    assert_eq!(evictions((0..64).map(|use_| (use_, use_)), 64), [] as [u64; 0]);
    let mut gone = evictions((0..65).rev().map(|use_| (use_, use_)), 64);
    gone.sort_unstable();
    assert_eq!(gone, [0, 1, 2, 3, 4]);
}

proptest! {
    #[test]
    fn no_more_than_there_is_room_for_stay(uses in prop::collection::vec(any::<u64>(), 0..200), capacity in 1_usize..100) {
        let gone = evictions(uses.iter().enumerate().map(|(name, used)| (name, *used)), capacity);
        prop_assert!(uses.len() - gone.len() <= capacity);
        prop_assert!(uses.len() <= capacity || uses.len() - gone.len() + capacity / 16 >= capacity);
        let stay = (0..uses.len()).filter(|name| !gone.contains(name)).map(|name| uses[name]);
        let oldest = stay.min().unwrap_or(u64::MAX);
        prop_assert!(gone.iter().all(|name| uses[*name] <= oldest));
    }

    #[test]
    fn whatever_is_asked_for_no_leaf_is_for_others(sni in "\\PC{0,40}") {
        let realm = Realm::new(["localhost"]);
        for sni in [sni.clone(), format!("{sni}.localhost"), format!("{sni}localhost")] {
            if let Some(name) = leaf(&realm, &sni) {
                prop_assert!(name == "localhost" || name.ends_with(".localhost"));
                prop_assert!(!name.contains('*') && name.is_ascii());
                prop_assert_eq!(leaf(&realm, &name), Some(name));
            }
        }
    }

    #[test]
    fn the_bucket_never_grants_more_than_its_rate(gaps in prop::collection::vec(0_u64..500, 1..400)) {
        let (mut bucket, mut at, mut granted) = (Bucket::default(), 0, 0);
        for gap in gaps {
            at += gap;
            granted += u64::from(bucket.take(Duration::from_millis(at)));
            prop_assert!(granted <= 128 + at / 100);
        }
    }
}
