//! The command line: exit codes, and what each command says.

use crate::support::{Home, svc};

#[test]
fn bad_usage_is_two() {
    let home = Home::new();
    for args in [
        ["frobnicate", "-v"],
        ["up", "--timeout=soon"],
        ["status", "--no-such-flag"],
        ["run", "web"],
        ["logs", "--lines=x"],
    ] {
        let output = home.locald(args).fails(2);
        assert!(output.stderr.contains("error"), "{output}");
        assert_eq!(output.stdout, "", "{output}");
    }
    let project =
        home.project("shop", "[services.w]\ntype = \"worker\"\ncommand = \"sleep 1000\"\n");
    project.up();
    for args in
        [["why", "x"], ["stop", "x"], ["restart", "x"], ["start", "x"], ["env", "x"], ["logs", "x"]]
    {
        project.locald(args).fails(2).and_clearly().complains("no service");
    }
    project.locald(["logs", "--grep", "("]).fails(2).and_clearly();
    project.locald(["logs", "--since", "yesterday"]).fails(2).and_clearly();
}

#[test]
fn without_a_daemon_readers_say_so_and_stoppers_are_content() {
    let home = Home::new();
    let project =
        home.project("shop", "[services.w]\ntype = \"worker\"\ncommand = \"sleep 1000\"\n");
    for args in [
        ["status", "--json"],
        ["logs", "w"],
        ["tree", "--json"],
        ["why", "w"],
        ["events", "--json"],
    ] {
        let output = project.locald(args).fails(3).and_clearly().complains("no daemon");
        assert_eq!(output.stdout, "", "{output}");
    }
    project.locald(["stop"]).ok();
    project.locald(["stop", "w"]).ok();
    project.locald(["down"]).ok();
    project.locald(["server", "stop"]).ok();
    project.locald(["server", "status"]).fails(3);
    assert_eq!(home.processes(), [], "none of them starts one");
}

#[test]
fn without_a_project_the_configuration_is_what_is_missing() {
    let home = Home::new();
    home.locald(["up"]).fails(4).and_clearly().complains("locald.toml");
    home.locald(["check"]).fails(4).and_clearly();
    home.locald(["up", "./nowhere"]).fails(4).and_clearly().complains("nowhere");
    home.locald(["-C", "nowhere", "up"]).run().and_clearly().complains("nowhere");
}

#[test]
fn help_and_version_are_there_for_everything() {
    let home = Home::new();
    let help = home.locald(["--help"]).ok();
    let version = home.locald(["--version"]).ok();
    assert!(version.stdout.starts_with("locald 0."), "{version}");
    let commands = "up down start stop restart status logs tree run env url wait why graph events \
                    check schema completions server";
    for command in commands.split_ascii_whitespace() {
        assert!(
            help.stdout.lines().any(|line| line.trim_start().starts_with(command)),
            "{command} is missing in {help}"
        );
        home.locald([command, "--help"]).ok().says("Usage:");
    }
}

#[test]
fn status_is_a_table_with_a_reason_for_what_is_not_well() {
    let home = Home::new();
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{}\ndepends_on = [\"db\"]\n\
             [services.db]\nmax_restarts = 0\ncommand = \"exit 9\"\n",
            svc(["listen", "forever"])
        ),
    );
    project.locald(["up"]).fails(1);
    let status = project.locald(["status"]).ok();
    let line = |name: &str| {
        let found = status.stdout.lines().find(|line| line.starts_with(name));
        found.unwrap_or_else(|| panic!("no line for {name} in {status}")).to_owned()
    };
    assert!(line("web").contains("waiting") && line("web").contains("db"), "{status}");
    assert!(line("db").contains("failed") && line("db").contains('9'), "{status}");
    assert!(!status.stdout.contains('\x1b'), "{status}");
}

#[test]
fn status_without_a_project_shows_all() {
    let home = Home::new();
    let worker = "[services.w]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n";
    let one = home.project("one", worker);
    let two = home.project("two", worker);
    one.up();
    two.up();
    let all = home.locald(["status"]).ok();
    let all = all.says("one").says("two");
    assert!(all.stdout.matches("healthy").count() >= 2, "{all}");
    let json = one.locald(["status", "--json"]).ok().json();
    assert_eq!(json["projects"].as_array().map(Vec::len), Some(1), "only its own");
    assert_eq!(
        one.locald(["status", "--all", "--json"]).ok().json()["projects"].as_array().map(Vec::len),
        Some(2)
    );
}

#[test]
fn url_names_the_address() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{listen}\n[services.api]\n{listen}\n\
             [services.w]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n"
        ),
    );
    project.up();
    let daemon = project.locald(["status", "--json"]).ok().json()["daemon"].clone();
    let http = daemon["http"].as_str().and_then(|at| at.strip_prefix("127.0.0.1:"));
    let port = http.expect("the proxy listens on this machine only");
    for (service, host) in [("web", "shop.localhost"), ("api", "api.shop.localhost")] {
        let url = format!("http://{host}:{port}");
        assert_eq!(project.locald(["url", service]).ok().stdout, format!("{url}\n"));
        assert_eq!(project.service(service).url(), Some(&*url));
    }
    assert_eq!(project.locald(["url"]).ok().stdout, format!("http://shop.localhost:{port}\n"));
    assert_eq!(project.service("w").url(), None);
    project.locald(["url", "w"]).fails(1).and_clearly();
}

#[test]
fn wait_waits_fails_and_times_out() {
    let home = Home::new();
    let gated = svc(["gate=gate", "listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{gated}\n[services.bad]\nmax_restarts = 0\ncommand = \"exit 1\"\n\
             [services.off]\nautostart = false\n{gated}\n"
        ),
    );
    project.gate("gate");
    project.locald(["wait", "web"]).fails(3);
    project.locald(["up", "--no-wait"]).ok();
    project.locald(["wait", "web", "--timeout", "200ms"]).fails(5).and_clearly().complains("web");
    project.locald(["wait", "bad"]).fails(1).and_clearly().complains("bad");
    project.locald(["wait", "off"]).fails(1).and_clearly().complains("off");
    let wait = project.locald(["wait", "web"]).start();
    project.open("gate");
    wait.end().exits(0);
    project.locald(["wait", "nobody"]).fails(2).and_clearly();
}

#[test]
fn why_explains_waiting() {
    let home = Home::new();
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{0}\ndepends_on = [\"db\"]\n[services.db]\n{1}\n",
            svc(["listen", "forever"]),
            svc(["gate=gate", "listen", "forever"])
        ),
    );
    project.gate("gate");
    project.locald(["up", "--no-wait"]).ok();
    project.until("db runs", |p| p.service("db").maybe_pid().is_some());
    project.locald(["why", "web"]).ok().says("waiting").says("db");
    let why = project.locald(["why", "web", "--json"]).ok().json();
    assert_eq!(why["state"], "waiting");
    assert!(why["waiting_for"].to_string().contains("db"), "{why:#}");
    for key in ["service", "state", "reason", "waiting_for", "restarts", "exits"] {
        assert!(why.as_object().expect("an object").contains_key(key), "{key}");
    }
    project.open("gate");
    project.locald(["wait"]).ok();
    project.locald(["why", "web"]).ok().says("healthy");
}

#[test]
fn graph_shows_edges_in_every_format_without_a_daemon() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.web]\ncommand = \"x\"\nenv = { U = \"${services.api.url}\" }\n\
         depends_on = [\"seed\", { service = \"db\", condition = \"started\", bond = \"always\" }]\n\
         [services.api]\ncommand = \"x\"\n[services.db]\ncommand = \"x\"\n\
         [services.seed]\ntype = \"task\"\ncommand = \"x\"\n",
    );
    let json = project.locald(["graph", "--format", "json"]).ok().json();
    assert_eq!(json["nodes"], serde_json::json!(["web", "api", "db", "seed"]));
    let edge = |to: &str| {
        let edges = json["edges"].as_array().expect("a list");
        edges.iter().find(|edge| edge["to"] == to).expect("there is one").clone()
    };
    let of = |to: &str, condition: &str, bond: &str| {
        let wanted =
            serde_json::json!({"from": "web", "to": to, "condition": condition, "bond": bond});
        assert_eq!(edge(to), wanted);
    };
    of("seed", "completed", "crash");
    of("db", "started", "always");
    of("api", "healthy", "crash");
    project.locald(["graph"]).ok().says("web").says("db");
    project.locald(["graph", "--format", "dot"]).ok().says("\"web\" -> \"db\"");
    // What is needed stands below.
    let mermaid =
        project.locald(["graph", "--format", "mermaid"]).ok().says("graph TD").stdout.clone();
    let [web, db] = ["web", "db"].map(|name| {
        let label = format!("[\"{name}\"]");
        let line = mermaid.lines().find_map(|line| line.trim().strip_suffix(&label));
        line.expect("each has a node")
    });
    let edge = format!("{web} -->|\"started, always\"| {db}");
    assert!(mermaid.contains(&edge), "{edge} in {mermaid}");
    assert_eq!(home.processes(), []);
}

#[test]
fn events_tell_the_story_and_can_be_followed() {
    let home = Home::new();
    let project =
        home.project("shop", &format!("[services.web]\n{}\n", svc(["listen", "forever"])));
    project.up();
    let events = project.events();
    let at = |what: &str| events.iter().position(|event| event == what);
    assert!(at("web starting").is_some() && at("web starting") < at("web healthy"), "{events:?}");
    let mut follow = project.locald(["events", "-f", "--json"]).stream();
    project.locald(["stop"]).ok();
    let stopped = follow.find("the stop", |line| line.contains("\"stopped\""));
    let event: serde_json::Value = serde_json::from_str(&stopped).expect("a line of JSON");
    assert_eq!((event["project"].as_str(), event["service"].as_str()), (Some("shop"), Some("web")));
    project.locald(["events"]).ok().says("stopped");
}

#[test]
fn json_everywhere_that_is_read() {
    let home = Home::new();
    let project = home
        .project("shop", &format!("[services.web]\n{}\n", svc(["print=x", "listen", "forever"])));
    let up = project.locald(["up", "--json"]).ok();
    up.json();
    for args in [
        &["status", "--json"][..],
        &["tree", "--json"],
        &["env", "web", "--json"],
        &["url", "web", "--json"],
        &["why", "web", "--json"],
        &["graph", "--json"],
        &["check", "--json"],
        &["server", "status", "--json"],
    ] {
        let run = args.iter().fold(project.locald([]), crate::support::command::Run::arg);
        run.ok().json();
    }
    let line = &project.locald(["logs", "--json"]).ok().json_lines()[0];
    for key in ["at", "project", "service", "stream", "line"] {
        assert!(line[key].is_string(), "{line}");
    }
}

#[test]
fn start_and_stop_without_names_mean_all() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project =
        home.project("shop", &format!("[services.a]\n{listen}\n[services.b]\n{listen}\n"));
    project.locald(["start"]).ok();
    assert_eq!(project.status().states(), "a=healthy b=healthy");
    project.locald(["stop"]).ok();
    assert_eq!(project.status().states(), "a=stopped b=stopped");
    assert_eq!(project.status().state(), "stopped");
    project.locald(["start", "b"]).ok();
    assert_eq!(project.status().states(), "a=stopped b=healthy");
}
