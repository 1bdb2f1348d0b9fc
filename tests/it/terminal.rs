//! On a terminal: colours, live progress, and the terminal that services get.

use crate::support::{Home, Project, command::Output, svc};

/// Runs a shell line on a terminal of 31 lines and 101 columns; standard output has all it showed.
fn on_terminal(project: &Project<'_>, home: &Home, line: &str) -> Output {
    let locald = home.binary().display();
    let line = format!("stty rows 31 cols 101; locald() {{ {locald} \"$@\"; }}; {line}");
    home.program("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("TERM", "xterm-256color")
        .env("SHELL", "/bin/sh")
        .within(project.dir())
        .run()
}

#[test]
fn a_service_has_a_terminal_of_the_clients_size_and_its_kind() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.t]\ntype = \"task\"\ncommand = \"stty size; echo $TERM; tput colors || true\"\n",
    );
    on_terminal(&project, &home, "locald up").exits(0);
    let log = project.log("t");
    assert_eq!(log[..2], ["31 101", "xterm-256color"], "{log:?}");
}

#[test]
fn without_a_terminal_a_service_has_one_of_the_usual_size() {
    let home = Home::new();
    let project = home.project("shop", "[services.t]\ntype = \"task\"\ncommand = \"stty size\"\n");
    project.up();
    assert_eq!(project.log("t"), ["24 80"]);
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let home = Home::new();
    let project =
        home.project("shop", &format!("[services.web]\n{}\n", svc(["listen", "forever"])));
    project.up();
    let coloured = on_terminal(&project, &home, "locald status").exits(0);
    assert!(coloured.stdout.contains("\x1b["), "{coloured}");
    for line in ["NO_COLOR=1 locald status", "TERM=dumb locald status", "locald status | cat"] {
        let plain = on_terminal(&project, &home, line).exits(0);
        assert!(plain.stdout.contains("healthy") && !plain.stdout.contains('\x1b'), "{plain}");
    }
}

#[test]
fn progress_is_drawn_in_place_and_what_is_left_is_the_outcome() {
    let home = Home::new();
    let project = home
        .project("shop", &format!("[services.web]\n{}\n", svc(["sleep=400", "listen", "forever"])));
    let up = on_terminal(&project, &home, "locald up").exits(0);
    assert!(up.stdout.contains("starting"), "what is under way is shown: {up}");
    assert!(up.stdout.contains("shop") && up.stdout.contains("http://shop.localhost:"), "{up}");
    // Whatever hides the cursor shows it again.
    let at = |what: &str| up.stdout.rfind(what);
    assert!(at("\x1b[?25l") <= at("\x1b[?25h"), "{up}");
}

#[test]
fn a_failure_on_a_terminal_is_told_in_full() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.web]\nmax_restarts = 0\ncommand = \"echo out of luck; exit 3\"\n",
    );
    on_terminal(&project, &home, "locald up").exits(1).says("out of luck").says("web");
}

#[test]
fn a_narrow_table_is_cut_and_a_wide_one_is_not() {
    let home = Home::new();
    let project = home.project(
        "shop",
        &format!(
            "[services.a-service-with-a-rather-long-name-for-a-table]\n{}\n",
            svc([
                "notify=STATUS=a rather long status of a service that talks\\nREADY=1",
                "listen",
                "forever"
            ])
        ),
    );
    project.up();
    let status = on_terminal(&project, &home, "stty cols 60; NO_COLOR=1 locald status").exits(0);
    assert!(status.stdout.lines().all(|line| line.trim_end().chars().count() <= 60), "{status}");
}
