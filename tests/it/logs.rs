//! What services print: kept, found, followed, rotated.

use std::{fs, time::Duration};

use crate::support::{DEADLINE, Home, Project, eventually, svc};

fn printing<'a>(home: &'a Home, command: &str) -> Project<'a> {
    home.project("shop", &format!("[services.t]\ntype = \"task\"\ncommand = {command:?}\n"))
}

/// Everything in the log files of a service, oldest first.
fn on_disk(home: &Home, service: &str) -> String {
    let dir = home.state_dir().join("logs/shop");
    let mut files: Vec<_> = fs::read_dir(dir)
        .expect("there are logs")
        .map(|entry| entry.expect("it is there").path())
        .filter(|path| path.to_string_lossy().contains(service))
        .collect();
    files.sort_by_key(|path| fs::metadata(path).and_then(|m| m.modified()).expect("a time"));
    files.iter().map(|path| fs::read_to_string(path).expect("plain text")).collect()
}

#[test]
fn the_file_is_for_people_too() {
    let home = Home::new();
    printing(&home, "echo hello; echo wörld").up();
    let text = fs::read_to_string(home.state_dir().join("logs/shop/t.log")).expect("it is there");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].starts_with("20") && lines[0].ends_with("hello"), "{text}");
    assert!(lines[1].ends_with("wörld"), "{text}");
}

#[test]
fn the_last_lines_the_matching_and_the_recent_ones() {
    let home = Home::new();
    let project = printing(&home, "seq 1 50");
    project.up();
    let lines = |args: [&str; 3]| {
        let output = project.locald(["logs", "t"]).args(args.iter().filter(|a| !a.is_empty())).ok();
        output.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(["", "", ""]).len(), 50);
    assert_eq!(lines(["-n", "3", ""]), ["48", "49", "50"]);
    assert_eq!(lines(["-n", "0", ""]), [""; 0]);
    assert_eq!(
        lines(["--grep", "^4.$", ""]),
        ["40", "41", "42", "43", "44", "45", "46", "47", "48", "49"]
    );
    assert_eq!(lines(["--grep", "^4.$", "-n2"]), ["48", "49"]);
    assert_eq!(lines(["--since", "1h", ""]).len(), 50);
    assert_eq!(lines(["--since", "2999-01-01T00:00:00Z", ""]).len(), 0);
    let stamped = lines(["--timestamps", "-n1", ""]);
    assert!(stamped[0].starts_with("20") && stamped[0].ends_with("Z 50"), "{stamped:?}");
}

#[test]
fn since_leaves_out_what_was_before() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\ntype = \"worker\"\ncommand = \"echo first; read x < gate; echo second; sleep 1000\"\n",
    );
    project.gate("gate");
    project.up();
    let mut follow = project.locald(["logs", "-f", "--json"]).stream();
    follow.find_text("first");
    project.open("gate");
    let second: serde_json::Value =
        serde_json::from_str(&follow.find_text("second")).expect("a line of JSON");
    let since = project.locald(["logs", "--since", second["at"].as_str().expect("a time")]).ok();
    assert!(since.stdout.contains("second"), "{since}");
    let json = project.locald(["logs", "--json"]).ok().json_lines();
    if json[0]["at"] != second["at"] {
        assert!(!since.stdout.contains("first"), "{since}");
    }
}

#[test]
fn several_services_are_told_apart_and_in_order_of_time() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.a]\ntype = \"task\"\ncommand = \"echo from a\"\n\
         [services.bee]\ntype = \"task\"\ncommand = \"echo from bee\"\ndepends_on = [\"a\"]\n\
         [services.c]\ntype = \"task\"\ncommand = \"echo from c\"\ndepends_on = [\"bee\"]\n",
    );
    project.up();
    let logs = project.locald(["logs"]).ok().stdout;
    assert_eq!(logs, "a   | from a\nbee | from bee\nc   | from c\n");
    let some = project.locald(["logs", "c", "a"]).ok();
    assert!(some.stdout.contains("from a") && !some.stdout.contains("bee"), "{some}");
}

#[test]
fn following_shows_what_comes_also_from_a_new_life() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\ntype = \"worker\"\ncommand = \"echo life $$$$; while read x < gate; do echo tick; done\"\n",
    );
    project.gate("gate");
    project.up();
    let mut follow = project.follow("w");
    let first = follow.find_text("life");
    project.open("gate");
    follow.find_text("tick");
    project.locald(["restart", "w"]).ok();
    let second = follow.find_text("life");
    assert_ne!(first, second);
}

#[test]
fn a_last_line_without_an_end_is_kept() {
    let home = Home::new();
    let project = printing(&home, "printf 'no end'");
    project.up();
    assert_eq!(project.log("t"), ["no end"]);
}

#[test]
fn odd_bytes_and_long_lines_are_kept_readable() {
    let home = Home::new();
    let project = printing(
        &home,
        "printf 'bad \\377 byte\\n'; printf '\\033[31mred\\033[0m\\n'; head -c 200000 /dev/zero | tr '\\0' x; echo",
    );
    project.up();
    let log = project.log("t");
    assert!(log[0].starts_with("bad ") && log[0].ends_with(" byte"), "{:?}", log[0]);
    assert_eq!(log[1], "red", "colours are for terminals");
    let size: usize = log[2..].iter().map(|line| line.matches('x').count()).sum();
    assert_eq!(size, 200_000);
}

#[test]
fn the_last_words_before_an_exit_are_not_lost() {
    let home = Home::new();
    for tty in [true, false] {
        let name = format!("t{tty}");
        let project = home.project(
            "shop",
            &format!(
                "[services.{name}]\ntype = \"task\"\ntty = {tty}\n{}\n",
                svc(["flood=2000:40", "print-partial=the end", "exit=0"])
            ),
        );
        project.up();
        let log = project.log(&name);
        assert_eq!(log.last().map(String::as_str), Some("the end"), "tty = {tty}");
        assert_eq!(log.len(), 2001);
        project.locald(["down"]).ok();
    }
}

#[test]
fn a_flood_is_all_on_disk_whole_and_in_order() {
    let lines = 100_000;
    for tty in [true, false] {
        let home = Home::new();
        home.write("config/config.toml", "[logs]\nmax_size = \"100MB\"\n");
        let project = home.project(
            "shop",
            &format!(
                "[services.t]\ntype = \"task\"\ntty = {tty}\n{}\n",
                svc([&format!("flood={lines}:100"), "exit=0"])
            ),
        );
        let mut slow = None;
        project.locald(["up", "--no-wait"]).ok();
        // A follower that does not read must not matter.
        slow.replace(project.locald(["logs", "-f"]).stream());
        project.locald(["wait", "--timeout", "300s"]).ok();
        let text = on_disk(&home, "t");
        let mut next = 0_u64;
        for line in text.lines() {
            let start = line.len() - 100;
            let number: u64 = line[start..start + 9].parse().unwrap_or_else(|_| panic!("{line}"));
            assert_eq!(number, next, "tty = {tty}");
            assert!(line[start + 10..].bytes().all(|byte| byte == b' ' || byte == b'x'), "{line}");
            next += 1;
        }
        assert_eq!(next, lines, "tty = {tty}");
    }
}

#[test]
fn files_are_rotated_by_size_few_are_kept_and_followers_miss_nothing() {
    let home = Home::new();
    home.write("config/config.toml", "[logs]\nmax_size = \"50KB\"\nkeep = 2\n");
    let project = home.project(
        "shop",
        "[services.w]\ntype = \"worker\"\n\
         command = \"echo ready; read x < gate; seq -f 'line %08g' 1 20000; read x < gate; echo over; sleep 1000\"\n",
    );
    project.gate("gate");
    project.up();
    let mut follow = project.follow("w");
    follow.find_text("ready");
    project.open("gate");
    for n in 1..=20_000 {
        let line = follow.line().expect("it goes on");
        if line.contains("skipped") {
            break;
        }
        assert_eq!(line, format!("line {n:08}"));
    }
    project.open("gate");
    follow.find_text("over");
    let dir = home.state_dir().join("logs/shop");
    let files: Vec<_> = fs::read_dir(dir)
        .expect("there are logs")
        .map(|entry| entry.expect("it is there"))
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("w."))
        .collect();
    assert_eq!(files.len(), 3, "the current one and two: {files:?}");
    for file in &files {
        let size = file.metadata().expect("it is there").len();
        assert!(size <= 51_000, "{file:?} has {size} bytes");
    }
    // What is left can be read over the seams.
    let log = project.log("w");
    assert_eq!(log.last().map(String::as_str), Some("over"));
    let numbers: Vec<u32> =
        log.iter().filter_map(|line| line.strip_prefix("line ")?.parse().ok()).collect();
    assert!(numbers.len() > 1000, "{}", numbers.len());
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = Home::new();
    let project = printing(&home, "seq 1 20000");
    project.up();
    let script = format!("{} logs | head -1", home.binary().display());
    let output =
        home.program("/bin/bash").args(["-o", "pipefail", "-c", &script]).within(project.dir());
    let output = output.run();
    assert_eq!(output.stdout, "1\n", "{output}");
    assert_eq!(output.stderr, "", "nobody is to be told: {output}");
    assert!([0, 141].contains(&output.code()), "{output}");
}

#[test]
fn nothing_is_lost_when_the_daemon_stops() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\ntype = \"worker\"\ncommand = \"trap 'echo bye; exit 0' TERM; echo hi; while :; do sleep 0.02; done\"\n",
    );
    project.up();
    eventually("it said hi", || project.log("w").contains(&"hi".to_owned()).then_some(()));
    home.stop_daemon();
    let text = on_disk(&home, "w");
    assert!(text.contains("hi") && text.trim_end().ends_with("bye"), "{text}");
    // And a new daemon finds it.
    project.up();
    let log = project.log("w");
    assert!(log.contains(&"bye".to_owned()), "{log:?}");
}

#[test]
fn the_logs_of_a_stopped_service_can_be_read() {
    let home = Home::new();
    let project = printing(&home, "echo kept");
    project.up();
    project.locald(["stop"]).ok();
    assert_eq!(project.log("t"), ["kept"]);
}

#[test]
fn a_very_chatty_service_can_still_be_asked_about() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.w]\ntype = \"worker\"\ncommand = \"while :; do echo chatter chatter; done\"\n",
    );
    project.up();
    let status = project.locald(["status"]).ok();
    assert!(status.took < DEADLINE / 6, "{status}");
    let tail = project.locald(["logs", "-n", "5"]).ok();
    assert_eq!(tail.stdout.lines().count(), 5, "{tail}");
    assert!(tail.took < Duration::from_secs(10), "{tail}");
}
