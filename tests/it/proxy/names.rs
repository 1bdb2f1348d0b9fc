//! Which name leads where.

use super::{shop, web};
use crate::support::{Home, front::Front};

#[test]
fn every_name_leads_to_its_service() {
    let home = Home::new();
    let services = [
        web("web", ""),
        web("api", "routes = [\"/api\", \"/files\"]"),
        web("deep", "routes = [\"/api/v2\"]"),
        web("admin", "domain = \"back.shop.localhost\""),
    ];
    home.project("shop", &services.concat()).up();
    let front = Front::of(&home);
    let leads = [
        ("shop.localhost", "/", "web /"),
        ("SHOP.localhost.", "/a?b=c", "web /a?b=c"),
        ("api.shop.localhost", "/x", "api /x"),
        ("back.shop.localhost", "/", "admin /"),
        ("never-heard-of.shop.localhost", "/", "web /"),
        ("a.b.shop.localhost", "/", "web /"),
        ("shop.localhost", "/api", "api /api"),
        ("shop.localhost", "/api/v1", "api /api/v1"),
        ("shop.localhost", "/api/v2", "deep /api/v2"),
        ("shop.localhost", "/api/v2/x?y", "deep /api/v2/x?y"),
        ("shop.localhost", "/api/v22", "api /api/v22"),
        ("shop.localhost", "/apiary", "web /apiary"),
        ("shop.localhost", "/files?all", "api /files?all"),
        ("shop.localhost", "//a/../%2F", "web //a/../%2F"),
    ];
    for (host, path, answer) in leads {
        assert_eq!(front.get(host, path).body, answer, "{host}{path}");
        let with_port = format!("{host}:{}", front.http);
        assert_eq!(front.get(&with_port, path).body, answer, "{with_port}{path}");
    }
}

#[test]
fn a_single_service_has_the_projects_name_whatever_it_is_called() {
    let home = Home::new();
    home.project("shop", &web("server", "")).up();
    assert_eq!(Front::of(&home).get("shop.localhost", "/").body, "server /");
}

#[test]
fn an_unknown_name_lists_the_projects_only_to_people_of_this_machine() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let ours = front.visit("shpo.localhost", "/");
    assert_eq!(ours.status, 404);
    let link = format!("href=\"http://shop.localhost:{}/\"", front.http);
    assert!(ours.body.contains(&link), "a Host without a port loses ours: {}", ours.body);
    let problem = front.get("shpo.localhost", "/").json();
    let detail = problem["detail"].as_str().unwrap_or_default();
    let there = format!("http://shop.localhost:{}/", front.http);
    assert!(detail.ends_with(&format!("These are up: {there}")), "{detail}");
    assert_eq!(problem["projects"], serde_json::json!([there]));
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        let listed = front.visit(&format!("{host}:{}", front.http), "/");
        assert_eq!(listed.status, 404, "{host}");
        assert!(listed.body.contains(&link), "{host}: {}", listed.body);
    }
    for host in ["evil.example", "192.168.1.1", "shop.localhost.evil.example"] {
        let theirs = front.visit(host, "/");
        assert_eq!(theirs.status, 404, "{host}");
        assert!(!theirs.body.contains("shop.localhost\""), "{}", theirs.body);
        assert!(!theirs.body.contains("href"), "{}", theirs.body);
        assert!(!front.get(host, "/").body.contains("shop.localhost:"), "{host}");
    }
}

#[test]
fn the_dashboard_is_on_its_own_host_and_takes_nothing_from_others() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let page = front.visit("locald.localhost", "/");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("shop") && page.body.contains("healthy"), "{}", page.body);
    assert_eq!(page.field("x-frame-options"), ["DENY"]);
    assert_eq!(front.get("shop.localhost", "/v1/status").body, "web /v1/status");
    assert_eq!(front.post("locald.localhost", "/v1/shutdown", "{}").status / 100, 4);
    assert_eq!(front.get("sub.locald.localhost", "/").status, 404);
    let from = |origin: &str| {
        let head = "GET / HTTP/1.1\r\nHost: locald.localhost\r\nConnection: close\r\n";
        front.ask(format!("{head}Origin: {origin}\r\n\r\n")).status
    };
    assert_eq!(from("http://locald.localhost"), 200);
    for origin in ["http://shop.localhost", "https://locald.localhost", "null"] {
        assert_eq!(from(origin), 403, "{origin}");
    }
}

#[test]
fn two_projects_cannot_have_one_name() {
    let home = Home::new();
    let _shop = shop(&home);
    let other = home.project("other", &web("front", "domain = \"shop.localhost\""));
    let refused = other.locald(["up"]).fails(4).and_clearly();
    let refused = refused.complains("shop.localhost").complains("shop").complains("other/front");
    let file =
        |name: &str| home.path().join("p").join(name).join("locald.toml").display().to_string();
    let line = std::fs::read_to_string(file("other"))
        .expect("we wrote it")
        .lines()
        .position(|line| line.contains("domain"))
        .expect("it is there")
        + 1;
    let refused = refused
        .complains(&format!("--> {}:{line}:10\n", file("other")))
        .complains("domain = \"shop.localhost\"\n")
        .complains("^^^^^^^^^^^^^^^^\n")
        .complains(&format!("the other is at {}:2:8; {}", file("shop"), ends(&home, "shop")));
    assert!(!refused.stderr.contains("shop/web and shop"), "{refused}");
    assert_eq!(Front::of(&home).get("shop.localhost", "/").body, "web /");
    let own = home.project("own", &web("front", "domain = \"locald.localhost\""));
    own.locald(["up"]).fails(4).and_clearly().complains("dashboard");
    // What it says to do helps.
    let script = format!("PATH={}:$PATH && {}", bin(&home), command(&home, "shop"));
    home.program("sh").args(["-c", &script]).ok();
    other.up();
    assert_eq!(Front::of(&home).get("shop.localhost", "/").body, "front /");
}

/// How a project in this folder is ended.
fn command(home: &Home, name: &str) -> String {
    format!("locald -C {} down", home.path().join("p").join(name).display())
}

fn ends(home: &Home, name: &str) -> String {
    format!("`{}` ends it", command(home, name))
}

fn bin(home: &Home) -> String {
    home.binary().parent().expect("a folder").display().to_string()
}

#[test]
fn two_projects_of_one_name_are_told_where_both_are() {
    let home = Home::new();
    let _shop = shop(&home);
    let text = format!("[project]\ndomain = \"x.localhost\"\nname = \"shop\"\n{}", web("web", ""));
    let other = home.folder("other").with("locald.toml", text);
    let refused = other.locald(["up"]).fails(4).and_clearly().complains("two projects cannot");
    let file =
        |name: &str| home.path().join("p").join(name).join("locald.toml").display().to_string();
    refused
        .complains(&format!("--> {}:3:8\n", file("other")))
        .complains("^^^^^^\n")
        .complains(&format!("the other is at {}:2:8; {}", file("shop"), ends(&home, "shop")));
}

#[test]
fn names_follow_what_happens_at_once() {
    let home = Home::new();
    let shop = shop(&home);
    let front = Front::of(&home);
    let status = || front.get("shop.localhost", "/").status;
    assert_eq!(status(), 200);
    shop.locald(["stop", "web"]).ok();
    assert_eq!(status(), 503);
    shop.locald(["start", "web"]).ok();
    assert_eq!(status(), 200);
    shop.locald(["down"]).ok();
    assert_eq!(status(), 404);
    shop.up();
    assert_eq!(status(), 200);
    home.stop_daemon();
    shop.up();
    assert_eq!(Front::of(&home).get("shop.localhost", "/").status, 200);
}
