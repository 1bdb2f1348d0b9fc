//! `type = "postgres"`.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use super::{assert_private, has, homes, kill_everything, owner, url, user_of};
use crate::support::{Home, Project, kernel};

const SHOP: &str = "
[services.db]
type = \"postgres\"
database = \"shop_dev\"
user = \"shop\"
extensions = [\"hstore\"]
init = [\"schema.sql\", \"rows.sql\"]
settings = { max_connections = 23, log_statement = \"all\" }
";

/// What a query answers, to somebody who has nothing but the URL.
#[track_caller]
fn ask(home: &Home, url: &str, query: &str) -> String {
    home.program("psql").args(["-XAtw", "-c", query, url]).ok().stdout.trim().to_owned()
}

fn shop(home: &Home) -> Project<'_> {
    home.project("shop", SHOP)
        .with("schema.sql", "CREATE TABLE goods (name text);\n")
        .with("rows.sql", "INSERT INTO goods\n  VALUES ('first');\n")
}

/// The file by which a server knows that another one works on its data.
fn lock(home: &Home) -> std::path::PathBuf {
    home.path().join("data/postgres/shop/db/data/postmaster.pid")
}

#[test]
fn rows_are_there_after_everything_was_killed() {
    if !has(&["initdb", "psql"]) {
        return;
    }
    for home in homes() {
        let project = shop(&home);
        project.up();
        let url = url(&project, "db");
        assert!(url.starts_with("postgres://shop:") && url.ends_with("/shop_dev"), "{url}");
        assert_eq!(ask(&home, &url, "SELECT name FROM goods"), "first");
        assert_eq!(ask(&home, &url, "SHOW max_connections"), "23");
        assert_eq!(ask(&home, &url, "SELECT 'a=>1'::hstore -> 'a'"), "1");
        assert_eq!(ask(&home, &url, "SELECT current_user || current_database()"), "shopshop_dev");
        whose(&home, &project);
        ask(&home, &url, "INSERT INTO goods VALUES ('second')");
        kill_everything(&home, &project, &["db"]);
        // The number of the dead server is that of somebody else by now.
        let data = lock(&home);
        let stranger = home.program("/bin/sleep").args(["600"]).run_by(owner(&data)).start();
        let text = fs::read_to_string(&data).expect("it was killed");
        let (_, rest) = text.split_once('\n').expect("a pid and more");
        fs::write(&data, format!("{}\n{rest}", stranger.pid())).expect("it may be written");
        project.up();
        assert_eq!(self::url(&project, "db"), url);
        let names = ask(&home, &url, "SELECT string_agg(name, ' ' ORDER BY name) FROM goods");
        assert_eq!(names, "first second", "what was written is there, and `init` ran once");
        // A stop needs no recovery: the server has taken its own lock away.
        project.locald(["stop"]).ok();
        assert!(!data.exists(), "a fast shutdown ends in order");
        stranger.signal(nix::sys::signal::Signal::SIGKILL);
        stranger.end();
    }
}

/// Nothing runs as root, and nobody else can look into it.
fn whose(home: &Home, project: &Project<'_>) {
    let folder = home.path().join("data/postgres/shop/db");
    assert_private(&folder.join("password"));
    assert_private(&folder.join("data"));
    assert_private(&folder.join("run"));
    let user = user_of(project.service("db").pid());
    assert_ne!(user, 0, "PostgreSQL refuses root");
    assert_eq!(user, owner(&folder.join("data")));
    if let Some(ours) = home.user() {
        assert_eq!(user, ours);
    }
    let log = project.log("db").join("\n");
    assert!(log.contains("database system is ready to accept connections"), "{log}");
    let password = fs::read_to_string(folder.join("password")).expect("we may read it");
    assert!(!log.contains(&password), "the log has the password");
    let shown = project.locald(["status"]).ok();
    assert!(!shown.stdout.contains(&password), "{shown}");
}

#[test]
fn commands_beside_it_find_it_and_it_is_no_web_site() {
    if !has(&["initdb", "psql"]) {
        return;
    }
    let home = Home::new();
    let listen = home.svc(["listen", "forever"]);
    let web = format!("[services.api]\n{listen}\nenv = {{ U = \"${{services.db.url}}\" }}\n");
    let project = home.project("shop", &format!("[services.db]\ntype = \"postgres\"\n{web}"));
    project.up();
    let one = project.locald(["run", "db", "--", "psql", "-XAtw", "-c", "SELECT 1"]).ok();
    assert_eq!(one.stdout.trim(), "1");
    let env = project.locald(["env", "api", "--json"]).ok().json();
    assert_eq!(env["U"].as_str(), Some(&*url(&project, "db")));
    assert_eq!(project.service("api").depends_on(), ["db"]);
    // The only one that speaks HTTP answers for the project's domain.
    assert!(project.service("api").url().expect("a name").contains("//shop.localhost"));
    assert!(project.locald(["url"]).ok().stdout.contains("//shop.localhost"));
}

#[test]
fn what_is_asked_for_later_is_made_later() {
    if !has(&["initdb", "psql"]) {
        return;
    }
    let home = Home::new();
    let project = home.project("shop", "[services.db]\ntype = \"postgres\"\n");
    project.up();
    let before = project.service("db").pid();
    assert_eq!(ask(&home, &url(&project, "db"), "SELECT current_database()"), "postgres");
    project.write("later.sql", "CREATE TABLE later AS SELECT 'x'::citext AS x;");
    let text = project.read("locald.toml");
    let more = "database = \"o'clock\"\nuser = \"me \\\"too\\\"\"\nextensions = [\"citext\"]\n\
                init = \"later.sql\"\n";
    project.write("locald.toml", text + more);
    project.until_replaced("db", before);
    assert_eq!(ask(&home, &url(&project, "db"), "SELECT x FROM later"), "x");
    // It all is there now: the next start makes nothing.
    let lines = project.log("db").len();
    project.locald(["restart", "db"]).ok();
    let news = project.log("db").split_off(lines).join("\n");
    assert!(!news.contains(".s.PGSQL.5432"), "{news}");
}

#[test]
fn an_error_in_an_init_file_is_shown_and_leaves_nothing_behind() {
    if !has(&["initdb", "psql"]) {
        return;
    }
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.db]\ntype = \"postgres\"\ninit = \"schema.sql\"\nmax_restarts = 0\n",
    );
    project.locald(["up"]).fails(1).complains("cannot read `init` file schema.sql");
    project.write("schema.sql", "CREATE TABLE a ();\nCREATE TABEL b ();\n");
    let up = project.locald(["up"]).fails(1).and_clearly();
    up.complains("schema.sql:2: ERROR:  syntax error");
    assert!(!home.path().join("data/postgres/shop/db/data").exists());
    project.write("schema.sql", "CREATE TABLE a ();\nCREATE TABLE b ();\n");
    project.up();
    let count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(ask(&home, &url(&project, "db"), count), "2");
}

#[test]
fn a_preparation_that_is_stopped_or_killed_is_begun_again() {
    if !has(&["initdb", "psql"]) {
        return;
    }
    for home in homes() {
        let project = shop(&home).with("schema.sql", "SELECT pg_sleep(600);");
        let folder = home.path().join("data/postgres/shop/db");
        project.locald(["up", "--no-wait"]).ok();
        let reason = |project: &Project<'_>, text: &str| {
            project.until(text, |status| status.service("db").reason().contains(text));
        };
        reason(&project, "initialising the database");
        assert_eq!(project.service("db").state(), "starting");
        let since = Instant::now();
        project.locald(["stop"]).ok();
        assert!(since.elapsed() < Duration::from_secs(10), "it does not wait for its end");
        project.locald(["start", "--no-wait"]).ok();
        reason(&project, "running schema.sql");
        assert!(!folder.join("data").exists(), "it is not there before all of it is");
        kill_everything(&home, &project, &[]);
        project.write("schema.sql", "CREATE TABLE goods (name text);");
        project.up();
        assert_eq!(ask(&home, &url(&project, "db"), "SELECT name FROM goods"), "first");
        assert!(!folder.join("new").exists());
        let others = kernel::processes_with("PGHOST", &folder.join("run"));
        assert!(others.is_empty(), "{others:?}");
    }
}

#[test]
fn data_of_another_major_version_is_refused_until_reset() {
    if !has(&["initdb", "psql"]) {
        return;
    }
    let home = Home::new();
    let project = shop(&home);
    let data = home.path().join("data/postgres/shop/db/data");
    let text = project.read("locald.toml") + "max_restarts = 0\n";
    project.write("locald.toml", &text);
    fs::create_dir_all(&data).expect("room");
    fs::write(data.join("PG_VERSION"), "9\n").expect("room");
    let up = project.locald(["up"]).fails(1).and_clearly();
    up.complains("its data is of PostgreSQL 9: no PostgreSQL 9").complains("service reset db");
    project.write("locald.toml", text.clone() + "version = \"15\"\n");
    let up = project.locald(["up"]).fails(1).and_clearly();
    up.complains("`version = \"15\"` asks for another one").complains("`version = \"9\"`");
    assert!(data.join("PG_VERSION").exists(), "what is refused is left alone");
    project.write("locald.toml", text);
    project.locald(["service", "reset", "db", "--yes"]).ok();
    assert_eq!(ask(&home, &url(&project, "db"), "SELECT name FROM goods"), "first");
}

#[test]
fn a_server_that_is_not_there_is_told_with_both_ways_out() {
    let home = Home::new();
    let services = "[services.db]\ntype = \"postgres\"\nversion = \"99\"\nmax_restarts = 0\n";
    let project = home.project("shop", services);
    let up = project.locald(["up"]).fails(1).and_clearly();
    up.complains("no PostgreSQL 99 on this machine")
        .complains("it cannot be fetched (cannot reach 127.0.0.1: ")
        .complains("install it (Debian, Ubuntu: apt install postgresql;")
        .complains("or set LOCALD_POSTGRES_DIR");
    // The folder that is named is the one that is used: here, one with a server of the right version.
    let server = home.write("pg/bin/postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) 99.1'\n");
    let initdb =
        home.write("pg/bin/initdb", "#!/bin/sh\necho 'initdb: error: it is a fake'\nexit 1\n");
    for program in [server, initdb] {
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let up = project.locald(["up"]).env("LOCALD_POSTGRES_DIR", home.path().join("pg")).fails(1);
    up.complains("initdb exited with code 1: initdb: error: it is a fake");
}

/// A server that says it starts up until somebody lets it be ready.
const SLOW: &str = r#"#!/usr/bin/env python3
import os, signal, socket, sys
if "--version" in sys.argv:
    print("postgres (PostgreSQL) 99.1")
    sys.exit()
def stop(number, frame):
    print("told by signal", number, flush=True)
    os._exit(0)
signal.signal(signal.SIGINT, stop)
port = next(int(arg[5:]) for arg in sys.argv if arg.startswith("port="))
with socket.create_server(("127.0.0.1", port)) as server:
    while True:
        client, _ = server.accept()
        client.recv(4096)
        if os.path.exists(os.environ["READY"]):
            client.sendall(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0")
        else:
            body = b"SFATAL\0C57P03\0Mthe database system is starting up\0\0"
            client.sendall(b"E" + (len(body) + 4).to_bytes(4, "big") + body)
        client.close()
"#;

#[test]
fn an_open_port_is_not_enough_to_be_healthy() {
    let home = Home::new();
    let initdb = "#!/bin/sh\necho 99 >\"$2/PG_VERSION\"\n";
    for (name, text) in [("postgres", SLOW), ("initdb", initdb)] {
        let program = home.write(&format!("pg/{name}"), text);
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let ready = home.path().join("ready");
    let services = format!(
        "[services.db]\ntype = \"postgres\"\nenv = {{ READY = \"{}\" }}\n",
        ready.display()
    );
    let project = home.project("shop", &services);
    home.locald(["server", "start"]).ok();
    let up = project.locald(["up"]).env("LOCALD_POSTGRES_DIR", home.path().join("pg")).start();
    project.until("it says why it is not ready", |status| {
        status.service("db").reason() == "the database system is starting up"
    });
    assert_eq!(project.service("db").state(), "starting");
    fs::write(ready, "").expect("room");
    up.end().exits(0);
    assert_eq!(project.service("db").state(), "healthy");
    project.locald(["stop"]).ok();
    assert!(project.log("db").contains(&"told by signal 2".to_owned()), "by a fast shutdown");
}
