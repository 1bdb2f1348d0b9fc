//! The tree heals: whichever actor panics, its supervisor repairs it, and nobody else notices.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::support::{Home, Project, eventually, front::Front, http, kernel, svc};

const INFRASTRUCTURE: [&str; 8] = [
    "state-store",
    "port-allocator",
    "cert-signer",
    "log-store",
    "proxy-router",
    "listener:http",
    "listener:https",
    "ipc-gateway",
];

/// Makes an actor panic, as soon as it is there to do so.
fn strike(home: &Home, actor: &str) {
    let body = format!("{{\"actor\":\"{actor}\"}}");
    eventually(&format!("{actor} lives"), || {
        // An answer is lost when its gateway is.
        let status = http::shaky_daemon(&home.socket(), "POST", "/v1/fault", &body);
        [None, Some(0), Some(204)].contains(&status).then_some(())
    });
}

fn node<'a>(tree: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(tree, |node, name| {
        node["children"].as_array()?.iter().find(|child| child["name"] == *name)
    })
}

fn tree(project: &Project<'_>) -> Value {
    project.locald(["tree", "--all", "--json"]).ok().json()
}

fn start(home: &Home, faults: &str) {
    home.locald(["server", "start"]).env("LOCALD_FAULTS", faults).ok();
}

/// One after the other, a hundred times, in an order that the seed decides.
fn strikes(mut seed: u64) -> Vec<&'static str> {
    let mut order: Vec<&str> = INFRASTRUCTURE.repeat(100);
    for last in (1..order.len()).rev() {
        // Knuth's MMIX generator: any order that can be had again will do.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(seed >> 33).expect("31 bits") % (last + 1);
        order.swap(last, other);
    }
    order
}

#[test]
fn infrastructure_may_panic_a_hundred_times_under_load() {
    let home = Home::new();
    start(&home, "100000");
    let (web, db) = (svc(["web=shop", "forever"]), svc(["listen", "forever"]));
    let project = home.project(
        "shop",
        &format!("[services.web]\n{web}\ndepends_on = [\"db\"]\n[services.db]\n{db}\n"),
    );
    project.up();
    let pids = |project: &Project<'_>| [project.service("web").pid(), project.service("db").pid()];
    let before = pids(&project);
    let front = Front::of(&home);
    let (over, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let answer = front.get("shop.localhost", "/");
                assert_eq!(answer.status, 200, "{answer:?}");
                served.fetch_add(1, Ordering::Relaxed);
            }
        });
        for actor in strikes(4242) {
            strike(&home, &format!("infra/{actor}"));
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(served.load(Ordering::Relaxed) > 100);
    assert_eq!(pids(&project), before, "no service was touched");
    let tree = eventually("all run again", || {
        let tree = tree(&project);
        let running = |name: &&str| node(&tree, &["infra", name]).map(|n| &n["state"]);
        INFRASTRUCTURE
            .iter()
            .all(|name| running(name).is_some_and(|s| s == "running"))
            .then_some(tree)
    });
    for name in INFRASTRUCTURE {
        let restarts = node(&tree, &["infra", name]).map(|node| node["restarts"].as_u64());
        assert!(restarts.flatten().is_some_and(|restarts| restarts > 0), "{name}: {tree:#}");
    }
    // All of it still does its work.
    project.locald(["restart", "web"]).ok();
    assert_ne!(project.service("web").pid(), before[0]);
    assert_eq!(front.get("shop.localhost", "/").status, 200);
    project.locald(["down"]).ok();
    assert_eq!(front.get("shop.localhost", "/").status, 404);
}

#[test]
fn infrastructure_that_gives_up_is_replaced_as_a_whole() {
    let home = Home::new();
    start(&home, "by the usual intensity");
    let web = svc(["web=shop", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{web}\n"));
    project.up();
    let (daemon, pid) = (home.daemon_pid(), project.service("web").pid());
    eventually("the branch was started again", || {
        let tree = tree(&project);
        let infra = node(&tree, &["infra"])?;
        if infra["restarts"].as_u64() >= Some(1) {
            return (node(infra, &["ipc-gateway"])?["state"] == "running").then_some(());
        }
        strike(&home, "infra/cert-signer");
        None
    });
    assert_eq!(home.daemon_pid(), daemon);
    assert_eq!(project.service("web").pid(), pid);
    assert_eq!(Front::of(&home).get("shop.localhost", "/").status, 200);
}

#[test]
fn actors_of_a_service_fail_like_the_service() {
    let home = Home::new();
    start(&home, "yes");
    let web = svc(["spawn=forever", "listen", "forever"]);
    let other = svc(["listen", "forever"]);
    let project =
        home.project("shop", &format!("[services.web]\n{web}\n[services.other]\n{other}\n"));
    project.up();
    let bystander = project.service("other").pid();
    for actor in ["", "/process", "/probe"] {
        let old = project.service("web").pid();
        strike(&home, &format!("projects/project:shop/service:web{actor}"));
        project.until_replaced("web", old);
        project.until_state("web", "healthy");
        let left = kernel::gone_within(Duration::from_secs(20), || {
            kernel::is_alive(old).then_some(old).into_iter().collect::<Vec<_>>()
        });
        assert_eq!(left, Vec::<i32>::new(), "struck at {actor:?}");
    }
    assert_eq!(project.service("web").restarts(), 3);
    assert_eq!(project.service("other").pid(), bystander);
    let tree = tree(&project);
    let web = node(&tree, &["projects", "project:shop", "service:web"]).expect("it is there");
    assert_eq!(web["restarts"], 3, "{tree:#}");
}

/// Saved files and edits meet a watcher that is about to die, is dead, or has just been born.
#[test]
fn no_edit_is_lost_while_its_watcher_dies() {
    let home = Home::new();
    start(&home, "100000");
    let listen = svc(["listen", "forever"]);
    let text = |mark: usize| {
        format!(
            "[project]\nname = \"shop\"\n[services.edited]\n{listen}\nenv = {{ MARK = \"{mark}\" }}\n\
             [services.saved]\n{listen}\nwatch = [\"src\"]\n[services.other]\n{listen}\n"
        )
    };
    let project = home.folder("shop").with("locald.toml", text(0)).with("src/a", "0");
    project.up();
    let pid = |name: &str| project.service(name).pid();
    let (mut edited, mut saved, other) = (pid("edited"), pid("saved"), pid("other"));
    let watcher = "projects/project:shop/config-watcher";
    for round in 1..=20 {
        // Around the 50 and 100 ms for which it waits for the end of a burst.
        let moment = Duration::from_millis(u64::try_from(round * 37 % 160).expect("it is small"));
        if round % 4 == 0 {
            strike(&home, watcher);
        }
        project.write("locald.toml", text(round));
        fs::create_dir(project.path(&format!("src/new{round}"))).expect("a new folder");
        project.write(&format!("src/new{round}/a"), "x");
        thread::sleep(moment);
        strike(&home, watcher);
        edited = project.until_replaced("edited", edited).pid();
        saved = project.until_replaced("saved", saved).pid();
    }
    assert_eq!(pid("other"), other);
    let tree = tree(&project);
    let watcher = node(&tree, &["projects", "project:shop", "config-watcher"]);
    let restarts = watcher.and_then(|node| node["restarts"].as_u64());
    assert!(restarts.is_some_and(|restarts| restarts >= 20), "{tree:#}");
}

#[test]
fn nobody_makes_actors_panic_in_a_daemon_that_was_not_started_for_it() {
    let home = Home::new();
    home.locald(["server", "start"]).ok();
    let body = "{\"actor\":\"infra/cert-signer\"}";
    assert_eq!(http::daemon(&home.socket(), "POST", "/v1/fault", body).status, 400);
}
