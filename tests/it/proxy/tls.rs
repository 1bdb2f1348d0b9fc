//! HTTPS with a certificate of our own CA, and HTTP/2.

use super::{shop, web};
use crate::support::{Home, Project, command::Run, front::Front};

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
    let front = Front::of(&home);
    front.curl("shop.localhost", "/").ok();
    let refused = front.curl("evil.example", "/").run();
    assert_ne!(refused.code(), 0, "{refused}");
    assert!(refused.stderr.contains("unrecognized name"), "{refused}");
    home.locald(["tree", "--all"]).ok().says("1 certificates cached");
}

/// What `openssl s_client` says with these arguments, having been told this; as another program sees it.
fn s_client(home: &Home, args: &str, input: &str, then: &str) -> String {
    let connect = format!("openssl s_client -connect 127.0.0.1:{}", Front::of(home).https);
    let script = format!("printf '{input}' | {connect} {args} 2>&1 | {then}");
    home.program("sh").args(["-c", &script]).run().stdout
}

#[test]
fn without_a_name_the_certificate_is_for_this_machine() {
    let home = Home::new();
    let _shop = shop(&home);
    let then = "openssl x509 -noout -ext subjectAltName";
    let names = s_client(&home, "-noservername", "", then);
    let names: Vec<&str> = names.lines().skip(1).flat_map(|line| line.split(',')).collect();
    let names: Vec<&str> = names.into_iter().map(str::trim).collect();
    let this = ["DNS:localhost", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1"];
    assert_eq!(names, this);
}

#[test]
fn only_what_is_safe_is_spoken_and_a_session_can_be_resumed() {
    let home = Home::new();
    let _shop = shop(&home);
    for version in ["1.2", "1.3"] {
        let run = Front::of(&home).curl("shop.localhost", "/").args(["--tls-max", version]);
        assert_eq!(run.arg(format!("--tlsv{version}")).ok().stdout, "web /", "{version}");
    }
    let name = "-servername shop.localhost";
    let old = s_client(&home, &format!("{name} -tls1_1 -cipher DEFAULT@SECLEVEL=0"), "", "cat");
    assert!(old.contains("alert") && old.contains("no peer certificate"), "{old}");
    // A ticket comes behind the handshake: there has to be a request.
    let ask = r"GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n";
    let session = |how: &str| s_client(&home, &format!("{name} -ign_eof {how}"), ask, "cat");
    let first = session("-sess_out session");
    assert!(first.contains("New, TLSv1.3") && first.contains("web /"), "{first}");
    assert!(first.contains("Cipher is TLS_AES_128_GCM_SHA256"), "the cheapest: {first}");
    let second = session("-sess_in session");
    assert!(second.contains("Reused, TLSv1.3") && second.contains("web /"), "{second}");
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

/// A self-signed pair for a host, in files of the project.
fn own_pair(project: &Project<'_>, host: &str, subject: &str) {
    let script = format!(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 \
         -subj /CN={subject} -addext subjectAltName=DNS:{host} -keyout own-key.pem -out new.pem \
         2>/dev/null && mv new.pem own.pem"
    );
    Run::new("sh").args(["-c", &script]).within(project.dir()).ok();
}

#[test]
fn a_service_may_bring_its_own_certificate() {
    let home = Home::new();
    let own = "tls = { cert = \"own.pem\", key = \"own-key.pem\" }\n";
    let project = home.project("shop", &[web("web", own), web("api", "")].concat());
    project.locald(["up"]).fails(4).complains("own.pem");
    own_pair(&project, "other.localhost", "wrong");
    project.locald(["up"]).fails(4).complains("no certificate for shop.localhost");
    project.locald(["check"]).fails(4);
    own_pair(&project, "shop.localhost", "first");
    project.up();
    let front = Front::of(&home);
    let subject = |name: &str| {
        let script = format!(
            "openssl s_client -connect 127.0.0.1:{} -servername {name} </dev/null 2>/dev/null |
             openssl x509 -noout -subject",
            front.https
        );
        home.program("sh").args(["-c", &script]).ok().stdout
    };
    assert!(subject("shop.localhost").contains("first"), "{}", subject("shop.localhost"));
    assert!(!subject("api.shop.localhost").contains("first"));
    // Renewed: nothing has to be restarted for it.
    own_pair(&project, "shop.localhost", "second");
    assert!(subject("shop.localhost").contains("second"));
    // In the middle of being written.
    project.write("own.pem", "half");
    assert!(subject("shop.localhost").contains("second"));
}
