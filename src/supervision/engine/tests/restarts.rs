//! Restart type × how it ended × whether it was asked to, and the budget.

use super::{
    id,
    script::{ONCE, Play, TASK, graph, policy},
};
use crate::supervision::engine::{
    Exit::{self, Failure, Success},
    Input, Policy,
    Restart::{Permanent, Temporary, Transient},
};

#[test]
fn what_follows_an_end_by_itself() {
    for (restart, exit, effects, phase) in [
        (Permanent, Success, "~a:100", "B"),
        (Permanent, Failure, "~a:100", "B"),
        (Transient, Success, "", "C"),
        (Transient, Failure, "~a:100", "B"),
        (Temporary, Success, "", "C"),
        (Temporary, Failure, "xa", "F"),
    ] {
        for ready in [false, true] {
            let mut play = Play::new(graph("a"), |_| policy(restart));
            assert_eq!(play.start("a"), "+a");
            if ready {
                play.ready("a");
            }
            assert_eq!(play.exit("a", exit), effects, "{restart:?} {exit:?}");
            assert_eq!(play.phases("a"), phase, "{restart:?} {exit:?}");
        }
    }
}

#[test]
fn an_end_that_was_asked_for_is_neither_counted_nor_undone() {
    for restart in [Permanent, Transient, Temporary] {
        for exit in [Success, Failure] {
            let mut play = Play::new(graph("a"), |_| policy(restart)).up();
            assert_eq!(play.stop("a"), "-a");
            assert_eq!(play.stop("a"), "", "told once");
            assert_eq!(play.exit("a", exit), "", "{restart:?} {exit:?}");
            assert_eq!((play.phases("a").as_str(), failures(&play)), ("I", 0));
        }
    }
}

#[test]
fn an_end_for_a_restart_begins_the_next_life_at_once() {
    for restart in [Permanent, Transient, Temporary] {
        for exit in [Success, Failure] {
            let mut play = Play::new(graph("a"), |_| policy(restart)).up();
            let first = play.life("a");
            assert_eq!(play.restart("a"), "-a");
            assert_eq!(play.exit("a", exit), "+a", "{restart:?} {exit:?}");
            assert_eq!(failures(&play), 0);
            assert!(play.life("a") > first);
        }
    }
}

#[test]
fn delays_grow_until_the_window_is_spent() {
    let mut play = Play::permanent(graph("a")).up();
    for delay in ["~a:100", "~a:200", "~a:400"] {
        assert_eq!(play.crash("a"), delay);
        assert_eq!(play.wake("a"), "+a");
    }
    assert_eq!(play.crash("a"), "xa");
    assert_eq!(play.phases("a"), "F");
    assert_eq!(play.wake("a"), "", "the last delay was of an earlier life");
}

#[test]
fn a_person_clears_the_counters() {
    for again in [Play::start, Play::restart] {
        let mut play = Play::permanent(graph("a")).up();
        for _ in 0..3 {
            play.crash("a");
            play.wake("a");
        }
        assert_eq!(play.crash("a"), "xa");
        assert_eq!(again(&mut play, "a"), "+a");
        assert_eq!(failures(&play), 0);
        assert_eq!(play.crash("a"), "~a:100", "as if it were the first");
        assert_eq!(again(&mut play, "a"), "+a", "skips the backoff");
        assert_eq!(play.wake("a"), "", "the backoff that was skipped is over");
    }
}

#[test]
fn a_start_or_restart_of_one_that_runs_clears_the_counters_too() {
    for (again, effects) in
        [(Play::start as fn(&mut Play, &str) -> String, ""), (Play::restart, "-a")]
    {
        let mut play = Play::permanent(graph("a")).up();
        play.crash("a");
        play.wake("a");
        assert_eq!(failures(&play), 1);
        assert_eq!(again(&mut play, "a"), effects);
        assert_eq!(failures(&play), 0);
    }
}

#[test]
fn to_be_needed_again_clears_the_counters_of_one_that_gave_up() {
    let once = |name: &str| {
        let limit = if name == "db" { ONCE } else { policy(Permanent).limit };
        Policy { limit, ..policy(Permanent) }
    };
    let mut play = Play::new(graph("db web web>db"), once).up();
    assert_eq!(play.crash("db"), "xdb -web");
    play.gone("web");
    assert_eq!(play.start("web"), "+db");
    assert_eq!(play.engine.budget(&id("db")).unwrap().used(play.now()), 0);
}

#[test]
fn a_task_runs_once_but_for_a_restart() {
    let mut play = Play::new(graph("a"), |_| TASK);
    assert_eq!(play.start("a"), "+a");
    assert_eq!(play.exit("a", Success), "");
    assert_eq!(play.start("a"), "", "it has run");
    assert_eq!(play.phases("a"), "C");
    assert_eq!(play.restart("a"), "+a");
    assert_eq!(play.exit("a", Success), "");
    assert_eq!(play.stop("a"), "");
    assert_eq!(play.start("a"), "+a", "an up of what was stopped");
}

#[test]
fn one_that_is_no_task_runs_again_when_started_again() {
    let mut play = Play::new(graph("a"), |_| policy(Transient));
    play.start("a");
    play.exit("a", Success);
    assert_eq!(play.start("a"), "+a");
}

#[test]
fn a_failed_task_is_tried_again_when_started_again() {
    let mut play = Play::new(graph("a"), |_| TASK);
    play.start("a");
    assert_eq!(play.exit("a", Failure), "xa");
    assert_eq!(play.start("a"), "+a");
}

#[test]
fn stop_wins_in_every_phase() {
    type History = fn(&mut Play);
    let phases: [(&str, History); 9] = [
        ("I", |_| {}),
        ("P", |play| {
            play.crash("db");
            play.gone("a");
        }),
        ("U", |play| {
            play.start("a");
        }),
        ("R", |play| {
            play.start("a");
            play.ready("a");
        }),
        ("S", |play| {
            play.start("a");
            play.restart("a");
        }),
        ("S", |play| {
            play.start("a");
            play.crash("db");
        }),
        ("B", |play| {
            play.start("a");
            play.crash("a");
        }),
        ("C", |play| {
            play.start("a");
            play.exit("a", Success);
        }),
        ("F", |play| {
            play.start("a");
            for _ in 0..4 {
                play.crash("a");
                play.wake("a");
            }
        }),
    ];
    for (letter, history) in phases {
        let restart = |name: &str| if letter == "C" && name == "a" { Transient } else { Permanent };
        let mut play = Play::new(graph("db a a>db"), |name| policy(restart(name)));
        play.start(if letter == "I" { "db" } else { "db a" });
        play.ready("db");
        history(&mut play);
        assert_eq!(play.phases("a"), letter);
        play.stop("a");
        play.ready("a");
        play.exit("a", Failure);
        play.wake("a");
        play.wake("db");
        play.ready("db");
        assert_eq!(play.phases("a"), "I", "stopped while {letter}");
    }
}

#[test]
fn late_news_of_an_old_life_changes_nothing() {
    let mut play = Play::permanent(graph("a")).up();
    let old = play.life("a");
    play.restart("a");
    assert_eq!(play.gone("a"), "+a");
    let late = |exit: Exit| Input::Exited(id("a"), old, exit);
    for news in
        [late(Failure), late(Success), Input::Ready(id("a"), old), Input::Elapsed(id("a"), old)]
    {
        assert_eq!(play.step(news), "");
        assert_eq!(play.phases("a"), "U");
    }
    play.ready("a");
    assert_eq!(play.step(Input::Unready(id("a"), old)), "");
    assert_eq!(play.phases("a"), "R");
}

#[test]
fn news_of_strangers_changes_nothing() {
    let mut play = Play::permanent(graph("a")).up();
    for effects in [play.start("b"), play.stop("b"), play.restart("b"), play.crash("b")] {
        assert_eq!(effects, "");
    }
    assert_eq!(play.phases("a b"), "RI");
}

fn failures(play: &Play) -> u32 {
    play.engine.budget(&id("a")).expect("it exists").used(play.now())
}

#[test]
fn a_restart_of_one_does_not_join_a_restart_of_several() {
    let mut play = Play::permanent(graph("a b c")).up();
    let told = play.restart("a b");
    assert!(told == "-a -b" || told == "-b -a", "{told}");
    assert_eq!(play.restart("c"), "-c");
    assert_eq!(play.gone("c"), "+c", "the others may take their time");
    assert_eq!(play.gone("a"), "", "all of them go down before any of them starts");
    assert_eq!(play.gone("b"), "+a +b");
}
