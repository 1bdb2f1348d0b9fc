//! Completions, asked for as shells do, and by shells.

use crate::support::{Home, Project, terminal::Terminal};

const SERVICES: &str = "[services.web]\ncommand = \"x\"\n[services.worker]\ntype = \"worker\"\n\
                        command = \"x\"\n[services.db]\ntype = \"redis\"\n[services.api]\ncommand = \"x\"\n";

/// What is offered for the last of these words of a command line.
fn offered(project: &Project<'_>, line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let run = words.iter().fold(project.locald(["--"]), crate::support::command::Run::arg);
    let output = run
        .env("LOCALD_COMPLETE", "bash")
        .env("_CLAP_IFS", "\n")
        .env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string())
        .ok();
    assert_eq!(output.stderr, "", "{line}");
    output.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn services_are_offered_where_one_is_wanted_without_a_daemon() {
    let home = Home::new();
    let project = home.project("shop", SERVICES).with("below/deep/x", "");
    for command in [
        "up", "start", "stop", "restart", "logs", "attach", "why", "env", "url", "open", "run",
        "wait", "requests", "build",
    ] {
        assert_eq!(
            offered(&project, &format!("locald {command} w")),
            ["web", "worker"],
            "{command}"
        );
    }
    assert_eq!(offered(&project, "locald start web a"), ["api"]);
    assert_eq!(offered(&project, "locald service reset "), ["db"], "what is provided");
    assert!(offered(&project, "locald up b").contains(&"below/".to_owned()), "folders as well");
    assert_eq!(offered(&project, "locald resta"), ["restart"]);
    assert_eq!(offered(&project, "locald logs --fol"), ["--follow"]);
    assert_eq!(offered(&project, "locald graph --format m"), ["mermaid"]);
    let line = format!("locald -C {} why d", project.path("below/deep").display());
    let elsewhere = home.folder("elsewhere");
    assert_eq!(offered(&elsewhere, &line), ["db"]);
    assert_eq!(offered(&elsewhere, "locald why w"), Vec::<String>::new());
    assert!(!home.socket().exists() && home.processes().is_empty(), "no daemon");
}

#[test]
fn a_file_with_errors_has_names_too_and_no_say() {
    let home = Home::new();
    let project = home.project("shop", &format!("{SERVICES}[services.web2]\ncomand = \"hal\n"));
    assert_eq!(offered(&project, "locald start w"), ["web", "web2", "worker"]);
    for garbage in ["", "[[[", "\0\u{fffd}", "services = 1"] {
        project.write("locald.toml", garbage);
        assert_eq!(offered(&project, "locald start w"), Vec::<String>::new(), "{garbage:?}");
    }
    project.write("locald.toml", b"[services.web]\nx = \"\xff");
    offered(&project, "locald start w");
    let project = home.folder("heroku").with("Procfile", "web: npm start\nworker: x\n");
    assert_eq!(offered(&project, "locald start w"), ["web", "worker"]);
}

/// A shell on a terminal that completes locald's command lines.
fn shell(home: &Home, project: &Project<'_>, name: &str, args: &[&str], setup: &str) -> Terminal {
    let script = home.locald(["completions", name]).ok().stdout;
    project.write("script", script);
    let bin = home.binary().parent().expect("a folder").display();
    let path = format!("{bin}:{}", std::env::var("PATH").expect("there is one"));
    let run = home.program(name).args(args).env("PATH", path).env("TERM", "xterm");
    let mut shell = run.within(project.dir()).on_terminal();
    shell.say(&format!("{setup}\n"));
    shell.say("echo re\"\"ady\n");
    shell.until("ready");
    shell
}

/// Types, completes, and sees what the command line has become.
#[track_caller]
fn becomes(shell: &mut Terminal, typed: &str, line: &str) {
    shell.say(&format!("{typed}\t\u{1}echo G\"\"OT \n"));
    shell.until(&format!("GOT {line}"));
}

fn is_completed_by(name: &str, args: &[&str], setup: &str) {
    let home = Home::new();
    let project = home.project("shop", SERVICES);
    let mut shell = shell(&home, &project, name, args, setup);
    becomes(&mut shell, "locald start we", "locald start web");
    becomes(&mut shell, "locald logs --follow ap", "locald logs --follow api");
    becomes(&mut shell, "locald service reset ", "locald service reset db");
    becomes(&mut shell, "locald serv", "locald serv");
    becomes(&mut shell, "locald resta", "locald restart");
    project.write("locald.toml", format!("{SERVICES}[services.zoo]\ncommand = \"hal\n"));
    becomes(&mut shell, "locald why z", "locald why zoo");
    assert!(!shell.seen().contains("error:"), "{}", shell.seen());
    shell.say("exit\n");
    shell.end();
    assert!(!home.socket().exists(), "no daemon");
}

#[test]
fn bash_completes() {
    is_completed_by("bash", &["--norc", "--noprofile", "-i"], "source ./script");
}

#[test]
fn zsh_completes() {
    let setup = "bindkey -e; autoload -Uz compinit; compinit -u -D; source ./script";
    is_completed_by("zsh", &["-f", "-i"], setup);
}

#[test]
fn zsh_completes_from_a_folder_of_functions() {
    let setup = "bindkey -e; mkdir fn; cp script fn/_locald; fpath=($PWD/fn $fpath); \
                 autoload -Uz compinit; compinit -u -D";
    is_completed_by("zsh", &["-f", "-i"], setup);
}

#[test]
fn fish_completes() {
    is_completed_by("fish", &["--no-config", "--interactive"], "source ./script");
}

#[test]
fn there_are_completions_for_each_shell() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        home.locald(["completions", shell]).ok().says("LOCALD_COMPLETE");
    }
    home.locald(["completions", "dos"]).fails(2);
}
