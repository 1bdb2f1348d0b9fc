//! What the page hears while it is open.

use serde_json::{Value, json};

use super::visit::Visit;
use crate::support::{Home, kernel, svc};

#[test]
fn a_crash_is_seen_live_in_status_tree_and_events() {
    let home = Home::new();
    let services = format!(
        "[services.db]\ntype = \"worker\"\n{0}\n[services.web]\ntype = \"worker\"\n{0}\ndepends_on = [\"db\"]\n",
        svc(["forever"])
    );
    let project = home.project("shop", &services);
    project.up();
    let visit = Visit::new(&home);
    let mut events = visit.events("/v1/live");
    let graph = events.find("the graph", |event| event["graphs"][0]["graph"].as_object().cloned());
    assert_eq!(graph["edges"][0]["from"], "web");
    assert_eq!(graph["edges"][0]["condition"], "healthy");
    let pid = project.service("web").pid();
    kernel::kill(pid, nix::sys::signal::Signal::SIGKILL);
    let web = events.service("web", "another process of web", |it| {
        it["restarts"] == 1 && it["state"] == "healthy"
    });
    assert_ne!(web["pid"], pid);
    let mut events = visit.events("/v1/live?after=0");
    let node = events.find("the tree", |event| {
        let mut node = event.get("tree")?;
        for name in ["projects", "project:shop", "service:web"] {
            let children = node["children"].as_array()?;
            node = children.iter().find(|child| child["name"] == name)?;
        }
        Some(node.clone())
    });
    assert_eq!((&node["restarts"], &node["strategy"]), (&1.into(), &"one_for_all".into()));
    let has = |event: &Value| {
        let events = event["events"].as_array()?;
        events.iter().any(|it| it["event"] == "exited" && it["service"] == "web").then_some(())
    };
    events.find("the exit among the events", has);
}

#[test]
fn infrastructure_that_is_restarted_is_seen_live() {
    let home = Home::new();
    home.project("shop", &format!("[services.web]\ntype = \"worker\"\n{}\n", svc(["forever"])))
        .up();
    home.stop_daemon();
    home.locald(["server", "start"]).env("LOCALD_FAULTS", "1").ok();
    let visit = Visit::new(&home);
    let mut events = visit.events("/v1/live");
    let signer = |event: &Value| {
        let infra =
            event["tree"]["children"].as_array()?.iter().find(|it| it["name"] == "infra")?;
        let signer = infra["children"].as_array()?.iter().find(|it| it["name"] == "cert-signer")?;
        (signer["restarts"] == 1 && signer["state"] == "running").then_some(())
    };
    events.find("the tree", |event| event.get("tree").cloned());
    let body = r#"{"actor":"infra/cert-signer"}"#;
    crate::support::http::daemon(&home.socket(), "POST", "/v1/fault", body);
    events.find("the signer's restart", signer);
}

#[test]
fn what_services_use_is_sampled_while_somebody_looks() {
    let home = Home::new();
    home.project("shop", &format!("[services.web]\ntype = \"worker\"\n{}\n", svc(["forever"])))
        .up();
    let visit = Visit::new(&home);
    let mut events = visit.events("/v1/live");
    let sample = |event: &Value| event["usage"].as_array()?.first().cloned();
    let first = events.find("a sample", sample);
    assert_eq!((&first["project"], &first["service"]), (&"shop".into(), &"web".into()));
    assert!(first["memory"][0].as_u64().is_some_and(|it| it > 100_000), "{first}");
    events.find("another sample", sample);
    let mut second = visit.events("/v1/live");
    let both =
        |event: &Value| Some(event["usage"][0]["cpu"].as_array()?.len()).filter(|it| *it > 1);
    second.find("all samples so far", both);
}

#[test]
fn logs_and_requests_come_as_they_are_written() {
    let home = Home::new();
    let web = svc(["print=\u{1b}[31mred\u{1b}[0m", "web", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{web}\n"));
    project.up();
    let visit = Visit::new(&home);
    let dir = project.dir().display();
    let mut lines = visit.events(&format!("/v1/logs?dir={dir}&service=web&follow=true&lines=10"));
    let line = lines.find("a line", |line| line["line"].as_str().map(str::to_owned));
    assert_eq!(line, "\u{1b}[31mred\u{1b}[0m");
    let mut requests = visit.events(&format!("/v1/requests?dir={dir}&follow=true"));
    visit.front.get("shop.localhost", "/one");
    let status =
        requests.find("the request", |it| (it["path"] == "/one").then(|| it["status"].clone()));
    assert_eq!(status, 200);
    let why = visit.get(&format!("/v1/why?dir={dir}&service=web")).json();
    assert_eq!(why["state"], "healthy");
    project.locald(["down"]).ok();
}

#[test]
fn an_error_in_the_configuration_is_shown_with_its_line() {
    let home = Home::new();
    let service = format!("[services.web]\ntype = \"worker\"\n{}\n", svc(["forever"]));
    let project = home.project("shop", &service);
    project.up();
    let visit = Visit::new(&home);
    let check = || visit.get(&format!("/v1/check?dir={}", project.dir().display())).json();
    assert_eq!(check()["errors"], json!([]));
    let mut events = visit.events("/v1/live");
    let text = project.read("locald.toml").replace("type =", "\ttyp =");
    project.write("locald.toml", text);
    events.find("the error in the status", |event| {
        event["status"]["projects"][0]["config_error"].as_str().map(drop)
    });
    let wrong = check();
    let place = &wrong["errors"][0]["places"][0];
    assert_eq!((&place["before"], &place["marked"]), (&"    ".into(), &"typ".into()), "{wrong}");
    assert_eq!(place["after"], " = \"worker\"");
    assert_eq!((&place["line"], &place["column"]), (&5.into(), &2.into()));
    assert!(wrong["errors"][0]["help"].as_str().is_some_and(|it| it.contains("type")), "{wrong}");
}

#[test]
fn streams_do_not_hold_up_the_end_of_the_daemon() {
    let home = Home::new();
    home.project("shop", &format!("[services.web]\ntype = \"worker\"\n{}\n", svc(["forever"])))
        .up();
    let visit = Visit::new(&home);
    let mut events = visit.events("/v1/live");
    events.find("the first status", |event| event.get("status").cloned());
    let stopped = home.stop_daemon();
    assert!(stopped.took.as_secs() < 5, "{stopped}");
}
