use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const RANGE: RangeInclusive<u16> = 40_000..=40_009;

fn project(name: &str) -> ProjectName {
    ProjectName::parse(name).unwrap()
}

fn service(name: &str) -> ServiceName {
    ServiceName::parse(name).unwrap()
}

fn lease(book: &mut LeaseBook, p: &str, s: &str, free: impl FnMut(u16) -> bool) -> Option<u16> {
    book.lease(&project(p), &service(s), RANGE, &HashSet::new(), free)
}

#[test]
fn a_port_is_sticky_until_it_is_taken_by_a_stranger() {
    let mut book = LeaseBook::default();
    let port = lease(&mut book, "p", "web", |_| true).unwrap();
    assert_eq!(lease(&mut book, "p", "web", |_| true), Some(port));
    let other = lease(&mut book, "p", "web", |p| p != port).unwrap();
    assert_ne!(other, port);
    assert_eq!(book.port_of("p", "web"), Some(other));
    assert_eq!(book.leases().count(), 1);
}

#[test]
fn the_first_choice_depends_on_names_only() {
    let first = lease(&mut LeaseBook::default(), "p", "web", |_| true);
    assert_eq!(lease(&mut LeaseBook::default(), "p", "web", |_| true), first);
    let wide = |s| preferred(0, "p", s, &(30_000..=60_000));
    assert_ne!(wide("web"), wide("api"));
}

#[test]
fn fixed_and_excluded_ports_are_never_assigned() {
    let mut book = LeaseBook::default();
    let port = lease(&mut book, "p", "web", |_| true).unwrap();
    book.set_fixed(&project("q"), [port]);
    assert_ne!(lease(&mut book, "p", "web", |_| true), Some(port), "fixed by another project");
    let exclude: HashSet<u16> = (40_000..=40_008).collect();
    let last = book.lease(&project("r"), &service("x"), RANGE, &exclude, |_| true);
    assert!(last.is_none_or(|port| port == 40_009));
    book.release_project(&project("q"));
    assert!(book.fixed.is_empty());
}

#[test]
fn an_exhausted_range_gives_nothing_and_loses_nothing() {
    let mut book = LeaseBook::default();
    let port = lease(&mut book, "p", "web", |_| true);
    assert_eq!(lease(&mut book, "p", "web", |_| false), None);
    assert_eq!(book.port_of("p", "web"), port);
    for n in 0..9 {
        assert!(lease(&mut book, "q", &format!("s{n}"), |_| true).is_some());
    }
    assert_eq!(lease(&mut book, "q", "one-more", |_| true), None);
    book.release_project(&project("p"));
    assert_eq!(lease(&mut book, "q", "one-more", |_| true), port);
}

#[test]
fn a_project_with_another_name_keeps_its_ports() {
    let mut book = LeaseBook::default();
    let (web, db) = ["web", "db"].map(|s| lease(&mut book, "old", s, |_| true)).into();
    let own = lease(&mut book, "new", "db", |_| true);
    book.set_fixed(&project("old"), [40_009]);
    book.rename_project(&project("old"), &project("new"));
    assert_eq!(book.port_of("new", "web"), web);
    assert_eq!(book.port_of("new", "db"), own, "what it had already it keeps");
    assert_eq!(book.fixed_by_another(&project("other"), 40_009), Some(&project("new")));
    assert_eq!(book.leases().count(), 2);
    assert!(book.remember(&project("other"), &service("x"), db.unwrap()), "that one is free again");
}

#[test]
fn the_whole_range_of_ports_is_a_range() {
    let mut book = LeaseBook::default();
    let all = book.lease(&project("p"), &service("web"), 0..=u16::MAX, &HashSet::new(), |_| true);
    assert!(all.is_some_and(|port| port != 0));
}

#[derive(Clone, Debug)]
enum Step {
    Lease(u8, u8, u16),
    Remember(u8, u8, u16),
    Release(u8, u8),
    Forget(u8),
    Fix(u8, u16),
}

fn step() -> impl Strategy<Value = Step> {
    let port = 40_000..40_010_u16;
    prop_oneof![
        (0..3_u8, 0..5_u8, port.clone()).prop_map(|(p, s, busy)| Step::Lease(p, s, busy)),
        (0..3_u8, 0..5_u8, port.clone()).prop_map(|(p, s, port)| Step::Remember(p, s, port)),
        (0..3_u8, 0..5_u8).prop_map(|(p, s)| Step::Release(p, s)),
        (0..3_u8).prop_map(Step::Forget),
        (0..3_u8, port).prop_map(|(p, port)| Step::Fix(p, port)),
    ]
}

proptest! {
    #[test]
    fn no_port_is_ever_leased_twice(steps in prop::collection::vec(step(), 0..60)) {
        let mut book = LeaseBook::default();
        for step in steps {
            let p = |n: u8| project(&format!("p{n}"));
            let s = |n: u8| service(&format!("s{n}"));
            match step {
                Step::Lease(a, b, busy) => {
                    let port = book.lease(&p(a), &s(b), RANGE, &HashSet::new(), |p| p != busy);
                    if let Some(port) = port {
                        prop_assert!(port != busy && RANGE.contains(&port));
                        prop_assert!(book.fixed.values().all(|fixed| !fixed.contains(&port)));
                        prop_assert_eq!(book.port_of(&p(a), &s(b)), Some(port));
                    }
                }
                Step::Remember(a, b, port) => {
                    book.remember(&p(a), &s(b), port);
                }
                Step::Release(a, b) => book.release(&p(a), &s(b)),
                Step::Forget(a) => book.release_project(&p(a)),
                Step::Fix(a, port) => book.set_fixed(&p(a), [port]),
            }
            let by_port: HashMap<u16, _> =
                book.leases().map(|(p, s, port)| (port, (p, s))).collect();
            prop_assert_eq!(by_port.len(), book.leases().count());
            prop_assert_eq!(&by_port.keys().copied().collect::<HashSet<_>>(), &book.taken);
        }
    }
}
