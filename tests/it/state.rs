//! What survives the daemon.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::support::{Home, svc};

#[test]
fn a_new_daemon_restores_what_was_wanted() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.on]\n{listen}\n[services.off]\n{listen}\n\
             [services.env]\ntype = \"worker\"\ncommand = \"echo mark=$MARK; exec sleep 1000\"\n\
             [services.seed]\ntype = \"task\"\ncommand = \"echo x >> runs\"\n"
        ),
    );
    project.locald(["up"]).env("MARK", "kept").ok();
    project.locald(["stop", "off"]).ok();
    home.stop_daemon();
    assert_eq!(home.processes(), []);
    home.locald(["server", "start"]).ok();
    project.until("what was wanted is up", |p| p.is("on", "healthy") && p.is("env", "healthy"));
    assert_eq!(project.service("off").state(), "stopped", "a stopped service stays stopped");
    assert_eq!(project.log("env"), ["mark=kept", "mark=kept"], "with the environment it had");
}

#[test]
fn a_project_that_was_downed_is_forgotten() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.up();
    project.locald(["down"]).ok();
    home.stop_daemon();
    home.locald(["server", "start"]).ok();
    assert_eq!(home.status().projects().len(), 0);
}

#[test]
fn a_project_that_was_stopped_stays_stopped() {
    let home = Home::new();
    let listen = svc(["append=born:x", "listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.up();
    project.locald(["stop"]).ok();
    home.stop_daemon();
    home.locald(["server", "start"]).ok();
    let status = project.until("it is restored", |project| !project.services().is_empty());
    assert_eq!(status.states(), "web=stopped");
    assert_eq!(project.lines("born").len(), 1);
}

#[test]
fn a_corrupt_state_file_is_set_aside_with_a_warning() {
    for text in ["", "{", "{\"version\": 99999}", "\u{0}\u{1}\u{2}", "[]", "null"] {
        let home = Home::new();
        home.write("state/state.json", text);
        let listen = svc(["listen", "forever"]);
        let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
        project.up();
        crate::support::eventually("a new one is written", || {
            let state = fs::read_to_string(home.state_dir().join("state.json")).ok()?;
            state.contains("shop").then_some(())
        });
        let aside = fs::read_dir(home.state_dir())
            .expect("it is there")
            .filter_map(|entry| entry.expect("it is there").file_name().into_string().ok())
            .find(|name| name.starts_with("state.json") && name != "state.json");
        let aside = aside.unwrap_or_else(|| panic!("{text:?} was not set aside"));
        assert_eq!(fs::read_to_string(home.state_dir().join(aside)).expect("as it was"), text);
        let log = home.locald(["server", "logs"]).ok();
        assert!(log.stdout.contains("state.json"), "{log}");
    }
}

#[test]
fn a_project_whose_folder_is_gone_does_not_hinder_the_others() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let gone = home.project("gone", &format!("[services.web]\n{listen}\n"));
    let stays = home.project("stays", &format!("[services.web]\n{listen}\n"));
    gone.up();
    stays.up();
    home.stop_daemon();
    fs::remove_dir_all(gone.dir()).expect("it is ours");
    home.locald(["server", "start"]).ok();
    stays.until_state("web", "healthy");
}

#[test]
fn a_project_whose_file_is_broken_now_does_not_hinder_the_others() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let broken = home.project("broken", &format!("[services.web]\n{listen}\n"));
    let fine = home.project("fine", &format!("[services.web]\n{listen}\n"));
    broken.up();
    fine.up();
    home.stop_daemon();
    broken.write("locald.toml", "[project\n");
    home.locald(["server", "start"]).ok();
    fine.until_state("web", "healthy");
    broken
        .write("locald.toml", format!("[project]\nname = \"broken\"\n[services.web]\n{listen}\n"));
    broken.up();
}

#[test]
fn state_is_written_whole() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.up();
    for _ in 0..5 {
        project.locald(["restart"]).ok();
        let text = fs::read(home.state_dir().join("state.json")).expect("it is there");
        serde_json::from_slice::<serde_json::Value>(&text).expect("at every moment whole");
    }
    let leftovers: Vec<_> = {
        home.stop_daemon();
        fs::read_dir(home.state_dir())
            .expect("it is there")
            .map(|entry| entry.expect("it is there").file_name())
            .filter(|name| name.to_string_lossy().contains("tmp"))
            .collect()
    };
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[test]
fn a_notify_socket_that_a_killed_daemon_left_goes_with_the_next_one() {
    let home = Home::new();
    let project =
        home.project("shop", "[services.w]\ntype = \"worker\"\ncommand = \"sleep 1000\"\n");
    let run = home.path().join("run");
    fs::create_dir_all(&run).expect("room");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).expect("it is ours");
    let stale = run.join("locald.sock.gone.web.notify");
    fs::write(&stale, "").expect("room");
    project.up();
    assert!(!stale.exists());
}
