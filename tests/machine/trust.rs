//! `locald trust`.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    process::Output,
};

use serde_json::Value;

use crate::world::{USER, World};

fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn states(report: &Value) -> Vec<(&str, &str)> {
    let stores = report["stores"].as_array().unwrap();
    stores.iter().map(|it| (it["store"].as_str().unwrap(), it["state"].as_str().unwrap())).collect()
}

#[test]
fn the_whole_way_there_and_back() {
    let Some(world) = World::new() else { return };
    let machine = fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap();
    let output = world.run(
        "cp /etc/ssl/certs/ca-certificates.crt $top/before
        $l trust --status --json; echo $?
        $l trust --json; echo $?
        openssl verify $LOCALD_HOME/data/ca/root.pem
        $l trust --status --json; echo $?
        $l trust --uninstall --json; echo $?
        $l trust --status --json; echo $?
        cmp /etc/ssl/certs/ca-certificates.crt $top/before && echo same
        ls /usr/local/share/ca-certificates /etc/ssl/certs | grep -c locald; true",
    );
    let lines = lines(&output);
    let [before, one, trusted, zero, verified, status, zero2, gone, zero3, after, one2, same, left] =
        &lines.iter().map(String::as_str).collect::<Vec<_>>()[..]
    else {
        panic!("{lines:#?}\n{}", String::from_utf8_lossy(&output.stderr))
    };
    assert_eq!((json(before)["ca"].clone(), *one), (Value::Null, "1"));
    let everywhere = [("system", "trusted"), ("Chromium", "trusted")];
    for (report, code) in [(trusted, zero), (status, zero2)] {
        let report = json(report);
        assert_eq!(
            (states(&report), report["trusted"].as_bool(), *code),
            (everywhere.into(), Some(true), "0")
        );
        assert_eq!(report["ca"]["fingerprint"].as_str().unwrap().len(), 64);
    }
    assert!(verified.ends_with("root.pem: OK"), "{verified}");
    let nowhere = [("system", "not-trusted"), ("Chromium", "not-trusted")];
    assert_eq!((states(&json(gone)), *zero3), (nowhere.into(), "0"));
    assert_eq!((states(&json(after)), *one2), (nowhere.into(), "1"));
    assert_eq!((*same, *left), ("same", "0"));
    assert_eq!(fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap(), machine, "of the machine");
}

#[test]
fn without_a_terminal_and_sudo_it_does_what_it_can_and_says_what_not() {
    let Some(world) = World::new() else { return };
    world.give_home_to(65534);
    let output = world.run(
        "mount -t tmpfs none /usr/local/bin
        for tool in sudo doas; do test -e /usr/bin/$tool && mount --bind /dev/null /usr/bin/$tool; done
        setpriv --reuid 65534 --regid 65534 --clear-groups $l trust --json",
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report = json(String::from_utf8_lossy(&output.stdout).trim());
    assert_eq!(states(&report), [("system", "failed"), ("Chromium", "trusted")]);
    let reason = report["stores"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("neither sudo nor doas; or by hand: sudo install -m 644 "), "{reason}");
}

/// A `sudo` that gives no rights: the store belongs to the user here.
const SUDO: &str = "#!/bin/sh\n[ \"$1\" = -n ] && shift\n[ \"$1\" = -- ] && shift\nexec \"$@\"\n";

#[test]
fn sudo_runs_only_the_part_that_takes_root() {
    let Some(world) = World::new() else { return };
    world.give_home_to(65534);
    fs::write(world.at("sudo"), SUDO).unwrap();
    fs::set_permissions(world.at("sudo"), Permissions::from_mode(0o755)).unwrap();
    let output = world.run(
        "chown -R 65534 /etc/ssl/certs /usr/local/share/ca-certificates
        mkdir $top/upper $top/work; chmod 755 $top/upper
        mount -t overlay none -o lowerdir=/usr/bin,upperdir=$top/upper,workdir=$top/work /usr/bin || exit 77
        cp $top/sudo /usr/bin/sudo
        me='setpriv --reuid 65534 --regid 65534 --clear-groups'
        $me $l trust --json; echo $?
        $me $l trust --uninstall --json; echo $?",
    );
    if output.status.code() == Some(77) {
        eprintln!("SKIPPED trust: no overlay file system here");
        return;
    }
    let lines = lines(&output);
    let errors = String::from_utf8_lossy(&output.stderr);
    let [trusted, zero, gone, zero2] = &lines[..] else { panic!("{lines:#?}\n{errors}") };
    let expected = [("system", "trusted"), ("Chromium", "trusted")];
    assert_eq!((states(&json(trusted)), zero.as_str()), (expected.into(), "0"), "{errors}");
    let expected = [("system", "not-trusted"), ("Chromium", "not-trusted")];
    assert_eq!((states(&json(gone)), zero2.as_str()), (expected.into(), "0"), "{errors}");
}

#[test]
fn through_the_shim_it_takes_no_sudo() {
    let Some(world) = World::new() else { return };
    world.give_home_to(USER);
    let output = world.run(
        "cp /etc/ssl/certs/ca-certificates.crt $top/before
        for tool in sudo doas; do test -e /usr/bin/$tool && mount --bind /dev/null /usr/bin/$tool; done
        $l admin setup --yes --user 54323 2>/dev/null
        as $l trust --json; echo $?
        as openssl verify $LOCALD_HOME/data/ca/root.pem
        ls /usr/local/share/ca-certificates | grep -c locald-54323-
        as $l trust --uninstall --json; echo $?
        ls /usr/local/share/ca-certificates | grep -c locald
        as $l trust > /dev/null; ls /usr/local/share/ca-certificates | grep -c locald
        $l admin uninstall --yes 2>/dev/null; echo $?
        ls /usr/local/share/ca-certificates | grep -c locald
        cmp /etc/ssl/certs/ca-certificates.crt $top/before && echo same",
    );
    let lines = lines(&output);
    let [trusted, zero, verified, one, gone, rest @ ..] =
        &lines.iter().map(String::as_str).collect::<Vec<_>>()[..]
    else {
        panic!("{lines:#?}\n{}", String::from_utf8_lossy(&output.stderr))
    };
    let everywhere = [("system", "trusted"), ("Chromium", "trusted")];
    assert_eq!((states(&json(trusted)), *zero), (everywhere.into(), "0"));
    assert!(verified.ends_with("root.pem: OK") && *one == "1", "{verified}: {one}");
    let nowhere = [("system", "not-trusted"), ("Chromium", "not-trusted")];
    assert_eq!(states(&json(gone)), nowhere);
    assert_eq!(rest, ["0", "0", "1", "0", "0", "same"]);
}

#[test]
fn through_sudo_it_is_refused() {
    let Some(world) = World::new() else { return };
    let output = world.run("SUDO_UID=1000 $l trust");
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("run it without sudo"), "{errors}");
    assert!(!world.at("home/locald").exists());
}

#[test]
fn root_does_not_install_what_could_sign_for_others() {
    let Some(world) = World::new() else { return };
    let output = world.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 \
            -subj /CN=evil -keyout /dev/null -out $top/evil.pem \
            -addext basicConstraints=critical,CA:TRUE,pathlen:0 2>/dev/null
        $l trust-system install <$top/evil.pem
        echo nonsense | $l trust-system install
        ls /usr/local/share/ca-certificates | grep -c locald; true",
    );
    let lines = lines(&output);
    let [evil, nonsense, left] = &lines[..] else { panic!("{output:?}") };
    let error = |line: &str| json(line)["error"].as_str().unwrap().to_owned();
    assert_eq!(
        error(evil),
        "will not touch this root: it is not constrained to names of this machine"
    );
    assert!(error(nonsense).contains("there is no certificate in it"), "{nonsense}");
    assert_eq!(left, "0");
}

#[test]
fn a_damaged_ca_is_told_and_left_as_it_is() {
    let Some(world) = World::new() else { return };
    let output = world.run(
        "$l trust >/dev/null; echo garbage >$LOCALD_HOME/data/ca/root-key.pem
        $l trust; echo $?; cat $LOCALD_HOME/data/ca/root-key.pem
        chmod 644 $LOCALD_HOME/data/ca/root-key.pem; $l trust; echo $?
        $l trust --uninstall >/dev/null; echo $?",
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(lines(&output), ["1", "garbage", "1", "0"], "{errors}");
    assert!(errors.contains("root-key.pem is not what it should be"), "{errors}");
    assert!(errors.contains("to begin afresh: `locald trust --uninstall`, remove "), "{errors}");
    assert!(errors.contains("others have access to "), "{errors}");
}
