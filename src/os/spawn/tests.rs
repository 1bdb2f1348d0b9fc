use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use super::*;
use crate::os::{
    child::Ending,
    testing::{command, eventually, on_terminal, run, sh, soon, start},
};

fn script(dir: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

async fn said(command: &Command) -> String {
    let (_, said, complained) = run(command).await;
    assert_eq!(complained, "");
    said
}

fn refusal(command: &Command) -> SpawnError {
    spawn(command).map(|spawned| spawned.child.pid()).unwrap_err()
}

#[tokio::test]
async fn the_environment_is_exactly_the_given_one() {
    let mut env = command(&["env"]);
    env.env.push(("EMPTY".into(), "".into()));
    env.env.push(("LINES".into(), "a\nb=c".into()));
    assert_eq!(said(&env).await, "PATH=/usr/local/bin:/usr/bin:/bin\nEMPTY=\nLINES=a\nb=c\n");
}

#[tokio::test]
async fn it_runs_in_its_folder() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    let mut pwd = command(&["sh", "-c", "pwd -P"]);
    pwd.dir.clone_from(&dir);
    assert_eq!(said(&pwd).await, format!("{}\n", dir.display()));
}

#[tokio::test]
async fn pipes_keep_output_and_errors_apart_and_give_no_input() {
    let (ending, out, err) = run(&sh("cat; echo out; echo err >&2; exit 3")).await;
    assert_eq!((out.as_str(), err.as_str()), ("out\n", "err\n"));
    assert_eq!(ending, Ending::Code(3));
}

#[tokio::test]
async fn the_terminal_is_the_controlling_one_and_has_the_size() {
    let script = "tty; stty size; ps -o pid=,pgid=,sid=,tpgid= -p $$ | tr -s ' ' '\\n'; echo end";
    let all = said(&on_terminal(sh(script))).await;
    let lines: Vec<&str> = all.lines().filter(|line| !line.is_empty()).collect();
    assert!(lines[0].starts_with("/dev/pts/"), "{all}");
    assert_eq!(lines[1], "31 97");
    // Leader of its group and session, and in the foreground.
    assert!(lines[2..5].iter().all(|number| *number == lines[5]), "{all}");
    assert_eq!(said(&on_terminal(sh("echo via /dev/tty > /dev/tty"))).await, "via /dev/tty\n");
}

#[tokio::test]
async fn resizing_tells_the_program() {
    let (spawned, mut out) = start(&on_terminal(command(&[
        "bash",
        "-c",
        "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done",
    ])));
    assert_eq!(out.next().await, "ready");
    let pty = spawned.pty.unwrap();
    pty.resize(120, 40).unwrap();
    assert_eq!(out.next().await, "40 120");
    assert_eq!(pty.size().unwrap(), (120, 40));
}

#[tokio::test]
async fn job_control_works_and_keys_make_signals() {
    let (spawned, mut out) = start(&on_terminal(command(&[
        "bash",
        "-c",
        "set -m; sleep 1000 & jobs -r | grep -c sleep; echo ready; sleep 1000; exit 5",
    ])));
    assert_eq!(out.next().await, "1");
    assert_eq!(out.next().await, "ready");
    // With job control the sleep is a group of its own, in the foreground only after a moment;
    // until then the shell itself would be hit, so Ctrl-C waits for that.
    let pty = spawned.pty.as_ref().unwrap();
    let shell = spawned.child.pid();
    eventually(|| {
        rustix::termios::tcgetpgrp(pty).is_ok_and(|group| group.as_raw_nonzero().get() != shell)
    })
    .await;
    rustix::io::write(pty, b"\x03").unwrap();
    // The shell gives up as well, as if the key had been meant for it.
    assert_eq!(soon(spawned.child.exited()).await, Ending::Code(130));
}

#[tokio::test]
async fn nothing_leaks_into_the_child() {
    // Neither what we opened, nor what whoever started us let us inherit.
    let opened = fs::File::open("/").unwrap();
    let inherited = fs::File::open("/").unwrap();
    rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty()).unwrap();
    posix::keep_to_ourselves();
    for list in [sh("ls /proc/self/fd | tr '\\n' ' '"), on_terminal(sh("ls /proc/self/fd"))] {
        let listed = said(&list).await;
        // The last one is the folder that ls itself has open.
        assert_eq!(listed.split_whitespace().collect::<Vec<_>>(), ["0", "1", "2", "3"]);
    }
    drop((opened, inherited));
}

#[tokio::test]
async fn signals_are_at_their_defaults() {
    // Rust ignores SIGPIPE, and the test blocks one signal in the spawning thread.
    let mut blocked = nix::sys::signal::SigSet::empty();
    blocked.add(nix::sys::signal::SIGUSR1);
    blocked.thread_block().unwrap();
    let status = said(&command(&["cat", "/proc/self/status"])).await;
    blocked.thread_unblock().unwrap();
    let sets = ["SigBlk:", "SigIgn:", "SigCgt:"];
    let lines = status.lines().filter(|line| sets.iter().any(|set| line.starts_with(set)));
    assert_eq!(lines.clone().count(), 3);
    for line in lines {
        let set = u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap();
        // The C library ignores its own two in every child it spawns, and every program's C
        // library sets them anew.
        assert_eq!(set & !(0b11 << 31), 0, "{line}");
    }
}

#[tokio::test]
async fn programs_are_looked_up_in_the_path_of_the_service() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("bin")).unwrap();
    script(dir.path(), "bin/tool", "#!/bin/sh\necho tool $0 \"$@\"\n", 0o755);
    script(dir.path(), "here", "#!/bin/sh\necho here\n", 0o755);
    let run_in = |argv: &[&str], path: &str| {
        let mut command = command(argv);
        command.dir = dir.path().to_owned();
        command.env = vec![("PATH".into(), path.into())];
        command
    };
    let whole = dir.path().join("bin").display().to_string();
    let absolute = format!("tool {whole}/tool a b\n");
    assert_eq!(said(&run_in(&["tool", "a", "b"], &format!("/nowhere:{whole}"))).await, absolute);
    assert_eq!(said(&run_in(&["tool"], "bin")).await, "tool bin/tool\n", "relative to the folder");
    assert_eq!(said(&run_in(&["here"], "/nowhere:")).await, "here\n", "empty means here");
    assert_eq!(said(&run_in(&["bin/tool"], "")).await, "tool bin/tool\n");
    let missing = refusal(&run_in(&["tool"], "/nowhere"));
    assert_eq!(missing.to_string(), "no such program: tool");
    let mut no_path = run_in(&["true"], "");
    no_path.env.clear();
    assert_eq!(said(&no_path).await, "");
}

#[tokio::test]
async fn scripts_without_a_first_line_are_the_shells() {
    let dir = tempfile::tempdir().unwrap();
    let path = script(dir.path(), "plain", "echo \"$0 $1\"; exit 4\n", 0o755);
    let name = path.to_str().unwrap();
    let (ending, said, _) = run(&command(&[name, "one"])).await;
    assert_eq!(said, format!("{name} one\n"));
    assert_eq!(ending, Ending::Code(4));
}

#[tokio::test]
async fn refusals_say_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().display().to_string();
    script(dir.path(), "lame", "#!/bin/sh\n", 0o644);
    script(dir.path(), "odd", "#!/no/such/interpreter -x\n", 0o755);
    script(dir.path(), "dos", "#!/bin/sh\r\necho\r\n", 0o755);
    symlink("nowhere", dir.path().join("dangling")).unwrap();
    for (program, expected) in [
        ("no-such-thing", "no such program: no-such-thing".to_owned()),
        ("", "no such program: ".to_owned()),
        ("./gone", "no such program: ./gone".to_owned()),
        ("./dangling", "no such program: ./dangling".to_owned()),
        ("./lame", format!("{root}/./lame is not executable")),
        ("/", "/ is not executable".to_owned()),
        (
            "./odd",
            format!("{root}/./odd wants to be run by /no/such/interpreter, which does not exist"),
        ),
        ("./dos", format!("{root}/./dos wants to be run by /bin/sh\\r, which does not exist")),
        ("a\0b", "no such program: a\0b".to_owned()),
    ] {
        let mut command = command(&[program]);
        command.dir = dir.path().to_owned();
        assert_eq!(refusal(&command).to_string(), expected);
    }
    let mut nowhere = command(&["true"]);
    nowhere.dir = dir.path().join("gone");
    assert!(matches!(refusal(&nowhere), SpawnError::NoSuchWorkdir(path) if path == nowhere.dir));
    nowhere.dir = dir.path().join("lame");
    assert!(matches!(refusal(&nowhere), SpawnError::NoSuchWorkdir(_)));
    assert!(matches!(refusal(&command(&[])), SpawnError::NoCommand));
    assert!(matches!(refusal(&command(&["true", "a\0b"])), SpawnError::Nul(_)));
    let mut variable = command(&["true"]);
    variable.env.push(("A=B".into(), "c".into()));
    assert!(matches!(refusal(&variable), SpawnError::Variable(_)));
    variable.env[1] = ("A".into(), "\0".into());
    assert!(matches!(refusal(&variable), SpawnError::Nul(_)));
    let huge = "x".repeat(1 << 20);
    let system = refusal(&command(&["true", &huge])).to_string();
    assert!(system.starts_with("cannot run true: Argument list too long"), "{system}");
}
