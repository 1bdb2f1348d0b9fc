//! What OTP's supervisor does, where it applies.

use super::script::{Play, TASK, edge, graph, policy};
use crate::supervision::{
    engine::{
        Exit::{Failure, Success},
        Restart::{Permanent, Temporary, Transient},
    },
    graph::{
        Bond::{Always, Crash, Loose},
        Graph,
        Needs::{Completed, Ready, Started},
    },
};

fn all_for_one(names: &[&str]) -> Graph {
    Graph::chain(names.iter().map(super::id)).one_for_all(true)
}

#[test]
fn one_for_one_concerns_only_the_failed() {
    let mut play = Play::permanent(Graph::loose(["a", "b", "c"].map(super::id))).up();
    assert_eq!(play.crash("b"), "~b:100");
    assert_eq!(play.wake("b"), "+b");
    assert_eq!(play.phases("a b c"), "RUR");
}

#[test]
fn rest_for_one_is_a_chain() {
    let mut play = Play::permanent(Graph::chain(["a", "b", "c", "d"].map(super::id)));
    assert_eq!(play.start("a b c d"), "+a +b +c +d", "left to right");
    assert_eq!(play.crash("b"), "~b:100 -d");
    assert_eq!(play.gone("d"), "-c");
    assert_eq!(play.gone("c"), "");
    assert_eq!(play.wake("b"), "+b +c +d");
    assert_eq!(play.phases("a"), "U", "those before it are not concerned");
}

#[test]
fn one_for_all_stops_in_reverse_then_starts_in_order() {
    let mut play = Play::permanent(all_for_one(&["a", "b", "c"]));
    play.start("a b c");
    assert_eq!(play.crash("b"), "~b:100 -c");
    assert_eq!(play.gone("c"), "-a", "also those before it");
    assert_eq!(play.wake("b"), "", "waits for all to be down");
    assert_eq!(play.gone("a"), "+a +b +c");
}

#[test]
fn one_for_all_waits_for_the_backoff_too() {
    let mut play = Play::permanent(Graph::loose(["a", "b"].map(super::id)).one_for_all(true));
    play.start("a b");
    assert_eq!(play.crash("b"), "~b:100 -a");
    assert_eq!(play.gone("a"), "");
    assert_eq!(play.wake("b"), "+a +b");
}

#[test]
fn one_for_all_holds_whoever_was_waiting_already() {
    let loose = Graph::loose(["a", "b", "c"].map(super::id));
    let mut play = Play::permanent(loose.clone());
    play.start("a b c");
    assert_eq!(play.crash("a"), "~a:100", "under one_for_one as yet");
    play.reshape(loose.one_for_all(true), "");
    assert_eq!(play.crash("b"), "~b:200".replace('2', "1") + " -c");
    assert_eq!(play.wake("a"), "", "c and b are not there yet");
    assert_eq!(play.gone("c"), "");
    assert_eq!(play.wake("b"), "+a +b +c");
}

#[test]
fn a_second_crash_in_a_wave_joins_it() {
    let mut play = Play::permanent(Graph::loose(["a", "b", "c"].map(super::id)).one_for_all(true));
    play.start("a b c");
    assert_eq!(play.crash("b"), "~b:100 -c -a");
    assert_eq!(play.crash("a"), "", "it was told to stop: no failure");
    assert_eq!(play.wake("b"), "");
    assert_eq!(play.gone("c"), "+a +b +c");
}

#[test]
fn a_stop_takes_a_member_out_of_the_wave() {
    let mut play = Play::permanent(Graph::loose(["a", "b", "c"].map(super::id)).one_for_all(true));
    play.start("a b c");
    play.crash("b");
    play.gone("a");
    assert_eq!(play.gone("c"), "");
    assert_eq!(play.stop("b"), "+a +c", "nobody waits for its backoff any more");
    assert_eq!(play.phases("b"), "I");
}

#[test]
fn a_completed_dependency_survives_one_for_all() {
    let edges = [edge("web", "job", Completed, Crash)];
    let graph = Graph::new(["job", "web", "log"].map(super::id), edges).unwrap().one_for_all(true);
    let mut play = Play::new(graph, |name| if name == "job" { TASK } else { policy(Permanent) });
    assert_eq!(play.start("web log"), "+job +log");
    assert_eq!(play.exit("job", Success), "+web");
    assert_eq!(play.crash("log"), "~log:100 -web");
    assert_eq!(play.gone("web"), "");
    assert_eq!(play.wake("log"), "+web +log", "the task is not run again");
    assert_eq!(play.phases("job"), "C");
}

#[test]
fn an_interrupted_task_comes_back() {
    let mut play =
        Play::new(graph("db job job>db"), |n| if n == "job" { TASK } else { policy(Permanent) });
    play.start("job");
    play.ready("db");
    assert_eq!(play.crash("db"), "~db:100 -job");
    play.exit("job", Failure);
    play.wake("db");
    assert_eq!(play.ready("db"), "+job");
}

#[test]
fn a_temporary_bystander_never_comes_back() {
    let never = |name: &str| policy(if name == "b" { Temporary } else { Permanent });
    let mut play = Play::new(Graph::chain(["a", "b", "c"].map(super::id)).one_for_all(true), never);
    play.start("a b c");
    assert_eq!(play.crash("a"), "~a:100 -c");
    play.gone("c");
    play.gone("b");
    assert_eq!(play.wake("a"), "+a");
    assert_eq!(play.phases("a b c"), "UIP", "what needs it waits for a person");
    assert_eq!(play.start("b"), "+b +c");
}

#[test]
fn a_transient_bystander_comes_back_however_it_ended() {
    for exit in [Success, Failure] {
        let mut play = Play::new(Graph::chain(["a", "b"].map(super::id)), |_| policy(Transient));
        play.start("a b");
        assert_eq!(play.crash("a"), "~a:100 -b");
        play.exit("b", exit);
        assert_eq!(play.wake("a"), "+a +b");
    }
}

#[test]
fn a_failed_restart_counts_and_a_stop_interleaves() {
    let mut play = Play::permanent(graph("a"));
    play.start("a");
    assert_eq!(play.crash("a"), "~a:100");
    for delay in ["~a:200", "~a:400"] {
        assert_eq!(play.wake("a"), "+a");
        assert_eq!(play.crash("a"), delay, "the attempt failed: it counts");
    }
    assert_eq!(play.stop("a"), "");
    assert_eq!(play.phases("a"), "I");
    assert_eq!(play.wake("a"), "", "the retry in flight has lost");
}

#[test]
fn a_start_of_the_stopped_pulls_its_dependencies() {
    let mut play = Play::permanent(graph("db mq api web api>db api>mq web>api"));
    assert_eq!(play.start("web"), "+db +mq");
    play.ready("db");
    assert_eq!(play.ready("mq"), "+api");
    assert_eq!(play.ready("api"), "+web");
}

#[test]
fn a_start_pulls_what_one_in_backoff_needs() {
    let edges = [edge("api", "db", Ready, Loose), edge("web", "api", Ready, Crash)];
    let graph = Graph::new(["db", "api", "web"].map(super::id), edges).unwrap();
    let mut play = Play::permanent(graph);
    play.start("api");
    play.ready("db");
    play.stop("db");
    play.gone("db");
    play.crash("api");
    assert_eq!(play.start("web"), "+db", "else api, and so web, would wait for ever");
    play.wake("api");
    assert_eq!(play.ready("db"), "+api");
}

#[test]
fn a_start_does_not_disturb_what_runs() {
    let mut play = Play::permanent(graph("db web web>db")).up();
    assert_eq!(play.start("db web"), "");
    assert_eq!(play.restart("web"), "-web");
    assert_eq!(play.gone("web"), "+web", "only the named one");
}

#[test]
fn a_task_is_not_run_again_for_somebody_who_wants_it_ready() {
    let mut play =
        Play::new(graph("job web web>job"), |n| if n == "job" { TASK } else { policy(Permanent) });
    play.start("job");
    play.exit("job", Success);
    assert_eq!(play.start("web"), "");
    assert_eq!(play.phases("job web"), "CP");
}

#[test]
fn two_restarts_yield_one_life() {
    let mut play = Play::permanent(graph("a")).up();
    assert_eq!(play.restart("a"), "-a");
    assert_eq!(play.restart("a"), "");
    assert_eq!(play.gone("a"), "+a");
    assert_eq!(play.life("a"), 2);
}

#[test]
fn a_start_during_a_stop_waits_it_out() {
    let mut play = Play::permanent(graph("a")).up();
    assert_eq!(play.stop("a"), "-a");
    assert_eq!(play.start("a"), "");
    assert_eq!(play.phases("a"), "S");
    assert_eq!(play.gone("a"), "+a");
}

#[test]
fn a_stop_during_a_restart_wins() {
    let mut play = Play::permanent(graph("a")).up();
    assert_eq!(play.restart("a"), "-a");
    assert_eq!(play.stop("a"), "");
    assert_eq!(play.gone("a"), "");
    assert_eq!(play.phases("a"), "I");
}

#[test]
fn a_restart_while_waiting_changes_nothing() {
    let mut play = Play::permanent(graph("db web web>db"));
    assert_eq!(play.start("web"), "+db");
    assert_eq!(play.restart("web"), "");
    assert_eq!(play.ready("db"), "+web");
    assert_eq!(play.restart("web"), "-web");
    assert_eq!(play.stop("web"), "");
}

#[test]
fn a_restart_of_all_stops_all_before_it_starts_any() {
    let mut play = Play::permanent(graph("a b c c>a")).up();
    assert_eq!(play.restart("a b c"), "-c -b");
    assert_eq!(play.gone("b"), "");
    assert_eq!(play.gone("c"), "-a");
    assert_eq!(play.gone("a"), "+a +b");
    assert_eq!(play.ready("a"), "+c");
}

#[test]
fn a_restart_of_several_works_while_some_are_down() {
    let mut play = Play::permanent(graph("a b c c>a"));
    play.start("b");
    play.crash("b");
    assert_eq!(play.restart("a b c"), "+a +b", "neither stopped nor in backoff: fresh");
    assert_eq!(play.ready("a"), "+c");
}

#[test]
fn a_started_edge_orders_but_does_not_wait() {
    let edges = [edge("web", "db", Started, Crash)];
    let mut play = Play::permanent(Graph::new(["web", "db"].map(super::id), edges).unwrap());
    assert_eq!(play.start("web"), "+db +web");
}

#[test]
fn a_diamond_stops_and_starts_each_corner_once() {
    let mut play = Play::permanent(graph("a b c d b>a c>a d>b d>c")).up();
    assert_eq!(play.crash("a"), "~a:100 -d");
    assert_eq!(play.gone("d"), "-c -b");
    assert_eq!(play.wake("a"), "", "c and b are not down yet");
    assert_eq!(play.gone("b"), "");
    assert_eq!(play.gone("c"), "+a");
    assert_eq!(play.ready("a"), "+b +c");
    assert_eq!(play.ready("b"), "");
    assert_eq!(play.ready("c"), "+d");
}

#[test]
fn a_bond_always_follows_through_a_chain_of_its_kind_only() {
    let edges = [edge("b", "a", Ready, Always), edge("c", "b", Ready, Crash)];
    let mut play = Play::permanent(Graph::new(["a", "b", "c"].map(super::id), edges).unwrap()).up();
    assert_eq!(play.restart("a"), "-b");
    play.gone("b");
    play.gone("a");
    assert_eq!(play.ready("a"), "+b");
    assert_eq!(play.phases("c"), "R", "for c it was a planned restart");
}

#[test]
fn who_stands_aside_shares_nobody_s_fate_and_nobody_its() {
    let three = Graph::loose(["a", "b", "aside"].map(super::id));
    let mut play = Play::permanent(three.one_for_all(true).aside(&super::id("aside"))).up();
    assert_eq!(play.crash("aside"), "~aside:100", "nobody goes down with it");
    assert_eq!(play.crash("b"), "~b:100 -a");
    assert_eq!(play.gone("a"), "");
    assert_eq!(play.wake("b"), "+a +b", "nobody waits for it either");
    assert_eq!(play.wake("aside"), "+aside");
    play.ready("aside");
    assert_eq!(play.crash("a"), "~a:100 -b", "nor does it go down with anybody");
    assert_eq!(play.phases("a b aside"), "BSR");
}
