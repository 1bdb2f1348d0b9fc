//! `monitor`: the whole screen, its keys, and the terminal that it leaves behind.

mod terminal;

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::{
    Home, Project,
    kernel::{is_alive, kill},
    svc,
    terminal::Terminal,
};

/// A server, and one that says what it is told to.
fn shop(home: &Home) -> Project<'_> {
    let web = svc(["listen", "forever"]);
    let says = "type = \"worker\"\ncommand = \"echo w''orker says hello; exec sleep 1000\"";
    let project = home.project("shop", &format!("[services.web]\n{web}\n[services.w]\n{says}\n"));
    project.up();
    project
}

fn monitor(project: &Project<'_>) -> Terminal {
    project.locald(["monitor"]).env("TERM", "xterm-256color").on_terminal()
}

/// The cells of a service's row; none: there is no such row.
fn row<'a>(screen: &'a str, service: &str) -> Vec<&'a str> {
    let rows = screen.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.len() > 2).find(|row| row[0] == service).unwrap_or_default()
}

/// Whether a service is in a state, as the screen has it.
fn is(screen: &str, service: &str, state: &str) -> bool {
    row(screen, service).get(1) == Some(&state)
}

#[test]
fn services_and_logs_are_shown_and_a_crash_is_seen_as_it_happens() {
    let home = Home::new();
    let project = shop(&home);
    let mut mine = monitor(&project);
    let screen =
        mine.until_screen(|screen| is(screen, "web", "healthy") && screen.contains("log of web"));
    let web = project.service("web");
    let first = screen.lines().next().unwrap_or_default();
    assert!(first.contains("shop") && first.contains("healthy"), "{screen}");
    assert!(row(&screen, "web").contains(&web.port().to_string().as_str()), "{screen}");
    assert!(screen.contains("q quit") && screen.contains("? help"), "{screen}");

    mine.say("j");
    mine.until_screen(|screen| {
        screen.contains("log of w ") && screen.contains("worker says hello")
    });
    kill(project.service("w").pid(), Signal::SIGKILL);
    let again = |screen: &str| screen.matches("worker says hello").count() == 2;
    mine.until_screen(|screen| {
        again(screen) && is(screen, "w", "healthy") && row(screen, "w").get(2) == Some(&"1")
    });
    mine.say("q");
    assert!(mine.end().success());
    assert!(is_alive(project.service("web").pid()));
}

#[test]
fn keys_stop_start_and_restart_and_a_whole_project_is_asked_about() {
    let home = Home::new();
    let project = shop(&home);
    let (web, w) = (project.service("web").pid(), project.service("w").pid());
    let mut mine = monitor(&project);
    mine.until_screen(|screen| is(screen, "w", "healthy"));
    mine.say("jS");
    mine.until_screen(|screen| is(screen, "w", "stopped") && screen.contains("w is stopped"));
    assert!(is_alive(web) && !is_alive(w));
    mine.say("s");
    mine.until_screen(|screen| is(screen, "w", "healthy") && screen.contains("w is up"));
    mine.say("kr");
    mine.until_screen(|screen| screen.contains("web is up again"));
    let web = project.service("web").pid();
    mine.say("R");
    mine.until_screen(|screen| screen.contains("Restart all services of shop?"));
    mine.say("n");
    mine.until_screen(|screen| screen.contains("not done"));
    assert_eq!(project.service("web").pid(), web);
    mine.say("xy");
    mine.until_screen(|screen| is(screen, "web", "stopped") && is(screen, "w", "stopped"));
    mine.say("u");
    mine.until_screen(|screen| is(screen, "web", "healthy") && is(screen, "w", "healthy"));
}

#[test]
fn what_goes_wrong_is_told_and_why_it_did() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.bad]\nautostart = false\nmax_restarts = 0\ntype = \"worker\"\ncommand = \"exit 3\"\n",
    );
    project.up();
    let mut mine = monitor(&project);
    mine.until_screen(|screen| is(screen, "bad", "stopped"));
    mine.say("s");
    mine.until_screen(|screen| screen.contains("bad: exited with code 3"));
    mine.say("w");
    mine.until_screen(|screen| screen.contains("why bad") && screen.contains("bad has failed"));
    mine.say("q");
    mine.until_screen(|screen| !screen.contains("why bad"));
    mine.say("e");
    mine.until_screen(|screen| screen.contains("shop/bad") && screen.contains("gave-up"));
    mine.say("qo");
    mine.until_screen(|screen| screen.contains("has no URL"));
}

#[test]
fn a_log_is_searched_filtered_and_scrolled() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\ntype = \"worker\"\ncommand = \"seq -f 'line %gx' 300; exec sleep 1000\"\n",
    );
    project.up();
    let mut mine = monitor(&project);
    mine.until_screen(|screen| screen.contains("line 300x"));
    mine.say("/LINE\x7f\x7f\x7f\x7fline 1.7\r");
    let screen = mine.until_screen(|screen| screen.contains("10 of 10"));
    assert!(screen.contains("line 197x"), "{screen}");
    mine.say("N");
    let screen = mine.until_screen(|screen| screen.contains("9 of 10"));
    assert!(screen.contains("line 187x"), "{screen}");
    mine.say("nn");
    let screen = mine.until_screen(|screen| screen.contains("1 of 10"));
    assert!(screen.contains("line 107x"), "{screen}");
    // First the search is given up, then the place.
    mine.say("\x1b");
    mine.until_screen(|screen| !screen.contains("/line 1.7"));
    mine.say("\x1b");
    mine.until_screen(|screen| screen.contains("line 300x"));
    mine.say("&99x\r");
    mine.until_screen(|screen| screen.contains("line 299x") && !screen.contains("line 300x"));
    mine.say("&\r");
    mine.until_screen(|screen| screen.contains("line 300x"));
    mine.say("\tg");
    mine.until_screen(|screen| screen.contains("line 1x") && screen.contains("stays"));
    mine.say("\x1b[6~");
    mine.until_screen(|screen| !screen.contains("line 1x") && screen.contains("line 20x"));
    mine.say("G");
    mine.until_screen(|screen| screen.contains("line 300x") && !screen.contains("stays"));
}

#[test]
fn attaching_lends_the_terminal_and_takes_it_back() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.sh]\ntype = \"worker\"\ncommand = \"PS1='ready> ' exec sh -i\"\n",
    );
    project.up();
    let mut mine = monitor(&project);
    mine.until_screen(|screen| is(screen, "sh", "healthy"));
    mine.say("a");
    mine.until_screen(|screen| screen.contains("ready>") && !screen.contains("SERVICE"));
    mine.say("echo a$((1+1))b\n");
    mine.until_screen(|screen| screen.contains("\na2b"));
    mine.say("\x1d");
    mine.until_screen(|screen| screen.contains("SERVICE") && screen.contains("a2b"));
    // No key is lost to whoever has read before.
    for _ in 0..3 {
        mine.say("?");
        mine.until_screen(|screen| screen.contains("go down or up"));
        mine.say("q");
        mine.until_screen(|screen| !screen.contains("go down or up"));
    }
    mine.say("q");
    assert!(mine.end().success());
}

#[test]
fn what_cannot_be_attached_to_is_said_on_the_screen() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\ntype = \"worker\"\ntty = false\ncommand = \"sleep 1000\"\n",
    );
    project.up();
    let mut mine = monitor(&project);
    mine.until_screen(|screen| is(screen, "w", "healthy"));
    mine.say("a");
    mine.until_screen(|screen| screen.contains("SERVICE") && screen.contains("its `tty` is false"));
}

/// The numbers of the lines `tick N` on the screen.
fn ticks(screen: &str) -> Vec<u32> {
    let number = |line: &str| line.strip_prefix("tick ").and_then(|n| n.trim().parse().ok());
    screen.lines().filter_map(number).collect()
}

#[test]
fn it_goes_on_with_the_next_daemon_and_no_line_is_missing_or_comes_twice() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\ntype = \"worker\"\n\
         command = \"n=0; while :; do n=$((n+1)); echo tick $n; sleep 0.02; done\"\n",
    );
    project.up();
    let mut mine = monitor(&project);
    mine.resize(1000, 80);
    mine.until_screen(|screen| ticks(screen).len() > 10);
    for _ in 0..2 {
        let daemon = home.daemon_pid();
        kill(daemon, Signal::SIGKILL);
        let screen = mine.until_screen(|screen| {
            let head = screen.lines().next().unwrap_or_default();
            head.contains("daemon ") && !head.contains(&format!("daemon {daemon} "))
        });
        let then = ticks(&screen).last().copied().unwrap_or_default();
        let screen = mine.until_screen(|screen| ticks(screen).last() > Some(&(then + 20)));
        let seen = ticks(&screen);
        let all: Vec<u32> = (seen[0]..).take(seen.len()).collect();
        assert_eq!(seen, all, "{screen}");
    }
}

#[test]
fn it_waits_for_a_daemon_that_was_stopped_and_for_a_project_that_is_down() {
    let home = Home::new();
    let project = shop(&home);
    let mut mine = monitor(&project);
    mine.until_screen(|screen| is(screen, "web", "healthy"));
    project.locald(["down"]).ok();
    mine.until_screen(|screen| screen.contains("this project is not running"));
    mine.say("u");
    mine.until_screen(|screen| is(screen, "web", "healthy") && screen.contains("is up"));
    home.stop_daemon();
    mine.until_screen(|screen| screen.contains("no daemon"));
    mine.say("S");
    mine.until_screen(|screen| screen.contains("not now"));
    project.up();
    mine.until_screen(|screen| is(screen, "web", "healthy") && !screen.contains("no daemon"));
    mine.say("j");
    mine.until_screen(|screen| screen.contains("worker says hello"));
}

/// A monitor run by a shell that notes how the terminal was and is, and who the monitor is.
#[test]
fn all_projects_and_their_tree() {
    let home = Home::new();
    let shop = shop(&home);
    let blog = home.project("blog", &format!("[services.site]\n{}\n", svc(["listen", "forever"])));
    blog.up();
    let run = shop.locald(["monitor", "--all"]).env("TERM", "xterm-256color");
    let mut mine = run.on_terminal();
    let all = |screen: &str| is(screen, "site", "healthy") && is(screen, "web", "healthy");
    mine.until_screen(|screen| all(screen) && screen.contains("2 projects"));
    mine.say("S");
    mine.until_screen(|screen| is(screen, "site", "stopped") && is(screen, "web", "healthy"));
    mine.say("t");
    mine.until_screen(|screen| screen.contains("service:site") && screen.contains("project:blog"));
}

#[test]
fn it_does_nothing_while_nothing_happens() {
    let home = Home::new();
    let project =
        home.project("shop", "[services.w]\nautostart = false\ncommand = \"sleep 1000\"\n");
    project.up();
    let mut mine = monitor(&project);
    mine.until_screen(|screen| is(screen, "w", "stopped"));
    // Nothing tells that nothing comes; that it is drawn anew later would be seen here as well.
    let later = mine.silent_for(Duration::from_millis(1500));
    // The end of the picture that was waited for may come after what is in it.
    assert_eq!(later.strip_prefix("\x1b[?2026l").unwrap_or(&later), "");
}
