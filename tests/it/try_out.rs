//! `try`: a command as a service for as long as somebody looks at it.

use nix::sys::signal::Signal;

use crate::support::{Home, eventually, kernel, svc};

/// The program and the steps of a service, as arguments.
fn words(steps: &[&str]) -> Vec<String> {
    let program = svc::program().to_str().expect("a plain path").to_owned();
    std::iter::once(program).chain(steps.iter().map(|&step| step.to_owned())).collect()
}

#[test]
fn it_is_served_with_its_output_until_ctrl_c_and_leaves_nothing() {
    let home = Home::new();
    let folder = home.folder("here").with(".env", "MARK=from-dot-env\n");
    let mut trial = folder
        .locald(["try", "--name", "app", "--"])
        .arg(format!("pwd; exec {} print-env=MARK listen forever", svc::program().display()))
        .stream();
    trial.find_text("http://try-app.localhost:");
    trial.find_text(folder.dir().to_str().expect("a plain path"));
    trial.find_text("MARK=from-dot-env");
    assert_eq!(home.status().project("try-app").states(), "app=healthy");
    trial.signal(Signal::SIGINT);
    assert!(trial.end().success());
    assert_eq!(home.status().projects().len(), 0);
    eventually("its folder is gone", || {
        let left = std::fs::read_dir(home.state_dir().join("try")).expect("it is there").count();
        (left == 0).then_some(())
    });
    assert_eq!(folder.read("locald.toml"), "", "nobody was asked, and nothing kept");
}

#[test]
fn it_ends_with_its_command_however_that_ends() {
    let home = Home::new();
    let folder = home.folder("here");
    let mut trial =
        folder.locald(["try", "--name", "app", "--"]).args(words(&["listen", "forever"])).stream();
    trial.find_text("http://try-app.localhost:");
    let mut watch = home.locald(["status", "--all", "--watch", "--json"]).stream();
    watch.find("the service", |line| line.contains("\"healthy\""));
    trial.signal(Signal::SIGKILL);
    trial.end();
    watch.find("its end", |line| line.contains("\"projects\":[]"));
}

#[test]
fn several_of_one_name_do_not_meet() {
    let home = Home::new();
    let folder = home.folder("here");
    let start = || {
        folder.locald(["try", "--name", "app", "--"]).args(words(&["listen", "forever"])).stream()
    };
    let (mut one, mut other) = (start(), start());
    for trial in [&mut one, &mut other] {
        trial.find_text("localhost:");
    }
    assert_eq!(home.status().projects().len(), 2);
    for mut trial in [one, other] {
        trial.signal(Signal::SIGINT);
        assert!(trial.end().success());
    }
}

#[test]
fn a_command_that_fails_is_a_failure_and_a_task_is_over_when_it_is_done() {
    let home = Home::new();
    let folder = home.folder("here");
    folder.locald(["try", "--type", "task", "--", "sh", "-c", "echo done well"]).ok().says("is up");
    folder
        .locald(["try", "--type", "task", "--", "sh", "-c", "echo bad luck; exit 3"])
        .fails(1)
        .complains("bad luck");
    folder.locald(["try", "--", "echo ${services.nobody.port}"]).fails(4).complains("nobody");
    assert_eq!(home.status().projects().len(), 0);
}

#[test]
fn on_a_terminal_it_can_be_kept() {
    let home = Home::new();
    let folder = home.folder("shop");
    let command = "echo at work; exec sleep 1000";
    let mut terminal = folder
        .locald(["try", "--type", "worker", "--name", "jobs", "--", command])
        .env("TERM", "xterm")
        .on_terminal();
    terminal.until("at work");
    terminal.say("\x03");
    terminal.until("Keep it");
    terminal.say("y\n");
    terminal.until("added `jobs`");
    assert!(terminal.end().success());
    assert!(folder.read("locald.toml").contains("[services.jobs]"));
    folder.locald(["check"]).ok();
}

#[test]
fn a_daemon_that_comes_after_a_crash_ends_what_nobody_holds() {
    let home = Home::new();
    let folder = home.folder("here");
    let mut trial =
        folder.locald(["try", "--name", "app", "--"]).args(words(&["listen", "forever"])).stream();
    trial.find_text("http://try-app.localhost:");
    let pid = home.status().project("try-app").service("app").pid();
    kernel::kill(home.daemon_pid(), Signal::SIGKILL);
    assert!(!trial.end().success());
    eventually("it is gone", || (home.status().projects().is_empty()).then_some(()));
    assert!(!kernel::is_alive(pid));
}
