//! The environment of services: who says what, and who wins.

use crate::support::{Home, svc, svc::program};

#[test]
fn later_wins_and_locald_last() {
    let home = Home::new();
    let names = ["A", "B", "C", "D", "E", "PORT", "LOCALD_PROJECT", "LOCALD_SERVICE"];
    let mut steps: Vec<String> = names.iter().map(|name| format!("print-env={name}")).collect();
    steps.extend(["listen".to_owned(), "forever".to_owned()]);
    let program = program();
    let steps =
        steps.iter().fold(format!("{program:?}"), |text, step| text + ", " + &format!("{step:?}"));
    let project = home
        .project_with(
            "shop",
            "env = { C = \"project\", D = \"project\", E = \"project\" }\nenv_file = \"base.env\"",
            &format!(
                "[services.web]\ncommand = [{steps}]\nenv_file = \"web.env\"\n\
                 env = {{ E = \"service\", PORT = \"1\", LOCALD_SERVICE = \"x\" }}\n"
            ),
        )
        .with("base.env", "B=file\nC=file\nD=file\nE=file\n")
        .with("web.env", "D=service file\nE=service file\n");
    project
        .locald(["up"])
        .env("A", "caller")
        .env("B", "caller")
        .env("C", "caller")
        .env("D", "caller")
        .env("E", "caller")
        .ok();
    let port = project.service("web").port();
    assert_eq!(
        project.log("web"),
        [
            "A=caller".to_owned(),
            "B=file".to_owned(),
            "C=project".to_owned(),
            "D=service file".to_owned(),
            "E=service".to_owned(),
            format!("PORT={port}"),
            "LOCALD_PROJECT=shop".to_owned(),
            "LOCALD_SERVICE=web".to_owned(),
        ]
    );
}

#[test]
fn it_is_that_of_the_client_and_not_of_whoever_started_the_daemon() {
    let home = Home::new();
    home.locald(["server", "start"]).env("SHELL_OF", "the daemon").env("STALE", "1").ok();
    let command = "command = \"echo $SHELL_OF/$STALE; exec sleep 1000\"";
    let project = home.project("shop", &format!("[services.w]\ntype = \"worker\"\n{command}\n"));
    project.locald(["up"]).env("SHELL_OF", "up").ok();
    project.locald(["restart", "w"]).env("SHELL_OF", "restart").ok();
    assert_eq!(project.log("w"), ["up/", "restart/"]);
}

#[test]
fn env_files_are_read_as_people_write_them() {
    let home = Home::new();
    let dotenv = "# a comment\nPLAIN=one two  # not it\nexport EXPORTED='single $X'\n\
                  DOUBLE=\"a\\nb\"\nMULTI=\"first\nsecond\"\nEMPTY=\n";
    let project = home
        .project(
            "shop",
            "[services.t]\ntype = \"task\"\n\
             command = \"printf '%s|' \\\"$PLAIN\\\" \\\"$EXPORTED\\\" \\\"$DOUBLE\\\" \\\"$MULTI\\\" \\\"$EMPTY\\\"; echo\"\n",
        )
        .with(".env", dotenv);
    project.up();
    assert_eq!(
        project.log("t").join("\n"),
        "one two|single $X|a\nb|first\nsecond||",
        "without being named, .env is read"
    );
}

#[test]
fn every_reference_is_resolved() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.t]\ntype = \"task\"\n\
         command = \"echo \\\"$A|$B|$C|${env.SET}|${HOME_OF:-shell}|$$\\\"\"\n\
         env = { A = \"${project.name}@${project.domain}\", B = \"${project.dir}\", \
         C = \"${env.UNSET:-default} costs $$5\" }\n",
    );
    project.locald(["up"]).env("SET", "set").ok();
    let dir = project.dir().canonicalize().expect("it is there");
    let log = project.log("t");
    let wanted = format!("shop@shop.localhost|{}|default costs $5|set|shell|", dir.display());
    assert!(log[0].starts_with(&wanted), "{log:?}");
}

#[test]
fn an_unset_variable_is_named_when_the_service_starts() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.t]\ntype = \"task\"\ncommand = \"echo x\"\nenv = { A = \"${env.API_KEY}\" }\n",
    );
    project.locald(["check"]).ok();
    project.locald(["up"]).fails(1).and_clearly().complains("API_KEY");
    project.locald(["up"]).env("API_KEY", "k").ok();
}

#[test]
fn a_service_may_use_its_own_port_in_its_command() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.t]\nrestart = \"never\"\ncommand = \"echo ${services.t.port} $PORT; exec sleep 1000\"\nhealth_check = \"true\"\n",
    );
    project.up();
    let port = project.service("t").port();
    assert_eq!(project.log("t"), [format!("{port} {port}")]);
}

#[test]
fn env_shows_what_the_service_gets() {
    let home = Home::new();
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{}\nenv = {{ TEXT = \"it's \\\"quoted\\\" $$x\" }}\n",
            svc(["listen", "forever"])
        ),
    );
    project.up();
    let json = project.locald(["env", "web", "--json"]).ok().json();
    let port = project.service("web").port();
    assert_eq!(json["PORT"], port.to_string());
    assert_eq!(json["TEXT"], "it's \"quoted\" $x");
    assert_eq!(json["LOCALD_PROJECT"], "shop");
    assert!(json["NOTIFY_SOCKET"].is_string() && json["LOCALD_URL"].is_string(), "{json:#}");
    // As text it can be sourced by a shell.
    let text = project.locald(["env", "web"]).ok().stdout;
    let script = format!("{text}\nprintf %s \"$TEXT\"");
    let output = home.program("/bin/sh").args(["-c", &script]).ok();
    assert_eq!(output.stdout, "it's \"quoted\" $x");
}

#[test]
fn run_is_as_the_service_and_passes_its_code_on() {
    let home = Home::new();
    let project = home
        .project(
            "shop",
            "[services.w]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n\
             workdir = \"sub\"\nenv = { MARK = \"here\" }\n",
        )
        .with("sub/x", "");
    project.up();
    let run = |command: &str| project.locald(["run", "w", "--", "sh", "-c", command]);
    let output = run("echo $MARK $(basename $PWD)").ok();
    assert_eq!(output.stdout, "here sub\n");
    run("exit 42").fails(42);
    run("kill -TERM $$").fails(128 + 15);
    project.locald(["run", "w", "--", "no-such-program"]).fails(127).and_clearly();
    let output = project.locald(["run", "w", "--", "printf", "%s.", "a b", "", "*"]).ok();
    assert_eq!(output.stdout, "a b..*.", "arguments are passed on as they are");
    let output = project.locald(["run", "w", "--", "cat"]).stdin("through\n").ok();
    assert_eq!(output.stdout, "through\n");
}

#[test]
fn run_has_the_terminal_of_whoever_runs_it() {
    if !crate::provided::has(&["python3"]) {
        return;
    }
    let home = Home::new();
    let services = "[services.w]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n\
                    env = { MARK = \"here\" }\n";
    let project = home.project("shop", services);
    project.up();
    let run = project.locald(["run", "w", "--", "python3", "-q", "-i"]).env("TERM", "xterm");
    let mut python = run.on_terminal();
    python.until(">>> ");
    python.say("import os, sys, time\n");
    python.until(">>> ");
    python.say("os.environ['MARK'] * 2, sys.stdin.isatty(), os.get_terminal_size().columns\n");
    python.until("('herehere', True, 80)");
    python.until(">>> ");
    // Ctrl-C is for what runs there: the session goes on, and so does the service.
    python.say("print('wai' + 'ting'); time.sleep(1000)\n");
    python.until("waiting");
    python.say("\x03");
    python.until("KeyboardInterrupt");
    python.until(">>> ");
    python.say("exit(7)\n");
    assert_eq!(python.end().exit_code(), 7);
    assert_eq!(project.service("w").state(), "healthy");
}

#[test]
fn run_up_starts_what_the_service_needs_and_not_the_service() {
    let home = Home::new();
    let project = home.project(
        "shop",
        &format!(
            "[services.db]\n{}\n[services.web]\ntype = \"worker\"\ncommand = \"sleep 1000\"\n\
             env = {{ DB = \"${{services.db.port}}\" }}\n[services.alone]\ntype = \"worker\"\n\
             command = \"sleep 1000\"\nenv = {{ A = \"1\" }}\n",
            home.svc(["listen", "forever"])
        ),
    );
    let run = project.locald(["run", "web", "--", "true"]).fails(1).and_clearly();
    assert!(run.stderr.contains("locald up"), "{run}");
    let output = project.locald(["run", "--up", "web", "--", "sh", "-c", "echo $DB"]).ok();
    let status = project.status();
    assert_eq!(output.stdout, format!("{}\n", status.service("db").port()), "nothing else is said");
    assert_eq!(status.states(), "db=healthy web=stopped alone=stopped");
    project.locald(["down"]).ok();

    let output = project.locald(["run", "--up", "alone", "--", "sh", "-c", "echo $A"]).ok();
    assert_eq!(output.stdout, "1\n");
    assert_eq!(project.status().states(), "db=stopped web=stopped alone=stopped");
}

#[test]
fn run_up_does_not_run_beside_a_need_that_fails() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.migrate]\ntype = \"task\"\ncommand = \"echo no luck; exit 3\"\n\
         [services.web]\ntype = \"worker\"\ncommand = \"sleep 1000\"\ndepends_on = [\"migrate\"]\n",
    );
    let output = project.locald(["run", "--up", "web", "--", "echo", "ran"]).fails(1);
    assert_eq!(output.stdout, "", "{output}");
    assert!(output.stderr.contains("no luck"), "{output}");
}
