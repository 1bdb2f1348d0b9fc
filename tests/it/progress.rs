//! `up` on a terminal: a line for each service, drawn in place.

use crate::support::{Home, svc};

/// Starts when the gate is opened, and writes hostile things until then.
const SLOW: &str = "type = \"worker\"\nhealth_check = \"test -e ready\"\n\
    command = 'printf \"gone\\033[2J\\033]0;x\\007\\n\\033[31mcreating \\342\\200\\256tables\\033[0m\\n\"; \
               read x < gate; touch ready; sleep 1000'\n";

#[test]
fn a_slow_service_shows_its_last_line_and_nothing_that_it_commands() {
    let home = Home::new();
    let web = svc(["listen", "forever"]);
    let services = format!("[services.db]\n{SLOW}[services.web]\n{web}\ndepends_on = [\"db\"]\n");
    let project = home.project("shop", &services);
    project.gate("gate");
    let mut up = project.locald(["up"]).env("TERM", "xterm-256color").on_terminal();
    up.until("waits for db");
    up.until("| creating tables");
    project.open("gate");
    up.until("shop is up after ");
    up.until("http://shop.localhost:");
    assert!(up.end().success());
    let seen = up.seen();
    assert!(
        !seen.contains("\x1b[2J") && !seen.contains("\x1b]0") && !seen.contains('\u{202e}'),
        "{seen:?}"
    );
}

#[test]
fn a_small_terminal_is_enough_and_may_change() {
    let home = Home::new();
    let workers: Vec<String> = (0..40).map(|n| format!("[services.worker{n}]\n{SLOW}")).collect();
    let workers = workers.concat().replace("read x < gate; touch ready; ", "");
    let project = home.project("shop", &workers);
    let mut up = project.locald(["up"]).env("TERM", "xterm-256color").on_terminal();
    up.until("more; 0 of 40 done");
    up.resize(5, 20);
    up.until("… and 37 more; 0 o");
    up.resize(50, 100);
    up.until("worker39");
    up.resize(1, 1);
    project.write("ready", "");
    assert!(up.end().success());
}

#[test]
fn ctrl_c_leaves_the_services_and_a_clean_line() {
    let home = Home::new();
    let project = home.project("shop", &format!("[services.db]\n{SLOW}"));
    project.gate("gate");
    let mut up = project.locald(["up"]).env("TERM", "xterm-256color").on_terminal();
    up.until("starting");
    up.say("\x03");
    up.until("interrupted; the services are left as they are");
    assert_eq!(up.end().exit_code(), 130);
    assert_eq!(project.service("db").state(), "starting");
    project.open("gate");
}

#[test]
fn a_ci_gets_plain_lines_also_on_a_terminal() {
    let home = Home::new();
    let project = home.project("shop", &format!("[services.db]\n{SLOW}"));
    project.write("ready", "");
    for (args, ci) in [(&["up"][..], "true"), (&["up", "--ci"][..], "")] {
        let run = args.iter().fold(project.locald([]), crate::support::command::Run::arg);
        let mut up = run.env("TERM", "xterm-256color").env("CI", ci).on_terminal();
        up.until("db: healthy");
        up.until("shop is up");
        assert!(up.end().success());
        assert!(!up.seen().contains('\x1b'), "{:?}", up.seen());
        project.locald(["down"]).ok();
    }
}
