//! HTTPS with a certificate of our own CA, and HTTP/2.

use super::{shop, web};
use crate::support::{Front, Home};

#[test]
fn curl_gets_the_same_by_every_protocol() {
    let home = Home::new();
    let _shop = shop(&home);
    let front = Front::of(&home);
    let version = ["-w", " over %{http_version}"];
    let get =
        |protocol: &str| front.curl("shop.localhost", "/x").arg(protocol).args(version).ok().stdout;
    assert_eq!(get("--http2"), "web /x over 2");
    assert_eq!(get("--http1.1"), "web /x over 1.1");
    let url = format!("http://127.0.0.1:{}/x", front.http);
    let plain = home.program("curl").args(["-sS", "--http2-prior-knowledge", &url]);
    let plain = plain.args(["-H", "Host: shop.localhost"]).args(version);
    assert_eq!(plain.ok().stdout, "web /x over 2");
    let head = front.curl("shop.localhost", "/head").ok().stdout.to_ascii_lowercase();
    assert!(head.contains("x-forwarded-proto: https"), "{head}");
    assert!(head.contains(&format!("host: shop.localhost:{}", front.https)), "{head}");
    let big = "x".repeat(3 << 20);
    let post = front.curl("shop.localhost", "/length").args(["--data-binary", "@-"]).stdin(big);
    assert_eq!(post.ok().stdout, (3 << 20).to_string());
}

#[test]
fn a_certificate_is_for_one_name_only() {
    let home = Home::new();
    home.project("shop", &[web("web", ""), web("api", "")].concat()).up();
    let front = Front::of(&home);
    for name in ["shop.localhost", "api.shop.localhost", "unknown.shop.localhost"] {
        let script = format!(
            "openssl s_client -connect 127.0.0.1:{} -servername {name} </dev/null 2>/dev/null |
             openssl x509 -noout -ext subjectAltName",
            front.https
        );
        let names = home.program("sh").args(["-c", &script]).ok().stdout;
        let names: Vec<&str> = names.lines().skip(1).map(str::trim).collect();
        assert_eq!(names, [format!("DNS:{name}")]);
    }
}

#[test]
fn a_name_that_is_not_ours_gets_no_certificate() {
    let home = Home::new();
    let _shop = shop(&home);
    let refused = Front::of(&home).curl("evil.example", "/").run();
    assert_ne!(refused.code(), 0, "{refused}");
    assert!(refused.stderr.contains("unrecognized name"), "{refused}");
}

#[test]
fn the_ca_is_the_same_after_the_daemon_has_been_restarted() {
    let home = Home::new();
    let project = shop(&home);
    let ca = || std::fs::read(home.path().join("data/ca/root.pem")).expect("it is made by now");
    let before = ca();
    home.stop_daemon();
    project.up();
    assert_eq!(ca(), before);
    assert_eq!(Front::of(&home).curl("shop.localhost", "/").ok().stdout, "web /");
}
