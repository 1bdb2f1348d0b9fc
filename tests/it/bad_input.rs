//! Bad input: a clear error, and nothing is harmed.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use crate::support::{Home, command::Output, kernel, skip, svc};

/// `check` and `up` refuse it as an invalid configuration, and no daemon is started.
#[track_caller]
fn refused(home: &Home, dir: &Path) -> Output {
    let check = home.locald(["check"]).within(dir).fails(4).and_clearly();
    home.locald(["up"]).within(dir).fails(4).and_clearly();
    assert_eq!(home.processes(), []);
    check
}

#[test]
fn an_empty_file() {
    let home = Home::new();
    let project = home.folder("shop").with("locald.toml", "");
    refused(&home, project.dir()).complains("name").complains("shop");
}

#[test]
fn binary_and_non_utf8() {
    let home = Home::new();
    let project = home.folder("shop").with("locald.toml", b"\x7fELF\x02\x01\x01\0\0\0\0\xff\xfe");
    refused(&home, project.dir()).complains("locald.toml");
    project.write("locald.toml", b"[project]\nname = \"sh\xf6p\"\n");
    refused(&home, project.dir()).complains("locald.toml:2").complains("UTF-8");
    project.write("locald.toml", b"[project]\nname = \"a\0b\"\n");
    refused(&home, project.dir());
}

#[test]
fn ten_megabytes() {
    let home = Home::new();
    let line = format!("# {}\n", "x".repeat(97));
    let project = home.folder("shop").with("locald.toml", line.repeat(100_000));
    refused(&home, project.dir()).complains("locald.toml");
    project.write("locald.toml", "[".repeat(200_000));
    refused(&home, project.dir());
}

#[test]
fn a_symlink_loop_a_folder_and_a_pipe() {
    let home = Home::new();
    let project = home.folder("shop");
    let file = project.path("locald.toml");
    symlink("locald.toml", &file).expect("a new name");
    refused(&home, project.dir()).complains("locald.toml");
    fs::remove_file(&file).expect("it is ours");
    fs::create_dir(&file).expect("a new name");
    refused(&home, project.dir()).complains("locald.toml");
    fs::remove_dir(&file).expect("it is ours");
    project.gate("locald.toml");
    refused(&home, project.dir()).complains("locald.toml");
}

#[test]
fn an_unreadable_file() {
    let home = Home::of_ordinary_user();
    let project = home.project("shop", "[services.web]\ncommand = \"x\"\n");
    fs::set_permissions(project.path("locald.toml"), fs::Permissions::from_mode(0o000))
        .expect("it is ours");
    refused(&home, project.dir()).complains("locald.toml").complains("ermission denied");
}

#[test]
fn many_errors_are_cut_and_counted() {
    let home = Home::new();
    let text = (0..35).fold(String::from("[project]\nname = \"shop\"\n"), |text, n| {
        text + &format!("wrong{n} = 1\n")
    });
    let project = home.folder("shop").with("locald.toml", text);
    let check = refused(&home, project.dir()).complains("15 more");
    assert_eq!(check.stderr.matches("error:").count(), 20, "{check}");
}

#[test]
fn two_services_on_one_fixed_port() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.web]\ncommand = \"x\"\nport = 3000\n\
         [services.api]\ncommand = \"x\"\nport = 3000\n",
    );
    refused(&home, project.dir()).complains("3000").complains("web").complains("api");
}

#[test]
fn a_command_that_does_not_exist() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.direct]\nmax_restarts = 0\ncommand = [\"no-such-program\", \"x\"]\n\
         [services.shell]\nmax_restarts = 0\ncommand = \"no-such-tool --flag\"\n",
    );
    let up = project.locald(["up"]).fails(1).and_clearly();
    assert!(up.stderr.contains("no-such-program") || up.stderr.contains("no-such-tool"), "{up}");
    let status = project.until("both are known to fail", |project| {
        project.services().iter().all(|service| service.state() == "failed")
    });
    assert_eq!(status.states(), "direct=failed shell=failed");
    let shell = status.service("shell");
    assert_eq!(shell.last_exit()["code"], 127);
    assert!(shell.reason().contains("not found"), "127 is recognised: {shell:?}");
    assert!(status.service("direct").reason().contains("no-such-program"), "{status:?}");
}

#[test]
fn a_workdir_that_does_not_exist() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.web]\nmax_restarts = 0\ncommand = \"x\"\nworkdir = \"no/such/folder\"\n",
    );
    let up = project.locald(["up"]).fails(1).and_clearly();
    up.complains("web").complains("no/such/folder");
    assert_eq!(project.service("web").state(), "failed");
}

#[test]
fn a_program_that_may_not_be_executed() {
    let home = Home::new();
    let project = home
        .project("shop", "[services.web]\nmax_restarts = 0\ncommand = [\"./notes.txt\"]\n")
        .with("notes.txt", "text");
    project.locald(["up"]).fails(1).and_clearly().complains("notes.txt");
}

#[test]
fn paths_with_anything_in_them() {
    let home = Home::new();
    for name in ["with space", "it's \"quoted\"", "new\nline", "grüße-日本", "$HOME;echo & x", "-n"]
    {
        let listen = svc(["listen", "forever"]);
        let project = home.folder(name).with(
            "locald.toml",
            format!(
                "[project]\nname = \"odd\"\n[services.web]\n{listen}\n\
                 [services.t]\ntype = \"task\"\ncommand = \"pwd > here; echo \\\"$DIR\\\"\"\nenv = {{ DIR = \"${{project.dir}}\" }}\n"
            ),
        );
        project.up();
        let dir = project.dir().canonicalize().expect("it is there");
        assert_eq!(project.read("here").trim_end_matches('\n'), dir.to_str().expect("UTF-8"));
        let status = project.status();
        assert_eq!(status.0["path"], dir.to_str().expect("UTF-8"));
        assert_eq!(status.states(), "web=healthy t=completed");
        let table = project.locald(["status"]).ok();
        assert!(table.stdout.lines().any(|line| line.starts_with("web")), "{table}");
        project.locald(["logs"]).ok();
        project.locald(["tree"]).ok();
        project.locald(["down"]).ok();
    }
}

#[test]
fn a_path_that_is_not_utf8() {
    use std::os::unix::ffi::OsStrExt as _;
    let home = Home::new();
    let dir = home.path().join(std::ffi::OsStr::from_bytes(b"p-\xff"));
    fs::create_dir(&dir).expect("a new name");
    fs::write(
        dir.join("locald.toml"),
        "[project]\nname = \"odd\"\n[services.w]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n",
    )
    .expect("a new file");
    let up = home.locald(["up"]).within(&dir).run();
    // It works, or it is refused in words.
    if up.code() != 0 {
        up.and_clearly().complains("UTF-8");
    }
    home.locald(["server", "start"]).ok();
    home.status();
}

#[test]
fn a_service_name_of_three_hundred_characters() {
    let home = Home::new();
    let project =
        home.project("shop", &format!("[services.{}]\ncommand = \"x\"\n", "a".repeat(300)));
    refused(&home, project.dir()).complains("63");
    // The longest good one works, also where sockets are named after it.
    let longest = "a".repeat(63);
    let listen = svc(["notify=READY=1", "listen", "forever"]);
    let project = home.folder("long").with(
        "locald.toml",
        format!("[project]\nname = \"{longest}\"\n[services.{longest}]\n{listen}\n"),
    );
    project.up();
    assert_eq!(project.service(&longest).state(), "healthy");
}

#[test]
fn names_that_are_none() {
    let home = Home::new();
    for name in ["Web", "we b", "../x", "wörb", "", "-x", "a/b"] {
        let project = home.project("shop", &format!("[services.{name:?}]\ncommand = \"x\"\n"));
        refused(&home, project.dir());
    }
}

#[test]
fn a_project_folder_that_is_deleted_while_it_runs() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.up();
    let pid = project.service("web").pid();
    fs::remove_dir_all(project.dir()).expect("it is ours");
    let status = home.status().project("shop");
    assert_eq!((status.service("web").pid(), status.service("web").state()), (pid, "healthy"));
    // Whoever is still in it is told so.
    let script = format!(
        "mkdir gone && cd gone && rmdir ../gone && {} status; echo $?",
        home.binary().display()
    );
    let output = home.program("/bin/sh").args(["-c", &script]).ok();
    assert!(!output.stderr.contains("panicked"), "{output}");
    // A crash of what runs there cannot be mended, and is not the end of the daemon.
    kernel::kill(pid, nix::sys::signal::Signal::SIGKILL);
    crate::support::eventually("why it cannot start is told, with the folder", || {
        let web = home.status().project("shop").service("web");
        (web.state() != "healthy" && web.reason().contains("p/shop")).then_some(())
    });
    home.stop_daemon();
    assert!(!kernel::is_alive(pid));
}

#[test]
fn home_is_not_set() {
    let home = Home::new();
    let listen = svc(["print-env=HOME", "listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.locald(["up"]).without_env("HOME").ok();
    assert_eq!(project.service("web").state(), "healthy");
}

#[test]
fn no_home_at_all() {
    let home = Home::of_ordinary_user();
    if home.user().is_none() {
        return skip("only root can become a user without a home");
    }
    // Neither HOME nor an entry in the user database.
    let status = home.locald(["status"]).without_env("HOME").without_env("LOCALD_HOME");
    status.fails(3).and_clearly().complains("HOME");
}

#[test]
fn a_socket_path_over_107_bytes() {
    let home = Home::new();
    let long = home.path().join("x".repeat(120)).join("locald.sock");
    let status = home.locald(["status"]).env("LOCALD_SOCKET", &long).fails(3).and_clearly();
    status.complains("107").complains("LOCALD_SOCKET");
    let deep = home.path().join("y".repeat(100));
    home.locald(["server", "start"]).env("LOCALD_HOME", &deep).fails(3).complains("107");
}

/// A script run where the log folder is a full file system of its own; needs a mount namespace.
fn on_a_full_disk(home: &Home, script: &str) -> Option<Output> {
    let logs = home.state_dir().join("logs");
    fs::create_dir_all(&logs).expect("a new folder");
    let mut flags = vec!["--mount"];
    if !kernel::am_root() {
        flags.push("--map-root-user");
    }
    let whole = format!(
        "mount -t tmpfs -o size=64k,mode=700 none '{}' || exit 99\n{script}",
        logs.display()
    );
    let output = home.program("unshare").args(flags).args(["/bin/sh", "-e", "-c", &whole]).run();
    let denied = output.code() == 99
        || output.stderr.contains("Operation not permitted")
        || output.stderr.contains("unshare failed");
    if denied {
        skip(format!("no file system can be mounted: {}", output.stderr.trim()));
        return None;
    }
    Some(output)
}

#[test]
fn a_full_disk_under_the_log_folder() {
    let home = Home::new();
    let project = home.project(
        "shop",
        &format!(
            "[services.chatty]\n{}\n[services.quiet]\n{}\n",
            svc(["flood=20000:100", "listen", "forever"]),
            svc(["listen", "forever"])
        ),
    );
    let locald = home.binary().display();
    let script = format!(
        "cd '{dir}'\n{locald} up\n{locald} status --json > status.json\n\
         {locald} restart quiet\n{locald} events > events\n{locald} server logs > daemon.log\n\
         {locald} server stop\n",
        dir = project.dir().display()
    );
    let Some(output) = on_a_full_disk(&home, &script) else { return };
    output.exits(0);
    let status: serde_json::Value =
        serde_json::from_str(&project.read("status.json")).expect("it was asked");
    assert_eq!(status["projects"][0]["state"], "healthy", "{status:#}");
    let told = project.read("daemon.log") + &project.read("events");
    assert!(told.contains("No space left on device"), "somebody is told: {told}");
}

#[test]
fn a_state_folder_that_cannot_be_written() {
    let home = Home::of_ordinary_user();
    let state = home.write("state/x", "").parent().expect("a folder").to_owned();
    let listen = home.svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    fs::set_permissions(&state, fs::Permissions::from_mode(0o500)).expect("it is ours");
    let up = project.locald(["up"]).run();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).expect("it is ours");
    if up.code() != 0 {
        up.exits(3).and_clearly().complains("state");
    }
}
