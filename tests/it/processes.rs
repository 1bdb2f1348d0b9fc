//! What a service's process is given, and what it costs.

use crate::support::{Home, eventually, kernel, svc};

#[test]
fn a_service_is_the_leader_of_its_own_session_with_a_terminal() {
    let home = Home::new();
    let command = svc(["print-terminal", "listen", "forever"]);
    let project = home.project("shop", &format!("[services.s]\n{command}\n"));
    project.up();
    let pid = project.service("s").pid();
    let stat = kernel::stat(pid).expect("it runs");
    assert_eq!((stat.session, stat.group), (pid, pid));
    assert_ne!(stat.terminal, 0);
    assert_eq!(project.log("s"), ["terminal true"]);
}

#[test]
fn without_a_terminal_there_are_two_streams() {
    let home = Home::new();
    let command = svc(["print-terminal", "eprint=oh", "listen", "forever"]);
    let project = home.project("shop", &format!("[services.s]\ntty = false\n{command}\n"));
    project.up();
    let pid = project.service("s").pid();
    let stat = kernel::stat(pid).expect("it runs");
    assert_eq!((stat.session, stat.terminal), (pid, 0));
    let lines = eventually("both lines are there", || {
        let lines = project.locald(["logs", "--json", "s"]).ok().json_lines();
        (lines.len() == 2).then_some(lines)
    });
    let of = |stream: &str| lines.iter().find(|line| line["stream"] == stream).cloned();
    assert_eq!(of("out").expect("standard output")["line"], "terminal false");
    assert_eq!(of("err").expect("standard error")["line"], "oh");
}

#[test]
fn an_array_is_run_directly_and_a_string_by_a_shell() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.a]\ntype = \"task\"\ncommand = [\"echo\", \"$HOME  'x'\", \"*\", \"\"]\n\
         [services.b]\ntype = \"task\"\ncommand = \"echo $LOCALD_SERVICE | tr a-z A-Z\"\n",
    );
    project.up();
    assert_eq!(project.log("a"), ["$HOME  'x' * "]);
    assert_eq!(project.log("b"), ["B"]);
}

#[test]
fn the_workdir_is_relative_to_the_project() {
    let home = Home::new();
    let project = home
        .project(
            "shop",
            "[services.a]\ntype = \"task\"\ncommand = \"pwd\"\nworkdir = \"front end\"\n\
             [services.b]\ntype = \"task\"\ncommand = \"pwd\"\n",
        )
        .with("front end/x", "");
    project.up();
    let dir = project.dir().canonicalize().expect("it is there");
    assert_eq!(project.log("a"), [dir.join("front end").display().to_string()]);
    assert_eq!(project.log("b"), [dir.display().to_string()]);
}

#[test]
fn services_get_signals_as_if_they_had_been_started_by_hand() {
    let home = Home::new();
    // What is ignored or blocked in the daemon must be neither in a service.
    let project = home.project(
        "shop",
        "[services.s]\ntype = \"task\"\ncommand = \"grep -E '^Sig(Blk|Ign)' /proc/self/status\"\n",
    );
    project.up();
    let log = project.log("s");
    for line in &log {
        let (_, mask) = line.split_once(':').expect("NAME: MASK");
        let mask = u64::from_str_radix(mask.trim(), 16).expect("a mask");
        // Two above 31 are the C library's own.
        assert_eq!(mask & 0x7fff_ffff, 0, "{log:?}");
    }
    assert_eq!(log.len(), 2);
}

#[test]
fn services_inherit_no_descriptors() {
    let home = Home::new();
    for tty in [true, false] {
        let project = home.project(
            &format!("tty-{tty}"),
            &format!(
                "[services.s]\ntype = \"task\"\ntty = {tty}\n\
                 command = [\"ls\", \"-1\", \"/proc/self/fd\"]\n"
            ),
        );
        project.up();
        // Three, and the folder that `ls` reads.
        assert_eq!(project.log("s"), ["0", "1", "2", "3"], "tty = {tty}");
    }
}

#[test]
fn no_thread_per_service_and_no_wake_ups_when_idle() {
    let home = Home::new();
    let services = |count: usize| {
        (0..count).fold(String::new(), |text, n| {
            text + &format!("[services.s{n}]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n")
        })
    };
    let project = home.project("many", &services(40));
    project.up();
    let daemon = home.daemon_pid();
    let threads = kernel::stat(daemon).expect("it runs").threads;
    assert!(threads < 40, "{threads} threads for 40 services");
    // The time must pass for there to be nothing in it.
    let quiet = eventually("two seconds without a wake-up", || {
        let before = kernel::activity(daemon);
        std::thread::sleep(std::time::Duration::from_secs(2));
        let after = kernel::activity(daemon);
        (after.0 - before.0 <= 1 && after.1 - before.1 <= 4).then_some(after)
    });
    assert!(quiet.0 > 0);
}

#[test]
fn a_task_is_not_restarted_and_its_state_is_its_code() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.good]\ntype = \"task\"\ncommand = \"exit 0\"\n\
         [services.bad]\ntype = \"task\"\ncommand = \"exit 3\"\n",
    );
    project.locald(["up"]).fails(1).complains("bad");
    let ends = "good=completed bad=failed";
    let status = project.until("both have ended", |project| project.states() == ends);
    assert_eq!(status.service("bad").last_exit()["code"], 3);
    assert_eq!(status.service("bad").restarts(), 0);
}

#[test]
fn a_site_serves_files_and_keeps_to_its_folder() {
    let home = Home::new();
    let project = home
        .project("shop", "[services.docs]\ntype = \"site\"\npath = \"public\"\n")
        .with("public/index.html", "index")
        .with("public/a/b.css", "body {}")
        .with("secret", "secret");
    project.up();
    let port = project.service("docs").port();
    let get = |path: &str| crate::support::http::get(port, path);
    assert_eq!(get("/").body, "index");
    let css = get("/a/b.css");
    assert_eq!((css.status, css.body.as_str()), (200, "body {}"));
    assert!(css.head.to_ascii_lowercase().contains("content-type: text/css"), "{css:?}");
    assert_eq!(get("/none").status, 404);
    for path in ["/../secret", "/%2e%2e/secret", "/a/..%2f..%2fsecret"] {
        assert!(!get(path).body.contains("secret"), "{path}");
    }
    // An edit is seen at once.
    project.write("public/index.html", "edited");
    assert_eq!(get("/").body, "edited");
    assert!(project.log("docs").iter().any(|line| line.contains("GET /")));
}

#[test]
fn services_keep_the_limits_and_the_umask_of_a_shell() {
    let home = Home::new();
    let own = |what: &str| home.program("/bin/sh").args(["-c", what]).ok().stdout.trim().to_owned();
    let what = "umask; ulimit -Sn; ulimit -Hn; ulimit -c";
    let project =
        home.project("shop", &format!("[services.t]\ntype = \"task\"\ncommand = \"{what}\"\n"));
    project.up();
    assert_eq!(project.log("t").join("\n"), own(what));
}

#[test]
fn the_daemon_stands_in_nobodys_way() {
    let home = Home::new();
    let project =
        home.project("shop", "[services.w]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n");
    project.up();
    let daemon = home.daemon_pid();
    let link = |name: &str| {
        std::fs::read_link(format!("/proc/{daemon}/{name}")).expect("it is ours to see")
    };
    assert_eq!(link("cwd"), std::path::Path::new("/"), "no folder is kept busy");
    assert_eq!(link("fd/0"), std::path::Path::new("/dev/null"));
    for fd in ["fd/1", "fd/2"] {
        let target = link(fd);
        assert!(target.ends_with("null") || target.ends_with("daemon.log"), "{target:?}");
    }
}

#[test]
fn each_process_of_ours_goes_by_our_name() {
    let home = Home::new();
    let project = home
        .project("shop", "[services.docs]\ntype = \"site\"\npath = \"public\"\n")
        .with("public/index.html", "index");
    project.up();
    let daemon = home.daemon_pid();
    let heart = kernel::stat(daemon).expect("it runs").parent;
    for pid in [daemon, heart, project.service("docs").pid()] {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).expect("it runs");
        assert_eq!(name, "locald\n", "{}", kernel::command(pid));
    }
}

#[test]
fn the_heart_keeps_little_and_sleeps() {
    let home = Home::new();
    let project =
        home.project("shop", "[services.w]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n");
    project.up();
    let heart = kernel::stat(home.daemon_pid()).expect("it runs").parent;
    let kib = |name: &str| {
        let status = std::fs::read_to_string(format!("/proc/{heart}/status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number =
            line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u32>().ok());
        number.expect("a number of KiB")
    };
    // What is of files can be had again.
    eventually("it gives back what it does not need", || {
        (kib("RssFile:") * 2 < kib("VmHWM:")).then_some(())
    });
    let before = kernel::activity(heart);
    // The time must pass for there to be nothing in it.
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(kernel::activity(heart), before);
}
