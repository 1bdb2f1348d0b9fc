//! Children that were there before the engine was.

use std::time::Duration;

use super::{
    id,
    script::{Play, graph},
};
use crate::supervision::{
    budget::Moment,
    engine::{Adopted, Input, Phase},
};

fn child(name: &str, phase: Phase) -> Adopted {
    Adopted { id: id(name), phase, wanted: true, failures: Vec::new() }
}

const READY: Phase = Phase::Up { ready: true };

#[test]
fn each_is_taken_up_where_it_was() {
    for (phase, effects, letter) in [
        (READY, "+a", "R"),
        (Phase::Up { ready: false }, "+a", "U"),
        (Phase::Stopping { told: true }, "+a", "U"),
        // What waited goes on, and what is over stays so.
        (Phase::Pending, "+a", "U"),
        (Phase::Backoff, "+a", "U"),
        (Phase::Completed, "", "C"),
        (Phase::GaveUp, "", "F"),
    ] {
        let mut play = Play::permanent(graph("a"));
        assert_eq!(play.step(Input::Adopt(vec![child("a", phase)])), effects, "{phase:?}");
        assert_eq!(play.phases("a"), letter, "{phase:?}");
        assert!(play.engine.wanted(&id("a")));
    }
    let mut play = Play::permanent(graph("a"));
    let unwanted = Adopted { wanted: false, ..child("a", Phase::Stopped) };
    assert_eq!(play.step(Input::Adopt(vec![unwanted])), "");
    assert!(play.phases("a") == "I" && !play.engine.wanted(&id("a")));
}

#[test]
fn each_life_has_a_number_of_its_own_and_the_graph_holds_for_it() {
    let mut play = Play::permanent(graph("web db web>db"));
    let both = ["web", "db"].map(|name| child(name, READY));
    assert_eq!(play.step(Input::Adopt(both.into())), "+web +db");
    assert_ne!(play.life("web"), play.life("db"));
    assert_eq!(play.crash("db"), "~db:100 -web");
    assert_eq!(play.gone("web"), "");
    assert_eq!(play.wake("db"), "+db");
    assert_eq!(play.ready("db"), "+web");
}

#[test]
fn those_that_were_begun_with_stay_as_they_are() {
    let mut play = Play::permanent(graph("a b c")).up();
    play.stop("b");
    play.gone("b");
    let life = play.life("a");
    let all = ["a", "b", "unknown"].map(|name| child(name, Phase::GaveUp));
    assert_eq!(play.step(Input::Adopt(all.into())), "");
    assert_eq!((play.phases("a b c").as_str(), play.life("a")), ("RIR", life));
    // Started, but not born yet.
    let mut play = Play::permanent(graph("web db web>db"));
    assert_eq!(play.start("web db"), "+db");
    assert_eq!(play.step(Input::Adopt(vec![child("web", READY)])), "");
    assert_eq!(play.phases("web db"), "PU");
}

#[test]
fn failures_count_on() {
    let mut play = Play::permanent(graph("a"));
    let failures: Vec<Moment> = vec![Duration::ZERO; 3];
    play.step(Input::Adopt(vec![Adopted { failures, ..child("a", READY) }]));
    assert_eq!(play.crash("a"), "xa", "three were allowed");
}
