//! `attach`: a service's terminal on one's own.

use crate::support::{Home, Project};

/// A shell that is a service.
const SHELL: &str = "[services.sh]\ntype = \"worker\"\n\
                     command = \"trap 'stty size' WINCH; PS1='ready> ' exec sh -i\"\n";

fn shell(home: &Home) -> Project<'_> {
    let project = home.project("shop", SHELL);
    project.up();
    project
}

#[test]
fn what_is_typed_arrives_and_what_is_shown_comes_back_and_stays() {
    let home = Home::new();
    let project = shell(&home);
    let pid = project.service("sh").pid();
    let mut mine = project.locald(["attach", "sh"]).on_terminal();
    mine.until("ready>");
    mine.say("echo a$((1+1))b\n");
    mine.until("a2b\r\n");
    // The service gets Ctrl-C, not we.
    mine.say("(echo be''gun; exec sleep 1000)\n");
    mine.until("begun");
    mine.say("\x03");
    mine.until("ready>");
    mine.say("echo st''ill\n");
    mine.until("still\r\n");
    mine.say("\x1d");
    mine.until("detached; sh goes on running");
    assert!(mine.end().success());
    assert_eq!(project.service("sh").pid(), pid);
    assert!(project.log("sh").iter().any(|line| line == "a2b"), "{:?}", project.log("sh"));

    let mut again = project.locald(["attach", "--detach-key", "ctrl-q", "sh"]).on_terminal();
    again.until("a2b");
    again.until("ready>");
    again.say("echo $((2+3))\x1d\n");
    again.until("5");
    again.say("\x11");
    assert!(again.end().success());
}

#[test]
fn the_size_is_that_of_whoever_types() {
    let home = Home::new();
    let project = shell(&home);
    let mut mine = project.locald(["attach", "sh"]).on_terminal();
    mine.until("ready>");
    mine.resize(31, 101);
    mine.say("stty size\n");
    mine.until("31 101");
    let mut other = project.locald(["attach", "sh"]).on_terminal();
    other.until("31 101");
    mine.say("stty size; echo th''ere\n");
    mine.until("31 101");
    other.until("there");
    other.say("x");
    other.until("somebody else types");
    mine.say("\x1d");
    assert!(mine.end().success());
    // The place is free as soon as the daemon has seen the other go: keys are lost until then.
    other.say("\x15echo m''ine now\n");
    other.until_or("mine now", |other| other.say("\x15echo m''ine now\n"));
    other.say("\x1d");
    assert!(other.end().success());
}

#[test]
fn it_lasts_over_the_lives_of_the_service_and_ends_with_the_project() {
    let home = Home::new();
    let project = shell(&home);
    let mut mine = project.locald(["attach", "sh"]).on_terminal();
    mine.until("ready>");
    project.locald(["stop", "sh"]).ok();
    mine.until("sh is not running");
    project.locald(["start", "sh"]).ok();
    mine.until("ready>");
    mine.say("echo a$((1+1))b\n");
    mine.until("a2b\r\n");
    project.locald(["down"]).ok();
    mine.until("project shop is down");
    assert_eq!(mine.end().exit_code(), 1);
}

#[test]
fn the_terminal_is_left_as_it_was() {
    let home = Home::new();
    let project = shell(&home);
    let locald = home.binary().display();
    let line = format!("stty -g >before; {locald} attach sh; stty -g >after; echo l''eft");
    let mut mine = home.program("sh").args(["-c", &line]).within(project.dir()).on_terminal();
    mine.until("ready>");
    mine.say("printf '\\033[?1049h\\033[?25l'; echo h''idden\n");
    mine.until("hidden\r\n");
    mine.say("\x1d");
    mine.until("left");
    assert_eq!(project.read("before"), project.read("after"));
    let seen = mine.seen();
    assert!(seen.rfind("\x1b[?1049l") > seen.rfind("\x1b[?1049h"), "{seen:?}");
    assert!(seen.rfind("\x1b[?25h") > seen.rfind("\x1b[?25l"), "{seen:?}");
}

#[test]
fn through_a_pipe_it_types_what_comes_and_ends_with_it() {
    let home = Home::new();
    let project = home.project("shop", "[services.w]\ntype = \"worker\"\ncommand = \"cat >got\"\n");
    project.up();
    project.locald(["attach", "w"]).stdin("one line\n").ok();
    project.locald(["attach", "w"]).stdin("\x04").ok();
    project.until("it has read all", |project| project.service("w").restarts() > 0);
    assert_eq!(project.read("got"), "", "it has begun again");
}

#[test]
fn a_service_that_does_not_read_keeps_nobody_from_leaving() {
    let home = Home::new();
    let deaf =
        "[services.w]\ntype = \"worker\"\ncommand = \"stty raw -echo; echo d''eaf; sleep 1000\"\n";
    let project = home.project("shop", deaf);
    project.up();
    project.follow("w").find_text("deaf");
    project.locald(["attach", "w"]).stdin("0123456789\n".repeat(50_000)).ok();
    let mut mine = project.locald(["attach", "w"]).on_terminal();
    mine.until("deaf");
    mine.say("x");
    mine.until_or("does not read", |mine| mine.say("x"));
    mine.say("\x1d");
    assert!(mine.end().success());
}

#[test]
fn what_has_no_terminal_is_refused() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\ntype = \"worker\"\ncommand = \"sleep 1000\"\ntty = false\n",
    );
    project.locald(["attach", "w"]).fails(3).and_clearly();
    project.up();
    let refused = project.locald(["attach", "w"]).fails(2).and_clearly();
    assert!(refused.stderr.contains("tty") && refused.stderr.contains("locald logs -f w"));
    project.locald(["attach", "x"]).fails(2).and_clearly().complains("no service");
    project.locald(["attach", "--detach-key", "q", "w"]).fails(2).complains("ctrl-");
}
