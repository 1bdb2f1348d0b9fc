//! Who is let in, who may look, and who may change something.

use serde_json::json;

use super::visit::{HOST, ORIGIN, Visit, ask, invitation};
use crate::support::{Home, Project, front::Front, svc};

fn shop(home: &Home) -> Project<'_> {
    let worker = svc(["print=secret words", "forever"]);
    let project = home.project("shop", &format!("[services.web]\ntype = \"worker\"\n{worker}\n"));
    project.up();
    project
}

#[test]
fn an_invitation_lets_one_browser_in_once() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let (page, secret) = invitation(&home);
    assert_eq!(page, format!("http://locald.localhost:{}/login", front.http));
    let told = home.locald(["dashboard", "--json"]).ok().json();
    assert!(told["url"].as_str().is_some_and(|url| url.starts_with(&page)), "{told}");
    assert!(told["expires_s"].as_f64().is_some_and(|s| s > 1.0 && s <= 60.0), "{told}");

    let shown =
        |secret: &str| ask(front, "POST /login", &[("Host", HOST), ("Origin", ORIGIN)], secret);
    for wrong in ["", "0", &secret[1..], &"0".repeat(64)] {
        assert_eq!(shown(wrong).status, 403, "{wrong:?}");
    }
    // Another page may not log its visitors in.
    let fields = [("Host", HOST), ("Origin", "http://evil.com")];
    assert_eq!(ask(front, "POST /login", &fields, &secret).status, 403);
    assert_eq!(ask(front, "POST /login", &[("Host", HOST)], &secret).status, 403);

    let answer = shown(&secret);
    assert_eq!(answer.status, 204);
    let cookie = answer.field("set-cookie")[0];
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.split("; ").any(|it| it == part), "{cookie}");
    }
    assert!(!cookie.contains(&secret), "{cookie}");
    let again = shown(&secret);
    assert_eq!(again.status, 403);
    assert!(again.body.contains("locald dashboard"), "{}", again.body);
    assert!(again.field("set-cookie").is_empty());
}

#[test]
fn whoever_is_not_logged_in_sees_a_plain_list_and_nothing_else() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let page = front.visit(HOST, "/");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("shop") && page.body.contains("locald dashboard"), "{}", page.body);
    let policy = page.field("content-security-policy")[0];
    assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let paths = "session v1/status v1/tree v1/live v1/graph v1/events v1/logs v1/requests v1/why";
    for path in paths.split(' ') {
        let answer = front.get(HOST, &format!("/{path}"));
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.body.contains("`locald dashboard`"), "{}", answer.body);
        let fields = [("Host", HOST), ("Cookie", "locald=0123456789abcdef; __Host-locald=0")];
        assert_eq!(ask(front, &format!("GET /{path}"), &fields, "").status, 401, "{path}");
    }
    // Nor is there anything of it on other hosts.
    assert_eq!(front.get("shop.localhost", "/session").status, 404);
}

#[test]
fn a_command_needs_session_token_and_our_own_origin() {
    let home = Home::new();
    let shop = shop(&home);
    let visit = Visit::new(&home);
    let pid = shop.service("web").pid();
    let (front, cookie, token) = (visit.front, visit.cookie.as_str(), visit.token.as_str());
    let body = json!({"project": "shop", "services": ["web"]}).to_string();
    let all = [("Host", HOST), ("Origin", ORIGIN), ("Cookie", cookie), ("X-Locald-Token", token)];
    let with = |name: &str, value: Option<&str>| {
        let mut fields: Vec<(&str, &str)> = all.to_vec();
        fields.retain(|(known, _)| *known != name);
        let name = all.iter().find(|(known, _)| *known == name).expect("one of them").0;
        fields.extend(value.map(|value| (name, value)));
        ask(front, "POST /v1/restart", &fields, &body).status
    };
    for origin in [
        None,
        Some("null"),
        Some("http://evil.com"),
        Some("http://shop.localhost"),
        Some("https://locald.localhost"),
        Some("http://locald.localhost:1"),
    ] {
        assert_eq!(with("Origin", origin), 403, "{origin:?}");
    }
    for host in
        ["evil.com", "locald.localhost.evil.com", "127.0.0.1", "localhost", "x.locald.localhost"]
    {
        assert_eq!(with("Host", Some(host)), 404, "{host:?}");
    }
    assert_eq!(with("Host", None), 400);
    for token in [None, Some(""), Some("0"), Some(&token[1..])] {
        assert_eq!(with("X-Locald-Token", token), 403, "{token:?}");
    }
    for cookie in [None, Some("locald="), Some("locald=0"), Some("other=1")] {
        assert_eq!(with("Cookie", cookie), 401, "{cookie:?}");
    }
    // A page that the browser says is another one, though it may claim anything else.
    for site in ["cross-site", "same-site"] {
        let fields = [&all[..], &[("Sec-Fetch-Site", site)]].concat();
        assert_eq!(ask(front, "POST /v1/restart", &fields, &body).status, 403, "{site}");
    }
    assert_eq!(shop.service("web").pid(), pid, "nothing has happened");
    assert_eq!(with("Cookie", Some(cookie)), 200);
    shop.until_replaced("web", pid);
}

#[test]
fn the_page_can_command_no_more_than_it_has_buttons_for() {
    let home = Home::new();
    let shop = shop(&home);
    let visit = Visit::new(&home);
    let project = json!({"project": "shop", "services": ["web"]});
    for path in [
        "up",
        "down",
        "reset",
        "env",
        "hold",
        "attach",
        "shutdown",
        "upgrade",
        "fault",
        "dashboard",
    ] {
        assert_eq!(visit.post(&format!("/v1/{path}"), &project).status, 404, "{path}");
    }
    for body in [
        json!({"project": "shop", "env": {"PATH": "/evil"}}),
        json!({"dir": shop.dir()}),
        json!({}),
        json!([]),
    ] {
        assert_eq!(visit.post("/v1/start", &body).status, 400, "{body}");
    }
    assert_eq!(visit.post("/v1/start", &json!({"project": "other"})).status, 404);
    let none = json!({"project": "shop", "services": ["none"]});
    let answer = visit.post("/v1/start", &none);
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (400, &"bad_request".into()));
    let long = json!({"project": "x".repeat(100_000)});
    assert_eq!(visit.post("/v1/start", &long).status, 413);
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let fields = [("Host", HOST), ("Origin", ORIGIN), ("Cookie", &visit.cookie)];
        let status = ask(visit.front, &format!("{method} /v1/status"), &fields, "").status;
        assert_eq!(status, 405, "{method}");
    }
    assert_eq!(visit.get("/v1/env").status, 404);
    assert_eq!(visit.get("/assets/../door.rs").status, 404);
    assert_eq!(shop.service("web").state(), "healthy");
}

#[test]
fn stop_and_start_are_what_the_command_line_does() {
    let home = Home::new();
    let shop = shop(&home);
    let visit = Visit::new(&home);
    let web = json!({"project": "shop", "services": ["web"]});
    assert_eq!(visit.post("/v1/stop", &web).status, 200);
    shop.until_state("web", "stopped");
    assert_eq!(visit.post("/v1/start", &json!({"project": "shop"})).status, 200);
    shop.until_state("web", "healthy");
    // With the environment of whoever last started it.
    let path = shop.locald(["why", "web", "--json"]).ok().json();
    assert_eq!(path["last_cause"], "started by a person");
    assert_eq!(visit.post("/logout", &json!({})).status, 204);
    assert_eq!(visit.get("/v1/status").status, 401);
    assert_eq!(visit.post("/v1/stop", &web).status, 401);
}

#[test]
fn by_tls_the_cookie_is_bound_to_this_host() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let (_, secret) = invitation(&home);
    let origin = format!("Origin: https://{HOST}:{}", front.https);
    let jar = home.path().join("jar");
    let answer = front
        .curl(HOST, "/login")
        .args(["-i", "-H", &origin, "--data-binary", &secret, "-c"])
        .arg(&jar)
        .ok()
        .says("HTTP/2 204");
    assert!(answer.stdout.contains("__Host-locald="), "{answer}");
    assert!(answer.stdout.contains("; Secure"), "{answer}");
    let cookie = answer.stdout.split("set-cookie: ").nth(1).and_then(|it| it.split(';').next());
    let cookie = format!("Cookie: {}", cookie.expect("a cookie"));
    let status = front.curl(HOST, "/v1/status").args(["-H", &cookie]).ok().json();
    assert_eq!(status["projects"][0]["name"], "shop");
    // It is none of those that go without TLS.
    let plain = [("Host", HOST), ("Cookie", &cookie["Cookie: ".len()..])];
    assert_eq!(ask(front, "GET /v1/status", &plain, "").status, 401);
    let events = ["-N", "--max-time", "2", "-H", &cookie, "-H", "Accept: text/event-stream"];
    let stream = front.curl(HOST, "/v1/live").args(events).run();
    assert!(stream.stdout.contains("\ndata: {\"status\":"), "{stream}");
}
