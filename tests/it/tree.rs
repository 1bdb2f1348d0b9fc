//! `locald tree`: the live actors.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Home, kernel, svc};

fn child<'a>(node: &'a Value, name: &str) -> &'a Value {
    let children = node["children"].as_array().expect("a list");
    let found = children.iter().find(|child| child["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} below {:#}", node["name"]))
}

fn names(node: &Value) -> Vec<&str> {
    let children = node["children"].as_array().expect("a list");
    children.iter().map(|child| child["name"].as_str().expect("a name")).collect()
}

/// Every node has all keys of the contract.
#[track_caller]
fn keys_of(node: &Value) {
    let keys: Vec<&String> = node.as_object().expect("an object").keys().collect();
    for key in
        ["name", "kind", "strategy", "state", "restarts", "max_restarts", "window_s", "detail"]
    {
        assert!(keys.iter().any(|have| *have == key), "{key} in {node:#}");
    }
    node["children"].as_array().expect("a list").iter().for_each(keys_of);
}

#[test]
fn the_whole_tree_has_its_branches_and_shapes() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project(
        "shop",
        &format!("[services.web]\n{listen}\ndepends_on = [\"db\"]\n[services.db]\n{listen}\n"),
    );
    project.up();
    let tree = project.locald(["tree", "--all", "--json"]).ok().json();
    assert_eq!(
        (tree["name"].as_str(), tree["kind"].as_str()),
        (Some("locald"), Some("supervisor"))
    );
    assert_eq!(names(&tree), ["infra", "projects"]);
    assert_eq!(child(&tree, "infra")["strategy"], "rest_for_one");
    for name in ["state-store", "port-allocator", "log-store", "ipc-gateway"] {
        let node = child(child(&tree, "infra"), name);
        assert_eq!(
            (node["kind"].as_str(), node["state"].as_str()),
            (Some("worker"), Some("running"))
        );
        assert!(node["strategy"].is_null());
    }
    let shop = child(child(&tree, "projects"), "project:shop");
    assert_eq!(shop["strategy"], "rest_for_one");
    let web = child(shop, "service:web");
    assert_eq!(names(web), ["process", "probe"]);
    assert_eq!((web["restarts"].as_u64(), web["max_restarts"].as_u64()), (Some(0), Some(6)));
    assert_eq!(web["window_s"].as_f64(), Some(60.0));
    assert_eq!(web["state"], "healthy");
    let pid = project.service("web").pid().to_string();
    assert!(web.to_string().contains(&pid), "{web:#}");
    keys_of(&tree);
}

#[test]
fn restarts_are_counted_in_the_window() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.up();
    for _ in 0..2 {
        let pid = project.service("web").pid();
        kernel::kill(pid, Signal::SIGKILL);
        project.until_replaced("web", pid);
    }
    let tree = project.locald(["tree", "--json"]).ok().json();
    let web = child(child(child(&tree, "projects"), "project:shop"), "service:web");
    assert_eq!(web["restarts"], 2);
    assert!(web["detail"].as_str().expect("a detail").contains("SIGKILL"), "{web:#}");
    project.locald(["tree"]).ok().says("service:web").says("restarts 2/6");
    project.locald(["restart", "web"]).ok();
    let tree = project.locald(["tree", "--json"]).ok().json();
    let web = child(child(child(&tree, "projects"), "project:shop"), "service:web");
    assert_eq!(web["restarts"], 0, "a person's restart clears them");
}

#[test]
fn only_the_own_project_unless_all_are_asked_for() {
    let home = Home::new();
    let worker = "[services.w]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n";
    let one = home.project("one", worker);
    let two = home.project("two", worker);
    one.up();
    two.up();
    let own = one.locald(["tree"]).ok();
    assert!(own.stdout.contains("project:one") && !own.stdout.contains("project:two"), "{own}");
    assert!(own.stdout.starts_with("locald"), "inside its ancestors: {own}");
    assert!(!own.stdout.contains("state-store"), "{own}");
    one.locald(["tree", "--all"]).ok().says("project:one").says("project:two").says("ipc-gateway");
}

#[test]
fn stopped_and_failed_services_stay_in_it() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.off]\nautostart = false\ncommand = \"x\"\n\
         [services.bad]\nmax_restarts = 0\ncommand = \"exit 3\"\n",
    );
    project.locald(["up"]).fails(1);
    let tree = project.locald(["tree", "--json"]).ok().json();
    let shop = child(child(&tree, "projects"), "project:shop").clone();
    assert_eq!(child(&shop, "service:off")["state"], "stopped");
    let bad = child(&shop, "service:bad");
    assert_eq!(bad["state"], "failed");
    assert!(bad["detail"].as_str().expect("a detail").contains("code 3"), "{bad:#}");
}

#[test]
fn it_can_be_watched() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.up();
    let mut watch = project.locald(["tree", "--watch", "--json"]).stream();
    watch.find_text("\"healthy\"");
    project.locald(["stop"]).ok();
    watch
        .find("it is stopped", |line| line.contains("service:web") && line.contains("\"stopped\""));
}
