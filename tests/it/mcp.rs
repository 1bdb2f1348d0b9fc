//! `locald mcp`, as a coding agent talks with it.

use std::{io::Write as _, process::ChildStdin};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{Home, Project, command::Run, eventually, stream::Stream, svc};

/// A client that has said hello.
struct Agent {
    server: Stream,
    input: ChildStdin,
    last: u64,
}

/// What a tool said.
#[derive(Debug)]
struct Said {
    failed: bool,
    text: String,
    json: Value,
}

impl Agent {
    fn of(run: Run) -> Self {
        let mut agent = Self::silent(run);
        let hello = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        let answer = agent.ask("initialize", &hello);
        assert_eq!(answer["result"]["serverInfo"]["name"], "locald", "{answer}");
        assert_eq!(answer["result"]["protocolVersion"], "2025-06-18", "{answer}");
        agent.write(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        agent
    }

    fn at(project: &Project<'_>) -> Self {
        Self::of(project.locald(["mcp"]))
    }

    /// One that has said nothing yet.
    fn silent(run: Run) -> Self {
        let (server, input) = run.talk();
        Self { server, input, last: 0 }
    }

    fn write(&mut self, message: &Value) {
        writeln!(self.input, "{message}").expect("it reads");
    }

    fn request(&mut self, method: &str, params: &Value) -> u64 {
        self.last += 1;
        let id = self.last;
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// The next message, which everything on standard output has to be.
    #[track_caller]
    fn hear(&mut self) -> Value {
        let line = self.server.line().expect("it goes on");
        let message: Value = serde_json::from_str(&line).expect("only messages");
        assert_eq!(message["jsonrpc"], "2.0", "{message}");
        message
    }

    #[track_caller]
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.request(method, params);
        let answer = self.hear();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    fn begin(&mut self, tool: &str, arguments: &Value) -> u64 {
        self.request("tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    #[track_caller]
    fn call(&mut self, tool: &str, arguments: &Value) -> Said {
        let answer = self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }));
        Said::of(&answer)
    }

    /// What a tool says that does what it is asked.
    #[track_caller]
    fn done(&mut self, tool: &str, arguments: &Value) -> Value {
        let said = self.call(tool, arguments);
        assert!(!said.failed, "{tool}: {said:?}");
        let text: Value = serde_json::from_str(&said.text).expect("the text is JSON, too");
        assert_eq!(text, said.json, "one answer in two forms");
        said.json
    }

    /// The words of a tool that does not, which are those of the command.
    #[track_caller]
    fn refused(&mut self, tool: &str, arguments: &Value, command: Run) -> String {
        let said = self.call(tool, arguments);
        assert!(said.failed, "{tool}: {said:?}");
        let output = command.run();
        assert_ne!(output.code(), 0, "{output}");
        assert_eq!(said.text.trim_end(), output.stderr.trim_end(), "{tool}");
        said.text
    }
}

impl Said {
    #[track_caller]
    fn of(answer: &Value) -> Self {
        let result = &answer["result"];
        let failed = result["isError"].as_bool().unwrap_or_else(|| panic!("no result: {answer}"));
        let text = result["content"][0]["text"].as_str().expect("a text").to_owned();
        Self { failed, text, json: result["structuredContent"].clone() }
    }
}

fn shop(home: &Home) -> Project<'_> {
    let web = svc(["print=\x1b[32mhello\x1b[0m from web", "web=web", "forever"]);
    let worker = svc(["print=tick", "forever"]);
    let lazy = "autostart = false\nrestart = \"never\"\ntype = \"worker\"";
    home.project(
        "shop",
        &format!(
            "[services.web]\n{web}\ndepends_on = [\"worker\"]\n\
             [services.worker]\ntype = \"worker\"\n{worker}\n\
             [services.bad]\n{lazy}\n{}\n",
            svc(["exit=3"])
        ),
    )
}

#[test]
fn every_tool_is_described_and_says_whether_it_changes_anything() {
    let home = Home::new();
    // In no project, and without a daemon.
    let mut agent = Agent::of(home.locald(["mcp"]));
    let list = agent.ask("tools/list", &json!({}));
    let tools = list["result"]["tools"].as_array().expect("tools");
    let read_only = |tool: &&Value| tool["annotations"]["readOnlyHint"] == true;
    let names = |tools: Vec<&Value>| {
        let names: Vec<&str> = tools.iter().map(|t| t["name"].as_str().expect("a name")).collect();
        names.join(" ")
    };
    let (looking, changing): (Vec<&Value>, Vec<&Value>) = tools.iter().partition(read_only);
    assert_eq!(names(looking), "status logs why events requests tree graph check wait");
    assert_eq!(names(changing.clone()), "up start restart stop");
    for tool in &changing {
        let destructive = tool["name"] == "restart" || tool["name"] == "stop";
        assert_eq!(tool["annotations"]["destructiveHint"], destructive, "{tool}");
    }
    for tool in tools {
        assert!(tool["description"].as_str().expect("words").ends_with('.'), "{tool}");
        let schema = &tool["inputSchema"];
        assert_eq!(schema["type"], "object", "{tool}");
        for (name, property) in schema["properties"].as_object().expect("properties") {
            assert!(property["description"].is_string(), "{name} of {tool}");
        }
    }
    assert_eq!(home.processes().len(), 1, "nothing but itself runs");
}

#[test]
fn an_agent_runs_a_project_from_nothing() {
    let home = Home::new();
    let project = shop(&home);
    let mut agent = Agent::at(&project);
    assert_eq!(agent.done("check", &json!({})), json!({ "errors": [] }));
    let graph = agent.done("graph", &json!({}));
    assert_eq!(graph, project.locald(["graph", "--json"]).ok().json());

    let up = agent.done("up", &json!({}));
    assert_eq!((&up["name"], &up["state"]), (&json!("shop"), &json!("healthy")));
    let status = agent.done("status", &json!({}));
    let told = project.locald(["status", "--json"]).ok().json();
    assert_eq!(
        status["projects"][0]["services"][1]["pid"],
        told["projects"][0]["services"][1]["pid"]
    );
    assert_eq!(status["daemon"]["pid"], told["daemon"]["pid"]);
    assert_eq!(agent.done("tree", &json!({ "all": true }))["name"], "locald");

    let logs = agent.done("logs", &json!({ "services": ["web"], "grep": "hello", "since": "5m" }));
    assert_eq!(logs["lines"][0]["line"], "hello from web", "without colours");
    assert_eq!((logs["lines"].as_array().map(Vec::len), &logs["left_out"]), (Some(1), &json!(0)));
    assert_eq!(agent.done("requests", &json!({ "services": ["web"] }))["requests"], json!([]));

    let old = project.service("web").pid();
    let again = agent.done("restart", &json!({ "services": ["web"] }));
    assert_eq!(again["state"], "healthy");
    assert_ne!(project.service("web").pid(), old);
    let web = || project.service("web").pid();
    let old = web();
    agent.done("restart", &json!({ "services": ["worker"] }));
    assert_eq!(web(), old);
    agent.done("restart", &json!({ "services": ["worker"], "cascade": true }));
    assert_ne!(web(), old, "it depends on worker");
    agent.done("wait", &json!({}));
    let why = agent.done("why", &json!({ "service": "web" }));
    assert_eq!((&why["state"], &why["wanted"]), (&json!("healthy"), &json!(true)));

    let events = agent.done("events", &json!({ "lines": 2 }));
    assert_eq!(events["events"].as_array().map(Vec::len), Some(2));
    let after = events["events"][1]["seq"].as_u64().expect("a number");
    agent.done("stop", &json!({ "services": ["web"] }));
    let events = agent.done("events", &json!({ "after": after }));
    assert_eq!(events["events"][0]["seq"], after + 1);
    assert_eq!(project.service("web").state(), "stopped");
    assert_eq!(agent.done("start", &json!({}))["state"], "healthy");
}

#[test]
fn what_a_command_refuses_a_tool_refuses_in_the_same_words() {
    let home = Home::new();
    let project = shop(&home);
    let mut agent = Agent::at(&project);
    for tool in ["status", "logs", "events", "requests", "tree"] {
        let text = agent.refused(tool, &json!({}), project.locald([tool]));
        assert!(text.contains("error: no daemon is running\nhelp: "), "{text}");
    }
    let said = agent.call("stop", &json!({}));
    assert!(!said.failed && said.text.contains("nothing is to be stopped"), "{said:?}");
    let typo = json!({ "services": ["wbe"] });
    let text = agent.refused("up", &typo, project.locald(["up", "wbe"]));
    assert!(text.contains("help: did you mean `web`?"), "{text}");
    assert_eq!(home.processes().len(), 1, "none of them has started a daemon");

    project.up();
    for tool in ["start", "restart", "stop", "logs", "requests"] {
        let text = agent.refused(tool, &typo, project.locald([tool, "wbe"]));
        assert!(text.contains("help: did you mean `web`?"), "{text}");
    }
    let text = agent.refused("why", &json!({ "service": "x" }), project.locald(["why", "x"]));
    assert!(text.contains("help: its services are "), "{text}");
    let start = project.locald(["start", "bad"]);
    let text = agent.refused("start", &json!({ "services": ["bad"] }), start);
    assert!(text.contains("bad: exited with code 3\nhelp: "), "{text}");
    agent.refused("wait", &json!({}), project.locald(["wait"]));
    agent.refused("logs", &json!({ "grep": "(" }), project.locald(["logs", "--grep", "("]));
    for arguments in [json!({ "lines": "x" }), json!({ "line": 1 }), json!({ "services": "web" })] {
        let said = agent.call("logs", &arguments);
        assert!(said.failed && said.text.contains("the arguments make no sense"), "{said:?}");
    }
    let answer = agent.ask("tools/call", &json!({ "name": "env", "arguments": {} }));
    assert_eq!(answer["error"]["message"], "there is no tool `env`", "it would tell secrets");

    project.write("locald.toml", "[project]\nname = \"shop\"\n[services.web]\ncomand = \"x\"\n");
    let text = agent.refused("up", &json!({}), project.locald(["up"]));
    assert!(text.contains("did you mean `command`?"), "{text}");
    let report = agent.done("check", &json!({}));
    assert_eq!(report, project.locald(["check", "--json"]).fails(4).json());
    let lines = report["errors"].as_array().expect("a list").iter().map(|error| &error["line"]);
    assert_eq!(lines.collect::<Vec<_>>(), [3, 4], "`command` is missing, and `comand` is no key");
}

#[test]
fn a_folder_may_be_named_and_one_without_project_is_said_to_be_so() {
    let home = Home::new();
    let project = shop(&home);
    let dir = project.dir().to_str().expect("a plain path");
    let mut agent = Agent::of(home.locald(["-C", dir, "mcp"]));
    assert_eq!(agent.done("graph", &json!({}))["nodes"], json!(["web", "worker", "bad"]));
    let mut agent = Agent::of(home.locald(["mcp"]));
    let text = agent.refused("up", &json!({}), home.locald(["up"]));
    assert!(text.contains("no locald.toml or Procfile"), "{text}");
}

#[test]
fn answers_are_bounded() {
    let home = Home::new();
    let long = "x".repeat(5000);
    let flood =
        format!("i=0; while [ $i -lt 300 ]; do echo $i {long}; i=$((i+1)); done; exec sleep 1000");
    let project = home.project(
        "loud",
        &format!("[services.w]\ntype = \"worker\"\ntty = false\ncommand = \"{flood}\"\n"),
    );
    project.up();
    project.follow("w").find_text("299 ");
    let mut agent = Agent::at(&project);
    let logs = agent.done("logs", &json!({ "lines": 1000 }));
    let lines = logs["lines"].as_array().expect("lines");
    assert_eq!(lines.len() as u64 + logs["left_out"].as_u64().expect("a number"), 300);
    assert!(logs.to_string().len() < 70_000, "{}", logs.to_string().len());
    let last = lines.last().and_then(|line| line["line"].as_str()).expect("a line");
    assert!(last.starts_with("299 x") && last.ends_with("… and 3004 bytes more"), "{last}");
}

#[test]
fn a_daemon_that_goes_and_comes_is_found_again() {
    let home = Home::new();
    let project = shop(&home);
    let mut agent = Agent::at(&project);
    agent.done("up", &json!({}));
    let first = agent.done("status", &json!({}))["daemon"]["pid"].clone();
    home.locald(["server", "restart"]).ok();
    let second = agent.done("status", &json!({}))["daemon"]["pid"].clone();
    assert_ne!(first, second);
    home.stop_daemon();
    assert!(agent.call("status", &json!({})).text.contains("no daemon is running"));
    assert_eq!(agent.done("up", &json!({}))["state"], "healthy");
}

#[test]
fn calls_go_on_beside_each_other_and_one_can_be_broken_off() {
    let home = Home::new();
    let slow = svc(["gate=gate", "forever"]);
    let check = "health_check = { type = \"command\", command = \"test -e ready\" }";
    let project =
        home.project("slow", &format!("[services.w]\ntype = \"worker\"\n{check}\n{slow}\n"));
    project.gate("gate");
    let mut agent = Agent::at(&project);
    let up = agent.begin("up", &json!({ "timeout": "10m" }));
    eventually("a daemon", || project.locald(["status"]).run().code().eq(&0).then_some(()));
    project.until("w is on its way", |status| status.states() == "w=starting");

    let broken_off = agent.begin("wait", &json!({ "timeout": "10m" }));
    let states = agent.done("status", &json!({}));
    assert_eq!(states["projects"][0]["services"][0]["state"], "starting");
    let cancelled = json!({ "requestId": broken_off, "reason": "it takes too long" });
    agent.write(&json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled,
    }));
    let late = agent.call("wait", &json!({ "timeout": "10ms" }));
    assert!(late.failed && late.text.contains("not everything is healthy after 10ms"), "{late:?}");

    project.open("gate");
    project.write("ready", "");
    let answer = agent.hear();
    assert_eq!(answer["id"], up, "nothing more of what was broken off: {answer}");
    assert!(!Said::of(&answer).failed, "{answer}");
}

#[test]
fn garbage_harms_nobody() {
    let home = Home::new();
    let project = shop(&home);
    let mut agent = Agent::at(&project);
    let long = "x".repeat(3 << 20);
    for line in ["", "garbage", "{", "[]", "17", "\"x\"", "{\"jsonrpc\":\"2.0\"}", &long, "\u{0}"] {
        writeln!(agent.input, "{line}").expect("it reads");
    }
    agent.input.write_all(b"\xff\xfe\n").expect("it reads");
    let id = agent.request("no/such/method", &json!({}));
    // What was JSON, but no message, may be answered by an error without an id.
    let answer = loop {
        let message = agent.hear();
        if message["id"] == id {
            break message;
        }
        assert!(message["id"].is_null() && message["error"]["code"] == -32600, "{message}");
    };
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
    assert_eq!(agent.done("check", &json!({})), json!({ "errors": [] }));
}

#[test]
fn it_ends_with_its_input_or_when_told_to() {
    let home = Home::new();
    let project = shop(&home);
    project.up();
    let Agent { mut server, input, .. } = Agent::at(&project);
    drop(input);
    assert!(server.end().success());
    // Also before a word was said.
    let Agent { mut server, input, .. } = Agent::silent(project.locald(["mcp"]));
    drop(input);
    assert!(server.end().success());
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut agent = Agent::at(&project);
        agent.begin("wait", &json!({ "services": ["bad", "web"], "timeout": "10m" }));
        agent.server.signal(signal);
        assert!(agent.server.end().success(), "{signal}");
    }
    assert_eq!(project.service("web").state(), "healthy", "its end is nobody else's");
}

#[test]
fn what_was_asked_before_the_end_of_the_input_is_answered() {
    let home = Home::new();
    let project = shop(&home);
    let hello = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        },
    });
    let check = json!({
        "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": "check" },
    });
    let output = project.locald(["mcp"]).stdin(format!("{hello}\n{check}\n")).ok();
    let last = output.json_lines().pop().expect("an answer");
    assert_eq!((&last["id"], &last["result"]["isError"]), (&json!(2), &json!(false)), "{output}");
    assert_eq!(output.stderr, "");
}
