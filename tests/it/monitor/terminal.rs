//! The monitor and its terminal: any size, any end, and what others write there.

use nix::sys::signal::Signal;

use super::{is, monitor, row, shop};
use crate::support::{Home, Project, eventually, kernel::kill, terminal::Terminal};

#[test]
fn it_fits_whatever_the_size_is() {
    let home = Home::new();
    let project = shop(&home);
    let mut mine = monitor(&project);
    mine.until_screen(|screen| is(screen, "web", "healthy"));
    for (rows, columns) in [(10, 40), (50, 200), (3, 12), (1, 1), (24, 80)] {
        mine.resize(rows, columns);
        mine.until_screen(|screen| match rows {
            1 => true,
            3 => screen.contains("q quit"),
            _ => {
                let last = screen.lines().nth(usize::from(rows) - 1);
                last.is_some_and(|last| last.starts_with("q quit")) && is(screen, "web", "healthy")
            }
        });
    }
    mine.say("?G");
    mine.until_screen(|screen| screen.contains("services go on running"));
}

#[test]
fn a_key_typed_while_the_size_changes_is_not_lost() {
    let home = Home::new();
    let project = shop(&home);
    let mut mine = monitor(&project);
    mine.until_screen(|screen| is(screen, "web", "healthy"));
    for turn in 0..60 {
        mine.resize(24, 80 + turn % 2);
        mine.say("?");
        mine.until_screen(|screen| screen.contains("go down or up"));
        mine.resize(24, 90 + turn % 2);
        mine.say("q");
        mine.until_screen(|screen| !screen.contains("go down or up"));
    }
}

fn noted(home: &Home, project: &Project<'_>) -> Terminal {
    let locald = home.binary().display();
    let line = format!(
        "stty -g >before; sh -c 'echo $$ >pid; exec {locald} monitor'; \
         echo code $? >code; stty -g >after; echo l''eft"
    );
    let shell = home.program("sh").args(["-c", &line]).env("TERM", "xterm-256color");
    let mut mine = shell.within(project.dir()).on_terminal();
    mine.until_screen(|screen| is(screen, "web", "healthy"));
    mine
}

#[track_caller]
fn is_as_it_was(project: &Project<'_>, mut mine: Terminal, code: i32) {
    mine.until("left");
    mine.end();
    assert_eq!(project.read("code"), format!("code {code}\n"));
    assert_eq!(project.read("before"), project.read("after"));
    let screen = mine.screen();
    assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
    assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    assert!(!screen.contents().contains("SERVICE"), "{}", screen.contents());
}

#[test]
fn the_terminal_is_left_as_it_was() {
    let home = Home::new();
    let project = shop(&home);
    let mut mine = noted(&home, &project);
    assert!(mine.screen().alternate_screen() && mine.screen().hide_cursor());
    assert_eq!(mine.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    mine.say("m");
    mine.until_screen(|screen| screen.contains("the mouse selects"));
    assert_ne!(mine.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    mine.say("q");
    is_as_it_was(&project, mine, 0);
}

#[test]
fn the_terminal_is_left_as_it_was_also_by_signals() {
    let home = Home::new();
    let project = shop(&home);
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130), (Signal::SIGHUP, 129)] {
        let mine = noted(&home, &project);
        kill(project.read("pid").trim().parse().expect("a pid"), signal);
        is_as_it_was(&project, mine, code);
    }
}

#[test]
fn ctrl_z_gives_the_shell_its_terminal_and_fg_comes_back() {
    let home = Home::new();
    let project = shop(&home);
    let shell = home.program("sh").args(["-i"]).env("TERM", "xterm-256color").env("PS1", "sh> ");
    let mut mine = shell.within(project.dir()).on_terminal();
    mine.until("sh>");
    mine.say(&format!("{} monitor\n", home.binary().display()));
    let uptime = |screen: &str| row(screen, "web").get(3).map(|&uptime| uptime.to_owned());
    for key in ["\x1a", "signal"] {
        let before = uptime(&mine.until_screen(|screen| is(screen, "web", "healthy")));
        if key == "signal" {
            let pid = eventually("the monitor is a job", || {
                let mine = |process: &crate::support::kernel::Process| {
                    process.command.ends_with(" monitor")
                };
                home.processes().into_iter().find(mine).map(|process| process.pid)
            });
            kill(pid, Signal::SIGTSTP);
        } else {
            mine.say(key);
        }
        mine.until_screen(|screen| screen.contains("Stopped") && !screen.contains("SERVICE"));
        mine.say("clear; stty -a | grep -o ' icanon'; echo th''ere\n");
        mine.until_screen(|screen| screen.contains("icanon") && screen.contains("there"));
        mine.say("fg\n");
        // Drawn since, not what stood there before.
        mine.until_screen(|screen| is(screen, "web", "healthy") && uptime(screen) != before);
    }
    mine.say("?");
    mine.until_screen(|screen| screen.contains("go down or up"));
    mine.say("q");
    mine.until_screen(|screen| !screen.contains("go down or up"));
    mine.say("q");
    mine.until_screen(|screen| !screen.contains("SERVICE"));
    mine.say("exit\n");
    mine.end();
}

#[test]
fn what_a_service_writes_cannot_command_the_terminal() {
    let home = Home::new();
    let evil = r"printf '\033]0;pwned\007\033[2J\033[?1049l\033[?25h\033[5;5H\033[31mred\033[0m \033]52;c;aGk=\007x\n'; exec sleep 1000";
    let command = serde_json::to_string(evil).expect("a string");
    let project =
        home.project("shop", &format!("[services.w]\ntype = \"worker\"\ncommand = {command}\n"));
    project.up();
    let mut mine = monitor(&project);
    mine.until_screen(|screen| screen.contains("red x") && is(screen, "w", "healthy"));
    let seen = mine.seen();
    for bad in ["pwned", "\x1b]", "\x1b[?1049l", "\x1b[5;5H"] {
        assert!(!seen.contains(bad), "{bad:?} in {seen:?}");
    }
    let screen = mine.screen();
    let (row, _) = screen
        .contents()
        .lines()
        .enumerate()
        .find(|(_, l)| l.contains("red x"))
        .expect("it is there");
    let cell = screen.cell(u16::try_from(row).expect("few"), 0).expect("it is there");
    assert_eq!((cell.contents(), cell.fgcolor()), ("r", vt100::Color::Idx(1)));
}

#[test]
fn without_colours_there_are_none_and_all_can_still_be_seen() {
    let home = Home::new();
    let red =
        "type = \"worker\"\ncommand = \"printf '\\\\033[31mred\\\\033[0m\\\\n'; exec sleep 1000\"";
    let project = home.project("shop", &format!("[services.w]\n{red}\n"));
    project.up();
    let run = project.locald(["monitor"]).env("TERM", "xterm-256color").env("NO_COLOR", "1");
    let mut mine = run.on_terminal();
    mine.until_screen(|screen| screen.contains("red") && is(screen, "w", "healthy"));
    let screen = mine.screen();
    for row in 0..24 {
        for column in 0..80 {
            let cell = screen.cell(row, column).expect("it is there");
            let plain = (vt100::Color::Default, vt100::Color::Default);
            assert_eq!((cell.fgcolor(), cell.bgcolor()), plain, "{row}, {column}");
        }
    }
    assert!(screen.cell(2, 0).is_some_and(vt100::Cell::inverse), "what is selected is seen");
}

#[test]
fn where_nothing_can_be_drawn_it_says_what_can_be_done() {
    let home = Home::new();
    let project = shop(&home);
    project.locald(["monitor"]).fails(2).and_clearly().complains("status --watch");
    let mut dumb = project.locald(["monitor"]).env("TERM", "dumb").on_terminal();
    dumb.until("status --watch");
    assert_eq!(dumb.end().exit_code(), 2);
    home.stop_daemon();
    let mut alone = monitor(&project);
    alone.until("no daemon is running");
    assert_eq!(alone.end().exit_code(), 3);
    assert!(!alone.seen().contains("\x1b[?1049h"));
}
