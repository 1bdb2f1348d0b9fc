//! Sizes beyond anyone's project. Time is measured by the benches; here it only must end soon.

use std::fmt::Write as _;

use super::{SHOP, parse};
use crate::core::plan::Plan;

#[test]
fn thousands_of_services_and_edges() {
    let mut text = SHOP.to_owned();
    for n in 0..3000_usize {
        let needs: Vec<_> = (n.saturating_sub(8)..n).map(|on| format!("\"s{on}\"")).collect();
        writeln!(text, "[services.s{n}]\ncommand = 'run'\ndepends_on = [{}]", needs.join(", "))
            .unwrap();
    }
    let plan = Plan::of(&parse(&text).expect("it is valid"));
    let edges: usize = plan.services.iter().map(|service| service.needs.len()).sum();
    assert_eq!((plan.services.len(), edges), (3000, 23_964));
    assert_eq!(plan.order().last().map(|service| &*service.name), Some("s2999"));
}

#[test]
fn one_cycle_through_everything() {
    let count = 5000;
    let mut text = SHOP.to_owned();
    for n in 0..count {
        let on = (n + 1) % count;
        writeln!(text, "[services.s{n}]\ncommand = 'run'\ndepends_on = ['s{on}']").unwrap();
    }
    let found = parse(&text).expect_err("it has a cycle");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message.matches(" → ").count(), count);
}

#[test]
fn errors_by_the_thousand() {
    let mut text = SHOP.to_owned();
    for n in 0..3000 {
        writeln!(text, "[services.s{n}]\ncomand = 'run'\ndepends_on = ['t{n}', 'u{n}', 'v{n}']")
            .unwrap();
    }
    assert_eq!(parse(&text).expect_err("it has errors").len(), 15_000);
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{a=".repeat(50_000)),
        format!("[{}a]", "a.".repeat(100_000)),
        format!("{}a = 1", "a.".repeat(100_000)),
    ] {
        assert!(parse(&text).is_err());
    }
}
