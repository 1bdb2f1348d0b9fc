//! The table of bonds, row by row: what happens to a dependent when something happens to what it needs.

use super::{
    id,
    script::{ONCE, Play, TASK, edge, policy},
};
use crate::supervision::{
    engine::{
        Exit::{Failure, Success},
        Policy,
        Restart::{Permanent, Temporary, Transient},
    },
    graph::{
        Bond::{self, Always, Crash, Loose},
        Graph,
        Needs::{Completed, Ready, Started},
    },
};

const BONDS: [Bond; 3] = [Loose, Crash, Always];

/// `web` needs `db`, `log` needs `web` in the same way; all are ready.
fn three(bond: Bond, db: Policy) -> Play {
    let edges = [edge("web", "db", Ready, bond), edge("log", "web", Ready, bond)];
    let graph = Graph::new(["db", "web", "log"].map(id), edges).unwrap();
    let of = |name: &str| if name == "db" { db } else { policy(Permanent) };
    Play::new(graph, of).up()
}

#[test]
fn crashes_and_will_be_restarted() {
    for bond in BONDS {
        let mut play = three(bond, policy(Permanent));
        if bond == Loose {
            assert_eq!(play.crash("db"), "~db:100");
            assert_eq!(play.phases("db web log"), "BRR");
            assert_eq!(play.wake("db"), "+db");
            assert_eq!(play.ready("db"), "");
            continue;
        }
        assert_eq!(play.crash("db"), "~db:100 -log", "dependents first");
        assert_eq!(play.wake("db"), "", "all of those are down before it starts again");
        assert_eq!(play.gone("log"), "-web");
        assert_eq!(play.gone("web"), "+db");
        assert_eq!(play.phases("db web log"), "UPP");
        assert_eq!(play.ready("db"), "+web");
        assert_eq!(play.ready("web"), "+log");
    }
}

#[test]
fn gives_up() {
    for bond in BONDS {
        let mut play = three(bond, Policy { limit: ONCE, ..policy(Permanent) });
        if bond == Loose {
            assert_eq!(play.crash("db"), "xdb");
            assert_eq!(play.phases("db web log"), "FRR");
            continue;
        }
        assert_eq!(play.crash("db"), "xdb -log");
        play.gone("log");
        play.gone("web");
        assert_eq!(play.phases("db web log"), "FPP", "blocked, not in a crash loop");
        assert_eq!(play.restart("db"), "+db");
        assert_eq!(play.ready("db"), "+web", "by itself when it recovers");
        assert_eq!(play.ready("web"), "+log");
    }
}

#[test]
fn is_stopped_by_command() {
    for bond in BONDS {
        let mut play = three(bond, policy(Permanent));
        if bond == Loose {
            assert_eq!(play.stop("db"), "-db");
            assert_eq!(play.gone("db"), "");
            assert_eq!(play.phases("db web log"), "IRR");
            continue;
        }
        assert_eq!(play.stop("db"), "-log");
        assert_eq!(play.gone("log"), "-web");
        assert_eq!(play.gone("web"), "-db", "strictly one after another");
        assert_eq!(play.gone("db"), "");
        assert_eq!(play.phases("db web log"), "IPP", "blocked, still wanted");
        assert_eq!(play.start("db"), "+db");
        assert_eq!(play.ready("db"), "+web");
    }
}

#[test]
fn is_restarted_on_purpose() {
    for bond in BONDS {
        let mut play = three(bond, policy(Permanent));
        if bond < Always {
            assert_eq!(play.restart("db"), "-db");
            assert_eq!(play.gone("db"), "+db");
            assert_eq!(play.ready("db"), "");
            assert_eq!(play.phases("db web log"), "RRR");
            continue;
        }
        assert_eq!(play.restart("db"), "-log");
        assert_eq!(play.gone("log"), "-web");
        assert_eq!(play.gone("web"), "-db");
        assert_eq!(play.gone("db"), "+db");
        assert_eq!(play.ready("db"), "+web");
        assert_eq!(play.ready("web"), "+log");
    }
}

#[test]
fn has_completed_and_is_started_anew() {
    for (bond, effects) in [(Loose, "+db"), (Crash, "+db"), (Always, "-web")] {
        let edges = [edge("web", "db", Started, bond), edge("other", "db", Ready, Loose)];
        let graph = Graph::new(["db", "web", "other"].map(id), edges).unwrap();
        let of = |name: &str| policy(if name == "db" { Transient } else { Permanent });
        for asked in ["db", "other"] {
            let mut play = Play::new(graph.clone(), of);
            play.start("web");
            assert_eq!(play.gone("db"), "", "to complete is no loss");
            assert_eq!(play.start(asked), effects, "{asked} for those bonded {bond:?}");
            if bond == Always {
                assert_eq!(play.gone("web"), "+db +web");
            }
        }
    }
}

#[test]
fn completes() {
    for bond in BONDS {
        for needs in [Started, Completed] {
            let edges = [edge("web", "job", needs, bond)];
            let graph = Graph::new(["job", "web"].map(id), edges).unwrap();
            let of = |name: &str| if name == "job" { TASK } else { policy(Permanent) };
            let mut play = Play::new(graph, of);
            let first = play.start("web");
            let then = play.exit("job", Success);
            match needs {
                Started => assert_eq!((&*first, &*then), ("+job +web", "")),
                _ => assert_eq!((&*first, &*then), ("+job", "+web")),
            }
            play.ready("web");
            assert_eq!(play.phases("job web"), "CR", "no loss");
            assert_eq!(play.crash("web"), "~web:100");
            assert_eq!(play.wake("web"), "+web", "the task is not run again for it");
        }
    }
}

#[test]
fn is_unready_for_a_while() {
    for bond in BONDS {
        let mut play = three(bond, policy(Permanent));
        assert_eq!(play.unready("db"), "");
        assert_eq!(play.phases("db web log"), "URR", "told through routes only");
        play.stop("web");
        play.gone("log");
        play.gone("web");
        assert_eq!(play.start("web"), "", "a late dependent waits");
        assert_eq!(play.ready("db"), "+web");
    }
}

#[test]
fn a_failed_task_is_a_loss() {
    for (bond, effects) in [(Loose, "xjob"), (Crash, "xjob -web"), (Always, "xjob -web")] {
        let edges = [edge("web", "job", Started, bond)];
        let graph = Graph::new(["job", "web"].map(id), edges).unwrap();
        let mut play =
            Play::new(graph, |name| if name == "job" { TASK } else { policy(Permanent) }).up();
        assert_eq!(play.exit("job", Failure), effects);
    }
}

#[test]
fn a_loss_goes_through_one_that_is_down_for_a_planned_restart() {
    for pending in [false, true] {
        let mut play = three(Crash, policy(Permanent));
        assert_eq!(play.restart("web"), "-web");
        if pending {
            play.unready("db");
            assert_eq!(play.gone("web"), "");
        }
        assert_eq!(play.phases("web log"), if pending { "PR" } else { "SR" });
        assert_eq!(play.crash("db"), "~db:100 -log", "web will not be back in a moment");
    }
}

#[test]
fn a_mixed_chain_stops_at_the_loose_edge() {
    let edges = [edge("web", "db", Ready, Crash), edge("log", "web", Ready, Loose)];
    let graph = Graph::new(["db", "web", "log"].map(id), edges).unwrap();
    let mut play = Play::permanent(graph).up();
    assert_eq!(play.crash("db"), "~db:100 -web");
    assert_eq!(play.phases("log"), "R");
}

#[test]
fn a_loose_edge_still_orders_a_stop_of_both() {
    let mut play = three(Loose, policy(Permanent));
    assert_eq!(play.stop("db web log"), "-log");
    assert_eq!(play.gone("log"), "-web");
    assert_eq!(play.gone("web"), "-db");
}

#[test]
fn a_temporary_dependent_comes_back_but_for_a_death() {
    for bond in [Crash, Always] {
        let edges = [edge("web", "db", Ready, bond)];
        let graph = Graph::new(["db", "web"].map(id), edges).unwrap();
        let never = |name: &str| policy(if name == "web" { Temporary } else { Permanent });
        let new = || Play::new(graph.clone(), never).up();

        let mut play = new();
        assert_eq!(play.crash("db"), "~db:100 -web");
        play.gone("web");
        play.wake("db");
        assert_eq!(play.ready("db"), "", "OTP: never restarted");
        assert_eq!(play.phases("web"), "I");

        let mut play = new();
        assert_eq!(play.stop("db"), "-web");
        play.gone("web");
        play.gone("db");
        assert_eq!(play.start("db"), "+db");
        assert_eq!(play.ready("db"), "+web", "it has waited");

        let mut play = new();
        if bond == Always {
            assert_eq!(play.restart("db"), "-web");
            play.gone("web");
            play.gone("db");
            assert_eq!(play.ready("db"), "+web");
        }
    }
}

#[test]
fn what_is_beyond_one_that_stays_up_is_not_waited_for() {
    let mut play = three(Loose, policy(Permanent));
    assert_eq!(play.stop("log"), "-log");
    assert_eq!(play.stop("db"), "-db", "web stays up, so log has nothing to do with it");
    assert_eq!(play.phases("db web log"), "SRS");
}

#[test]
fn nobody_waits_for_one_that_goes_down_for_reasons_of_its_own() {
    for (bond, effects) in [(Loose, "+db"), (Crash, ""), (Always, "")] {
        let pair = Graph::new(["db", "web"].map(id), [edge("web", "db", Ready, bond)]).unwrap();
        let mut play = Play::permanent(pair).up();
        assert_eq!(play.stop("web"), "-web");
        assert_eq!(play.crash("db"), "~db:100");
        assert_eq!(play.wake("db"), effects, "{bond:?}");
        let later = if effects.is_empty() { "+db" } else { "" };
        assert_eq!(play.gone("web"), later, "{bond:?}");
    }
}
