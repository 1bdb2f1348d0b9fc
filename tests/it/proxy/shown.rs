//! What locald tells of its proxy: URLs, requests, ports.

use std::net::TcpListener;

use super::{shop, web};
use crate::support::{Home, front::Front};

#[test]
fn every_url_shown_is_the_proxys() {
    let home = Home::new();
    let project = home.project("shop", &[web("web", ""), web("api", "")].concat());
    let up = project.up();
    let port = Front::of(&home).http;
    let (shop, api) =
        (format!("http://shop.localhost:{port}"), format!("http://api.shop.localhost:{port}"));
    up.says(&shop).says(&api);
    assert_eq!(project.service("web").0["url"], *shop);
    assert_eq!(project.service("api").0["url"], *api);
    project.locald(["status"]).ok().says(&shop).says(&api);
    assert_eq!(project.locald(["url"]).ok().stdout.trim(), shop);
    assert_eq!(project.locald(["url", "api"]).ok().stdout.trim(), api);
}

#[test]
fn requests_are_remembered_and_told() {
    let home = Home::new();
    let project = home.project("shop", &[web("web", ""), web("api", "")].concat());
    project.up();
    let front = Front::of(&home);
    front.get("shop.localhost", "/one?x=1");
    front.post("api.shop.localhost", "/length", "hello");
    front.get("shop.localhost", "/mine");
    let told = |args: &[&str]| {
        let run = project.locald(["requests", "--json"]).args(args).ok().json_lines();
        let text = |value: &serde_json::Value| {
            let of = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
            format!("{} {} {} {}", of("service"), of("method"), of("path"), value["status"])
        };
        run.iter().map(text).collect::<Vec<_>>()
    };
    let (one, post, mine) = ("web GET /one?x=1 200", "api POST /length 200", "web GET /mine 502");
    // A request is remembered when its answer has been sent, which a client may see a little earlier.
    crate::support::eventually("three requests", || (told(&[]).len() == 3).then_some(()));
    assert_eq!(told(&[]), [one, post, mine]);
    assert_eq!(told(&["api"]), [post]);
    assert_eq!(told(&["-n", "1"]), [post, mine]);
    let first = &project.locald(["requests", "--json"]).ok().json_lines()[0];
    assert_eq!((&first["project"], &first["bytes"]), (&"shop".into(), &12.into()));
    assert!(first["ms"].as_f64().is_some_and(|ms| ms > 0.0 && ms < 60_000.0), "{first}");
    assert!(first["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{first}");
    project.locald(["requests"]).ok().says("GET /one?x=1  200  12 B  ");
    project.locald(["requests", "nobody"]).fails(2).and_clearly().complains("nobody");

    let mut follow = project.locald(["requests", "-f", "web"]).stream();
    follow.find_text("/mine");
    front.get("api.shop.localhost", "/other");
    front.get("shop.localhost", "/new");
    assert!(follow.line().is_some_and(|line| line.contains("GET /new  200")));
    project.locald(["down"]).ok();
    assert!(follow.end().success());
}

#[test]
fn http_leads_to_https_when_that_is_wanted() {
    let home = Home::new();
    home.write("config/config.toml", "[proxy]\nredirect_https = \"always\"\n");
    let _shop = shop(&home);
    let front = Front::of(&home);
    let answer = front.get("shop.localhost", "/a?b=c");
    assert_eq!(answer.status, 308);
    let there = format!("https://shop.localhost:{}/a?b=c", front.https);
    assert_eq!(answer.field("location"), [&*there]);
    assert_eq!(front.curl("shop.localhost", "/a?b=c").ok().stdout, "web /a?b=c");
}

#[test]
fn busy_ports_are_replaced_and_that_is_said() {
    let home = Home::new();
    home.write("config/config.toml", "[proxy]\nfallback_ports = [0, 0]\n");
    let busy = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = busy.local_addr().expect("it is bound").port();
    let project = home.project("shop", &web("web", ""));
    project.locald(["up"]).env("LOCALD_HTTP_PORT", port.to_string()).ok();
    let front = Front::of(&home);
    assert_ne!(front.http, port);
    assert_eq!(front.get("shop.localhost", "/").body, "web /");
    let events = project.locald(["events", "--all"]).ok();
    let events = events.says(&format!("HTTP is on port {}", front.http));
    events.says(&format!("cannot listen on {port}"));
    assert!(project.service("web").0["url"].as_str().unwrap().ends_with(&front.http.to_string()));
}

#[test]
fn with_all_ports_taken_any_is_used_and_that_is_said_in_one_line() {
    let home = Home::new();
    let busy: Vec<_> =
        (0..4).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    let taken: Vec<u16> =
        busy.iter().map(|socket| socket.local_addr().expect("it is bound").port()).collect();
    let [http, https, other_http, other_https] = taken[..] else { panic!("four ports") };
    let config = format!("[proxy]\nfallback_ports = [{other_http}, {other_https}]\n");
    home.write("config/config.toml", config);
    let project = home.project("shop", &web("web", ""));
    let up = project.locald(["up"]);
    let up = up.env("LOCALD_HTTP_PORT", http.to_string());
    let up = up.env("LOCALD_HTTPS_PORT", https.to_string()).ok();
    let front = Front::of(&home);
    assert!(!taken.contains(&front.http) && !taken.contains(&front.https), "{front:?}");
    assert_eq!(front.get("shop.localhost", "/").body, "web /");
    assert_eq!(front.curl("shop.localhost", "/").ok().stdout, "web /");
    let said = format!("{}{}", up.stdout, up.stderr);
    let about: Vec<&str> = said.lines().filter(|line| line.contains("cannot listen")).collect();
    let line = format!(
        "HTTP is on port {} and HTTPS on {}: cannot listen on {http} and {https} nor on \
         {other_http} and {other_https}: ",
        front.http, front.https
    );
    assert!(matches!(about[..], [one] if one.contains(&line)), "{line} is not in {said}");
    let url = format!("http://shop.localhost:{}", front.http);
    assert_eq!(project.locald(["url"]).ok().stdout.trim(), url);
    project.locald(["status"]).ok().says(&url);
}
