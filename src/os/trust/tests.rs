use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use super::*;
use crate::{
    core::certs::Realm,
    os::{ca::Authority, clock, testing::soon, tool},
};

fn root() -> (tempfile::TempDir, Root) {
    let dir = tempfile::tempdir().unwrap();
    let realm = Realm::new(["localhost"]);
    let authority = Authority::open_or_create(&dir.path().join("ca"), &realm, clock::wall());
    let root = authority.unwrap().root().clone();
    (dir, root)
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A distribution: the folder that is there, its program, where it puts the bundle.
struct Distribution {
    top: tempfile::TempDir,
    anchors: &'static str,
    bundle: &'static str,
}

impl Distribution {
    fn new(anchors: &'static str, sign: &str, program: &str, bundle: &'static str) -> Self {
        let top = tempfile::tempdir().unwrap();
        let at = |path: &str| top.path().join(path);
        fs::create_dir_all(at(sign)).unwrap();
        let text = "# comment\n-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n";
        write(&at("base.pem"), text, 0o644);
        write(&at(bundle), text, 0o644);
        let script = format!(
            "#!/bin/sh\ncd {}\necho \"$@\" >>calls\ntest -e broken && {{ echo no space >&2; exit 3; }}\n\
             cat base.pem {anchors}/* >{bundle} 2>/dev/null; true\n",
            top.path().display(),
        );
        write(&at("usr/sbin").join(program), &script, 0o755);
        Self { top, anchors, bundle }
    }

    fn system(&self) -> System {
        System::find(self.top.path()).unwrap()
    }

    fn anchors(&self) -> Vec<String> {
        let names = fs::read_dir(self.top.path().join(self.anchors)).unwrap();
        names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.top.path().join("calls")).unwrap()
    }
}

fn fedora() -> Distribution {
    let anchors = "etc/pki/ca-trust/source/anchors";
    let bundle = "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem";
    Distribution::new(anchors, "etc/pki/ca-trust/source", "update-ca-trust", bundle)
}

fn arch() -> Distribution {
    let anchors = "etc/ca-certificates/trust-source/anchors";
    let bundle = "etc/ca-certificates/extracted/tls-ca-bundle.pem";
    Distribution::new(anchors, "etc/ca-certificates/trust-source", "update-ca-trust", bundle)
}

fn suse() -> Distribution {
    let bundle = "var/lib/ca-certificates/ca-bundle.pem";
    let suse = Distribution::new(
        "etc/pki/trust/anchors",
        "etc/pki/trust",
        "update-ca-certificates",
        bundle,
    );
    // It has the folder of Debian's, too.
    fs::create_dir_all(suse.top.path().join("etc/ssl/certs")).unwrap();
    suse
}

fn debian() -> Distribution {
    let anchors = "usr/local/share/ca-certificates";
    let bundle = "etc/ssl/certs/ca-certificates.crt";
    Distribution::new(anchors, "etc/ssl/certs", "update-ca-certificates", bundle)
}

#[tokio::test]
async fn each_distribution_gets_it_where_it_wants_it() {
    for (distribution, suffix, calls) in [
        (fedora(), "pem", "extract\nextract\n"),
        (arch(), "pem", "\n\n"),
        (suse(), "pem", "\n--fresh\n"),
        (debian(), "crt", "\n--fresh\n"),
    ] {
        let (_dir, root) = root();
        let system = distribution.system();
        let top = distribution.top.path();
        assert_eq!(system.bundle(), top.join(distribution.bundle));
        assert_eq!(system.look(&root).state, State::NotTrusted);
        assert_eq!(soon(system.install(&root)).await.state, State::Trusted);
        assert_eq!(distribution.anchors(), [file_name(&root, suffix)]);
        let placed = top.join(distribution.anchors).join(file_name(&root, suffix));
        assert_eq!(fs::metadata(placed).unwrap().permissions().mode() & 0o777, 0o644);
        // Once more does nothing.
        assert_eq!(soon(system.install(&root)).await.state, State::Trusted);
        assert_eq!(soon(system.uninstall(&root)).await.state, State::NotTrusted);
        assert_eq!(distribution.anchors(), [""; 0]);
        assert_eq!(soon(system.uninstall(&root)).await.state, State::NotTrusted);
        assert_eq!(distribution.calls(), calls);
    }
}

#[tokio::test]
async fn the_root_of_somebody_else_is_left_alone() {
    let debian = debian();
    let system = debian.system();
    let ((_a, ours), (_b, theirs)) = (root(), root());
    soon(system.install(&ours)).await;
    soon(system.install(&theirs)).await;
    // Under a name that somebody chose.
    let folder = debian.top.path().join(debian.anchors);
    fs::rename(folder.join(file_name(&ours, "crt")), folder.join("mine.crt")).unwrap();
    assert_eq!(soon(system.uninstall(&ours)).await.state, State::NotTrusted);
    assert_eq!(system.look(&theirs).state, State::Trusted);
    assert_eq!(debian.anchors(), [file_name(&theirs, "crt")]);
}

#[tokio::test]
async fn a_program_that_fails_or_does_nothing_is_told() {
    let debian = debian();
    let system = debian.system();
    let (_dir, root) = root();
    write(&debian.top.path().join("broken"), "", 0o644);
    let store = soon(system.install(&root)).await;
    let State::Failed(why) = store.state else { panic!("{store:?}") };
    assert_eq!(why, "update-ca-certificates exited 3: no space");
    write(&debian.top.path().join("usr/sbin/update-ca-certificates"), "#!/bin/sh\n", 0o755);
    let store = soon(system.install(&root)).await;
    let State::Failed(why) = store.state else { panic!("{store:?}") };
    assert!(why.contains("ran, yet") && why.ends_with("did not change"), "{why}");
}

#[test]
fn a_system_without_a_store_has_none() {
    let top = tempfile::tempdir().unwrap();
    assert!(System::find(top.path()).is_none());
}

/// A home with a Firefox profile, a snap and a flatpak.
fn home() -> (tempfile::TempDir, Homes) {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().to_owned();
    let ini = "[Profile0]\nName=a\nIsRelative=1\nPath=abc.default\n";
    write(&home.join(".mozilla/firefox/profiles.ini"), ini, 0o600);
    fs::create_dir(home.join(".mozilla/firefox/abc.default")).unwrap();
    fs::create_dir_all(home.join("snap/chromium/current/.pki/nssdb")).unwrap();
    fs::create_dir_all(home.join(".var/app/com.google.Chrome")).unwrap();
    let homes = Homes { data: home.join(".local/share"), config: home.join(".config"), home };
    (dir, homes)
}

#[test]
fn all_databases_of_a_user_are_known() {
    let (dir, homes) = home();
    let known = |homes: &Homes| -> Vec<_> {
        let list = homes.databases().into_iter();
        list.map(|it| it.dir.strip_prefix(dir.path()).unwrap().to_owned()).collect()
    };
    let boxed = [
        "snap/chromium/current/.pki/nssdb",
        ".var/app/com.google.Chrome/data/pki/nssdb",
        ".mozilla/firefox/abc.default",
    ];
    let all: Vec<_> = [".local/share/pki/nssdb"].iter().chain(&boxed).map(PathBuf::from).collect();
    assert_eq!(known(&homes), all);
    fs::create_dir_all(dir.path().join(".pki/nssdb")).unwrap();
    assert_eq!(known(&homes)[0], Path::new(".pki/nssdb"));
    let env = |name: &str| (name == "HOME").then(|| "/h".into());
    let found = Homes::find(env).unwrap();
    assert_eq!((found.data, found.config), ("/h/.local/share".into(), "/h/.config".into()));
    assert!(Homes::find(|_| None).is_none());
}

#[tokio::test]
async fn browsers_trust_it_and_forget_it() {
    if !certutil() {
        return;
    }
    let (_home, homes) = home();
    let databases = Databases::of(&homes);
    let ((_a, ours), (_b, theirs)) = (root(), root());
    let states = |stores: &[Store]| -> Vec<State> {
        stores.iter().map(|store| store.state.clone()).collect()
    };
    assert_eq!(states(&soon(databases.look(&ours)).await), vec![State::NotTrusted; 4]);
    for _ in 0..2 {
        assert_eq!(states(&soon(databases.install(&ours)).await), vec![State::Trusted; 4]);
    }
    assert_eq!(states(&soon(databases.look(&theirs)).await), vec![State::NotTrusted; 4]);
    assert_eq!(states(&soon(databases.install(&theirs)).await), vec![State::Trusted; 4]);
    for _ in 0..2 {
        assert_eq!(states(&soon(databases.uninstall(&ours)).await), vec![State::NotTrusted; 4]);
    }
    assert_eq!(states(&soon(databases.look(&theirs)).await), vec![State::Trusted; 4]);
}

#[tokio::test]
async fn a_certificate_that_is_there_and_not_trusted_becomes_so() {
    if !certutil() {
        return;
    }
    let (_home, homes) = home();
    let databases = Databases::of(&homes);
    let (_dir, root) = root();
    soon(databases.install(&root)).await;
    let program = tool::find(Path::new("/"), "certutil").unwrap();
    let database = format!("sql:{}", homes.home.join(".mozilla/firefox/abc.default").display());
    let distrust = ["-M", "-n", root.common_name(), "-t", ",,", "-d", &database];
    soon(tool::run(&program, &distrust, std::time::Duration::from_secs(20))).await.unwrap();
    let firefox = |stores: Vec<Store>| stores.last().unwrap().state.clone();
    assert_eq!(firefox(soon(databases.look(&root)).await), State::NotTrusted);
    assert_eq!(firefox(soon(databases.install(&root)).await), State::Trusted);
}

#[tokio::test]
async fn the_browsers_of_somebody_else_are_left_alone() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let (dir, homes) = home();
    std::os::unix::fs::chown(dir.path(), Some(65534), None).unwrap();
    let (_ca, root) = root();
    for store in soon(Databases::of(&homes).install(&root)).await {
        let expected = State::NotNeeded("the home folder belongs to user 65534".to_owned());
        assert_eq!(store.state, expected);
        assert!(!store.path.join("cert9.db").exists());
    }
}

#[tokio::test]
async fn whether_it_is_trusted_is_noticed_when_it_changes() {
    let debian = debian();
    let (dir, root) = root();
    let system = debian.system();
    let watch = Watch::of(dir.path().join("ca/root.pem"), Some(system.bundle().to_owned()));
    assert!(!watch.is_trusted());
    soon(system.install(&root)).await;
    assert!(watch.is_trusted() && watch.is_trusted());
    soon(system.uninstall(&root)).await;
    assert!(!watch.is_trusted());
    fs::remove_file(dir.path().join("ca/root.pem")).unwrap();
    assert!(!watch.is_trusted());
}

fn certutil() -> bool {
    let there = tool::find(Path::new("/"), "certutil").is_some();
    let strict = std::env::var_os("LOCALD_TESTS_STRICT").is_some_and(|it| it == "1");
    assert!(there || !strict, "certutil is missing: install libnss3-tools");
    if !there {
        eprintln!("SKIPPED browsers: certutil is missing");
    }
    there
}
