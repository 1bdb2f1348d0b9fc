//! Projects that get another name, or another folder, while they run.

use std::fs;

use crate::support::{DEADLINE, Home, Project, eventually, front::Front, kernel, svc};

fn file(name: &str, more: &str) -> String {
    let (web, db) =
        (svc(["web=shop", "forever"]), svc(["print-env=LOCALD_PROJECT", "listen", "forever"]));
    format!(
        "[project]\nname = \"{name}\"\n{more}[services.web]\n{web}\n[services.db]\n{db}\n\
         [services.off]\nautostart = false\n{db}\n"
    )
}

#[track_caller]
fn die(pids: &[i32]) {
    let alive = || pids.iter().copied().filter(|pid| kernel::is_alive(*pid)).collect::<Vec<_>>();
    assert_eq!(kernel::gone_within(DEADLINE, alive), Vec::<i32>::new());
}

fn pids(project: &Project<'_>) -> [i32; 2] {
    let status = project.status();
    ["web", "db"].map(|name| status.service(name).pid())
}

fn healthy(project: &Project<'_>, name: &str) {
    project.until("all is up under that name", |status| {
        status.0["name"] == name && status.states() == "web=healthy db=healthy off=stopped"
    });
}

#[test]
fn a_project_with_another_name_goes_on_under_it() {
    let home = Home::new();
    let project = home.folder("shop").with("locald.toml", file("shop", ""));
    project.up();
    let front = Front::of(&home);
    let (old, port) = (pids(&project), project.service("db").port());
    assert_eq!(front.get("shop.localhost", "/").status, 200);
    project.write("locald.toml", file("store", ""));
    healthy(&project, "store");
    die(&old);
    assert_eq!(home.status().projects().len(), 1, "the old one is gone");
    assert_eq!(project.service("db").port(), port, "whoever knows the port goes on");
    assert_eq!(front.get("store.localhost", "/").status, 200);
    assert_eq!(front.get("shop.localhost", "/").status, 404);
    assert_eq!(project.log("db"), ["LOCALD_PROJECT=store"]);
    assert!(home.state_dir().join("logs/shop/db.log").exists(), "what it said before is kept");
    project.locald(["events"]).ok().says("renamed").says("it was called shop");
    project.locald(["why", "db"]).ok().says("Started by an edit");
    // And back, which finds nothing of its former self in its way.
    let new = pids(&project);
    project.write("locald.toml", file("shop", ""));
    healthy(&project, "shop");
    die(&new);
    assert_eq!(project.service("db").port(), port);
    assert_eq!(front.get("shop.localhost", "/").status, 200);
    home.stop_daemon();
    project.up();
    assert_eq!(home.status().projects().len(), 1, "nor does the next daemon remember two");
    assert_eq!(project.service("db").port(), port);
}

#[test]
fn a_fixed_port_goes_along_with_the_new_name() {
    let home = Home::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("it is bound").port();
    drop(free);
    let listen = svc(["listen", "forever"]);
    let text = |name: &str| {
        format!("[project]\nname = \"{name}\"\n[services.web]\nport = {port}\n{listen}\n")
    };
    let project = home.folder("shop").with("locald.toml", text("shop"));
    project.up();
    project.write("locald.toml", text("store"));
    let status = project.until("it is up under its new name", |status| {
        status.0["name"] == "store" && status.states() == "web=healthy"
    });
    assert_eq!(status.service("web").port(), port);
}

#[test]
fn a_name_that_is_another_project_s_changes_nothing() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let other = home.project("store", &format!("[services.a]\n{listen}\n"));
    other.up();
    let project = home.folder("shop").with("locald.toml", file("shop", ""));
    project.up();
    let before = pids(&project);
    project.write("locald.toml", file("store", ""));
    let status = project.until("it is told", |status| !status.0["config_error"].is_null());
    assert!(status.0["config_error"].as_str().is_some_and(|why| why.contains("same name")));
    assert_eq!((pids(&project), &status.0["name"]), (before, &"shop".into()));
    assert_eq!(other.status().states(), "a=healthy");
}

#[test]
fn a_folder_that_was_moved_is_told_and_taken_over() {
    let home = Home::new();
    let project = home.folder("shop").with("locald.toml", file("shop", ""));
    project.up();
    let old = pids(&project);
    let moved = home.folder("elsewhere");
    fs::remove_dir(moved.dir()).expect("it is empty");
    fs::rename(project.dir(), moved.dir()).expect("the same file system");
    let error = eventually("it is told", || {
        let all = home.status();
        all.project("shop").0["config_error"].as_str().map(str::to_owned)
    });
    assert!(error.contains("where it was moved to, `locald up`"), "{error}");
    moved.locald(["status"]).ok().says("started in").says("/p/shop").says("`locald up`");
    assert!(old.iter().all(|pid| kernel::is_alive(*pid)), "until then it goes on");
    moved.up().complains("was stopped");
    healthy(&moved, "shop");
    die(&old);
    let all = home.status();
    assert_eq!(all.projects().len(), 1);
    assert!(all.project("shop").0["path"].as_str().is_some_and(|p| p.ends_with("/p/elsewhere")));
    assert_eq!(Front::of(&home).get("shop.localhost", "/").status, 200);
    // Its edits are seen in its new place.
    let web = moved.service("web").pid();
    moved.write("locald.toml", file("shop", "env = { A = \"b\" }\n"));
    moved.until_replaced("web", web);
}

#[test]
fn a_folder_that_comes_back_goes_on_as_if_nothing_had_been() {
    let home = Home::new();
    let project = home.folder("shop").with("locald.toml", file("shop", ""));
    project.up();
    let before = pids(&project);
    let aside = home.path().join("p/aside");
    fs::rename(project.dir(), &aside).expect("the same file system");
    eventually("it is told", || home.status().project("shop").0["config_error"].as_str().map(drop));
    fs::rename(&aside, project.dir()).expect("the same file system");
    project.until("all is well again", |status| status.0["config_error"].is_null());
    assert_eq!(pids(&project), before);
    project.write("locald.toml", file("shop", "env = { A = \"b\" }\n"));
    project.until_replaced("web", before[0]);
}

#[test]
fn two_folders_that_are_both_there_do_not_take_each_other_over() {
    let home = Home::new();
    let project = home.folder("shop").with("locald.toml", file("shop", ""));
    project.up();
    let before = pids(&project);
    let copy = home.folder("copy").with("locald.toml", file("shop", ""));
    copy.locald(["up"]).fails(4).and_clearly().complains("same name");
    assert_eq!(pids(&project), before);
}
