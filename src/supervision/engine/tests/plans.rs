//! New plans: whom they touch, and what was said while they were under way.

use std::collections::BTreeSet;

use super::{
    id,
    script::{Play, edge, graph, policy},
};
use crate::supervision::{
    budget::Limit,
    engine::{Input, Policy, Restart::Permanent, Restart::Temporary, Shape},
    graph::{
        Bond::{Always, Crash},
        Graph,
        Needs::Ready,
    },
};

#[test]
fn what_is_changed_restarts_what_is_gone_stops_the_rest_is_untouched() {
    let mut play = Play::permanent(graph("a b c d")).up();
    assert_eq!(play.reshape(graph("a b c e"), "b"), "-d -b");
    assert_eq!(play.gone("b"), "", "the plan waits for all that it touches");
    assert!(play.engine.is_reshaping());
    assert_eq!(play.gone("d"), "+b");
    assert_eq!(play.phases("a b c d e"), "RURII");
    assert_eq!((play.life("a"), play.life("d"), play.engine.plans()), (1, 0, 1));
}

#[test]
fn what_is_touched_does_not_start_before_the_swap() {
    let mut play = Play::permanent(graph("a b")).up();
    play.reshape(graph("a"), "a");
    assert_eq!(play.gone("a"), "");
    assert_eq!(play.start("a b"), "");
    assert_eq!(play.gone("b"), "+a");
}

#[test]
fn an_edit_follows_the_bonds_of_a_planned_restart_a_removal_those_of_a_stop() {
    for (bond, effects) in [(Crash, "-db"), (Always, "-web")] {
        let pair = || Graph::new(["db", "web"].map(id), [edge("web", "db", Ready, bond)]).unwrap();
        let mut play = Play::permanent(pair()).up();
        assert_eq!(play.reshape(pair(), "db"), effects);
        let mut play = Play::permanent(pair()).up();
        assert_eq!(play.reshape(graph("web"), ""), "-web");
        assert_eq!(play.gone("web"), "-db");
        assert_eq!(play.gone("db"), "+web", "what it needed is not needed any more");
    }
}

#[test]
fn an_edit_of_a_temporary_and_of_what_takes_it_down_brings_both_back() {
    let pair = || Graph::new(["db", "web"].map(id), [edge("web", "db", Ready, Always)]).unwrap();
    let of = |name: &str| policy(if name == "web" { Temporary } else { Permanent });
    let mut play = Play::new(pair(), of).up();
    assert_eq!(play.reshape(pair(), "db web"), "-web");
    assert_eq!(play.gone("web"), "-db");
    assert_eq!(play.gone("db"), "+db");
    assert_eq!(play.ready("db"), "+web");
}

#[test]
fn what_was_stopped_by_hand_stays_stopped_and_an_edit_forgives_failures() {
    let mut play = Play::permanent(graph("a b")).up();
    play.stop("a");
    play.gone("a");
    for _ in 0..3 {
        play.crash("b");
        play.wake("b");
    }
    assert_eq!(play.crash("b"), "xb");
    assert_eq!(play.reshape(graph("a b"), "a b"), "+b");
    assert_eq!(play.crash("b"), "~b:100");
    assert_eq!(play.phases("a"), "I");
}

#[test]
fn a_new_limit_counts_from_now_the_same_limit_goes_on() {
    let of = |restarts| Policy { limit: Limit { restarts, ..super::LIMIT }, ..policy(Permanent) };
    let shape = |limit: u32| Shape::new(graph("a"), |_| of(limit), BTreeSet::new());
    let mut play = Play::new(graph("a"), |_| of(3)).up();
    let used = |play: &Play| play.engine.budget(&id("a")).unwrap().used(play.now());
    play.crash("a");
    assert_eq!(play.step(Input::Reshape(shape(3))), "");
    assert_eq!(used(&play), 1);
    assert_eq!(play.step(Input::Reshape(shape(0))), "");
    assert_eq!((used(&play), play.phases("a").as_str()), (0, "B"));
    play.wake("a");
    assert_eq!(play.crash("a"), "xa", "the new limit is in effect");
}

#[test]
fn a_start_reaches_children_of_a_plan_to_come() {
    let mut play = Play::permanent(graph("a")).up();
    assert_eq!(play.reshape(graph("a b web web>b"), "a"), "-a");
    assert_eq!(play.start("web"), "", "nobody of that name yet");
    assert_eq!(play.gone("a"), "+a +b");
    assert_eq!(play.ready("b"), "+web");
}

#[test]
fn a_stop_after_that_wins() {
    for (stopped, effects, phases) in [("web", "+a", "II"), ("b", "+a", "IP")] {
        let mut play = Play::permanent(graph("a")).up();
        play.reshape(graph("a b web web>b"), "a");
        play.start("web");
        play.stop(stopped);
        assert_eq!(play.gone("a"), effects);
        assert_eq!(play.phases("b web"), phases);
    }
}

#[test]
fn plans_come_into_effect_one_after_another() {
    let mut play = Play::permanent(graph("a b")).up();
    assert_eq!(play.reshape(graph("b"), ""), "-a");
    assert_eq!(play.reshape(graph("a b c"), "b"), "");
    assert_eq!(play.start("a"), "");
    assert_eq!(play.engine.pending_shapes(), 2);
    assert_eq!(play.gone("a"), "-b");
    assert_eq!(play.engine.plans(), 1);
    assert_eq!(play.gone("b"), "+a +b");
    assert_eq!(play.phases("a b c"), "UUI");
}

#[test]
fn a_wave_outlives_a_swap() {
    let mut play = Play::permanent(graph("a b c")).up();
    assert_eq!(play.restart("a b"), "-b -a");
    assert_eq!(play.reshape(graph("a b"), "b"), "-c");
    assert_eq!(play.gone("b"), "");
    assert_eq!(play.gone("c"), "", "b waits for a of its wave");
    assert_eq!(play.gone("a"), "+a +b");
}

#[test]
fn an_edge_added_to_one_that_runs_leaves_it_alone() {
    let mut play = Play::permanent(graph("db web"));
    play.start("web");
    assert_eq!(play.reshape(graph("db web web>db"), ""), "");
    assert_eq!(play.crash("web"), "~web:100");
    assert_eq!(play.wake("web"), "", "from now on it waits");
    assert_eq!(play.start("db"), "+db");
    assert_eq!(play.ready("db"), "+web");
}

#[test]
fn a_stop_that_was_taken_back_meanwhile_does_not_come_after_the_plan() {
    let mut play = Play::permanent(graph("db web x web>db")).up();
    assert_eq!(play.reshape(graph("db web new web>db"), ""), "-x");
    assert_eq!(play.start("new"), "");
    assert_eq!(play.stop("db"), "-web");
    // It needs the other one, which is wanted again by that.
    play.start("web");
    play.gone("web");
    play.gone("db");
    play.gone("x");
    play.ready("db");
    assert_eq!(play.phases("db web new"), "RUU");
    assert!(["db", "web", "new"].iter().all(|name| play.engine.wanted(&id(name))));
}

#[test]
fn whoever_is_wanted_is_so_after_a_plan_without_it() {
    let mut play = Play::permanent(graph("a b")).up();
    assert_eq!(play.reshape(graph("a e"), ""), "-b");
    assert_eq!(play.reshape(graph("a"), ""), "");
    assert_eq!(play.reshape(graph("a e"), ""), "");
    assert_eq!(play.start("e"), "");
    assert_eq!(play.gone("b"), "+e");
    assert_eq!((play.phases("a e").as_str(), play.engine.plans()), ("RU", 3));
}
