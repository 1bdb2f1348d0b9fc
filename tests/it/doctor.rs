//! `locald doctor`: each check that can be made to fail is, from outside.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
    path::Path,
};

use serde_json::Value;

use crate::support::{Home, command::Output, skip, svc};

/// The check of this id in a report.
#[track_caller]
fn check(report: &Value, id: &str) -> (String, String, Option<String>) {
    let checks = report["checks"].as_array().expect("a list");
    let check = checks.iter().find(|check| check["id"] == id);
    let check = check.unwrap_or_else(|| panic!("no {id} in {report:#}"));
    let text = |key: &str| check[key].as_str().map(str::to_owned);
    (text("status").expect("a word"), text("message").expect("a sentence"), text("fix"))
}

/// One check is critical, and that is the exit code.
#[track_caller]
fn critical(output: &Output, id: &str, says: &str) -> String {
    assert_eq!(output.code(), 1, "{output}");
    let report = output.json();
    assert_eq!(report["ok"], false);
    let (status, message, fix) = check(&report, id);
    assert_eq!(status, "critical", "{id}: {message}");
    assert!(message.contains(says), "{id}: {message}");
    fix.expect("something to do")
}

#[track_caller]
fn warning(output: &Output, id: &str, says: &str) -> String {
    let (status, message, fix) = check(&output.json(), id);
    assert_eq!(status, "warning", "{id}: {message}");
    assert!(message.contains(says), "{id}: {message}");
    fix.expect("something to do")
}

#[track_caller]
fn fine(output: &Output, id: &str, status: &str, says: &str) {
    let (found, message, fix) = check(&output.json(), id);
    assert_eq!((found.as_str(), fix), (status, None), "{id}: {message}");
    assert!(message.contains(says), "{id}: {message}");
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is there");
}

#[test]
fn it_looks_and_starts_nothing() {
    let home = Home::new();
    let output = home.locald(["doctor", "--json"]).ok();
    assert_eq!(output.json()["ok"], true);
    fine(&output, "daemon", "info", "no daemon");
    fine(&output, "project-config", "info", "no project");
    fine(&output, "ca", "info", "no CA yet");
    fine(&output, "port-http", "ok", "any port");
    let left: Vec<_> = fs::read_dir(home.path()).expect("a folder").collect();
    assert!(left.is_empty(), "{left:?}");
    let text = home.locald(["doctor"]).ok().says("daemon").says("no daemon is running").stdout;
    assert!(!text.contains('\x1b'), "{text}");
}

#[test]
fn a_daemon_that_runs_is_known() {
    let home = Home::new();
    let project =
        home.project("shop", &format!("[services.web]\n{}\n", svc(["listen", "forever"])));
    project.up();
    let output = project.locald(["doctor", "--json"]).ok();
    fine(&output, "daemon", "ok", &format!("pid {}", home.daemon_pid()));
    fine(&output, "project-config", "ok", "shop is valid: 1 service");
    fine(&output, "ca", "ok", "signs for localhost");
    let heart = home.locald(["status", "--all", "--json"]).ok().json()["daemon"]["heart"].clone();
    fine(&output, "heart", "ok", &format!("pid {heart}"));
    // Nobody but a person has trusted it, and nobody has here.
    let (status, ..) = check(&output.json(), "trust-system");
    assert!(["warning", "info"].contains(&status.as_str()), "{status}");
}

/// Answers two requests as a daemon of these words.
fn stand_in(socket: &Path, version: &'static str, status: String) -> std::thread::JoinHandle<()> {
    let listener = UnixListener::bind(socket).expect("a short path");
    std::thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        for body in [version, &status] {
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap_or(0);
            if length == 0 {
                return;
            }
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
            drop(write!(stream, "{head} {}\r\n\r\n{body}", body.len()));
        }
    })
}

#[test]
fn an_old_or_a_foreign_daemon_is_told() {
    let home = Home::new();
    let socket = home.path().join("other.sock");
    let protocol = format!(r#"{{"version":"0.0.9","protocol":{},"pid":1}}"#, locald::api::PROTOCOL);
    let status = r#"{"daemon":{"pid":1,"version":"0.0.9","uptime_s":1.0,"socket":"/x","http":null,"https":null,"heart":null},"projects":[]}"#;
    let doctor = || home.locald(["doctor", "--json"]).env("LOCALD_SOCKET", &socket).run();
    let other = stand_in(&socket, protocol.leak(), status.to_owned());
    let output = doctor();
    assert_eq!(warning(&output, "version", "locald 0.0.9"), "locald server upgrade");
    warning(&output, "heart", "no heart");
    other.join().expect("it answers twice");
    fs::remove_file(&socket).expect("it is ours");
    let other = stand_in(&socket, "nonsense", String::new());
    assert_eq!(critical(&doctor(), "daemon", "makes no sense"), "locald server restart");
    other.join().expect("it answers once");
}

#[test]
fn who_holds_a_port_is_told() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it has one").port();
    let doctor =
        || home.locald(["doctor", "--json"]).env("LOCALD_HTTP_PORT", port.to_string()).ok();
    let me = std::process::id();
    let fix = warning(&doctor(), "port-http", &format!("(pid {me}): HTTP goes elsewhere"));
    assert_eq!(fix, format!("kill {me}"));
    drop(taken);
    fine(&doctor(), "port-http", "ok", &format!("port {port} is free"));
}

#[test]
fn the_ca_is_looked_at() {
    let home = Home::new();
    home.locald(["server", "start"]).ok();
    let dir = home.path().join("data/ca");
    let key = dir.join("root-key.pem");
    crate::support::eventually("there is a CA", || key.exists().then_some(()));
    home.stop_daemon();
    let doctor = || home.locald(["doctor", "--json"]).run();
    fine(&doctor(), "ca", "ok", "signs for localhost");
    let config = home.write("config/config.toml", "[proxy]\ntlds = [\"localhost\", \"test\"]\n");
    let fix = warning(&doctor(), "ca", ".test");
    assert!(fix.contains("locald trust --uninstall"), "{fix}");
    if check(&doctor().json(), "shim").0 != "ok" {
        let fix = warning(&doctor(), "names-browser", ".test");
        assert_eq!(fix, "sudo locald admin setup --tld test");
    }
    fs::remove_file(config).expect("it is ours");
    mode(&key, 0o644);
    let fix = critical(&doctor(), "ca", "others have access to");
    assert_eq!(fix, format!("chmod go= '{}'", key.display()));
    // The fix is one.
    home.program("/bin/sh").args(["-c", &fix]).ok();
    fine(&doctor(), "ca", "ok", "signs for localhost");
    fs::write(&key, "garbage").expect("it is ours");
    let fix = critical(&doctor(), "ca", "is not what it should be");
    assert!(fix.contains("rm -r '"), "{fix}");
    fs::remove_file(&key).expect("it is ours");
    critical(&doctor(), "ca", "root-key.pem is missing");
}

#[test]
fn folders_that_others_can_see_are_told() {
    let home = Home::new();
    home.locald(["server", "start"]).ok();
    home.stop_daemon();
    let doctor = || home.locald(["doctor", "--json"]).run();
    fine(&doctor(), "folders", "ok", "nobody else");
    mode(&home.state_dir(), 0o755);
    let fix = warning(&doctor(), "folders", "mode 0755");
    home.program("/bin/sh").args(["-c", &fix]).ok();
    fine(&doctor(), "folders", "ok", "nobody else");
}

#[test]
fn configurations_with_errors_are_critical() {
    let home = Home::new();
    let project = home.folder("shop").with("locald.toml", "[project]\nname = 'shop'\nnaem = 1\n");
    let output = project.locald(["doctor", "--json"]).run();
    assert_eq!(critical(&output, "project-config", "line 3: unknown key `naem`"), "locald check");
    home.write("config/config.toml", "[proxy]\nhttp_prot = 1\nhttps_port = 99999\n");
    let output = home.locald(["doctor", "--json"]).run();
    let fix = critical(&output, "global-config", "line 2: unknown key `http_prot`");
    assert!(fix.contains("config.toml"), "{fix}");
    assert!(check(&output.json(), "global-config").1.ends_with(", and 1 more"));
    home.locald(["doctor"]).fails(1).says("1 critical");
}

#[test]
fn programs_that_are_not_there_are_told() {
    let home = Home::new();
    let project =
        home.project("shop", "[services.web]\ncommand = \"no-such-thing --port $PORT\"\n");
    let output = project.locald(["doctor", "--json"]).ok();
    let fix = warning(&output, "build-tools", "`no-such-thing`");
    assert!(fix.ends_with("no-such-thing"), "{fix}");
    let output = home.locald(["doctor", "--json"]).env("PATH", "/nowhere").run();
    critical(&output, "build-tools", "no `sh`");
}

#[test]
fn a_postgres_is_found_where_services_find_it() {
    let home = Home::new();
    let fetched = format!(
        "data/postgres/17.9-{}-{}",
        "linux",
        if cfg!(target_arch = "x86_64") { "x64" } else { "arm64" }
    );
    let places = ["path", "told/bin", &format!("{fetched}/bin")];
    for place in places {
        for program in ["initdb", "postgres"] {
            mode(&home.write(&format!("{place}/{program}"), "#!/bin/sh\n"), 0o755);
        }
    }
    let [path, told, fetched] = places.map(|place| home.path().join(place).display().to_string());
    let doctor = || home.locald(["doctor", "--json"]).env("PATH", format!("{path}:/usr/bin:/bin"));
    fine(&doctor().ok(), "postgres", "ok", &path);
    fine(&doctor().ok(), "postgres", "ok", &fetched);
    // Then there is no other.
    let output = doctor().env("LOCALD_POSTGRES_DIR", told.trim_end_matches("/bin")).ok();
    fine(&output, "postgres", "ok", &told);
    assert!(!output.stdout.contains(&fetched), "{}", output.stdout);
}

#[test]
fn a_socket_path_that_cannot_be_is_critical() {
    let home = Home::new();
    let path = format!("/tmp/{}", "x".repeat(120));
    let output = home.locald(["doctor", "--json"]).env("LOCALD_SOCKET", path).run();
    assert_eq!(critical(&output, "places", "the system allows"), "unset LOCALD_SOCKET");
}

/// In a user namespace, where it can be as bad as we like.
#[test]
fn a_machine_that_allows_too_little_is_told() {
    let home = Home::new();
    let worse = |how: &str| {
        let script = format!("{how} && exec {} doctor --json", home.binary().display());
        home.program("unshare").args(["-Urm", "/bin/sh", "-c", &script]).run()
    };
    if worse("true").code() != 0 {
        return skip("there are no user namespaces");
    }
    let files = worse("ulimit -n 200");
    assert!(critical(&files, "descriptors", "more than 200").contains("nofile"));
    warning(&worse("ulimit -n 1024"), "descriptors", "1024");
    let full = worse("echo 0 > /proc/sys/user/max_inotify_instances");
    assert_eq!(
        critical(&full, "inotify-instances", "edits cannot be noticed"),
        "sudo sysctl fs.inotify.max_user_instances=1024"
    );
    let few = worse("echo 9 > /proc/sys/user/max_inotify_instances");
    warning(&few, "inotify-instances", "9 programs");
    let few = worse("echo 100 > /proc/sys/user/max_inotify_watches");
    warning(&few, "inotify-watches", "100 folders");
    let small = |size: &str| {
        let home = home.path().display();
        worse(&format!(
            "mkdir -p {home}/state && mount -t tmpfs -o mode=700,size={size} none {home}/state"
        ))
    };
    let fix = critical(&small("4m"), "disk", "4 MiB");
    assert!(fix.contains("state"), "{fix}");
    warning(&small("200m"), "disk", "200 MiB");
}
