//! `locald admin` from outside: as root in namespaces with an `/etc` and a network of their own, so that the machine
//! stays as it is.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests are outside, where programs are run and failures are told"
)]

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    process::Command,
};

/// Who uses locald there.
const USER: u32 = 54_323;

const PRIVATE: &str = r#"set -eu; top=$1
mkdir "$top/etc"; cp -a /etc/. "$top/etc"; mount --bind "$top/etc" /etc; chmod 755 /etc
# Where the hosts file is a mount of its own, ours covers it.
printf '127.0.0.1 localhost\n' > /etc/hosts; chmod 644 /etc/hosts
mkdir -p /usr/local/libexec; mount -t tmpfs -o mode=755 none /usr/local/libexec
echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind; echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind
echo 1024 > /proc/sys/net/ipv4/ip_unprivileged_port_start
l="$top/locald"; as() { setpriv --reuid 54323 --regid 54323 --clear-groups "$@"; }
set +e
"#;

/// Runs a script there; none without the right to.
fn run(script: &str) -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED admin: it takes root");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let locald = Path::new(env!("CARGO_BIN_EXE_locald"));
    let shim = locald.with_file_name("locald-shim");
    if !shim.exists() {
        let built = Command::new(env!("CARGO")).args(["build", "-q", "-p", "locald-shim"]).status();
        assert!(built.unwrap().success(), "cannot build the shim");
    }
    fs::copy(locald, at("locald")).unwrap();
    fs::copy(shim, at("locald-shim")).unwrap();
    fs::create_dir(at("home")).unwrap();
    fs::write(
        at("home/locald.toml"),
        "[project]\nname = \"home\"\n[services.web]\ntype = \"site\"\npath = \".\"\n",
    )
    .unwrap();
    chown(at("home"), Some(USER), Some(USER)).unwrap();
    let script = format!("{PRIVATE}{script}");
    let out = Command::new("timeout")
        .args(["60", "unshare", "--net", "--mount", "--propagation", "private", "sh", "-c"])
        .args([&script, "sh"])
        .arg(dir.path())
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", at("home"))
        .env("LOCALD_HOME", at("home/state"))
        .env("SUDO_UID", USER.to_string())
        .output()
        .unwrap();
    eprintln!("{}", String::from_utf8_lossy(&out.stderr));
    Some(String::from_utf8_lossy(&out.stdout).into_owned())
}

#[test]
fn setup_gives_one_user_the_ports_and_uninstall_leaves_no_trace() {
    let script = r#"cd /; find /etc /usr/local/libexec -type f | sort | xargs md5sum > $top/before
        $l admin setup --dry-run 2> $top/plan; find /usr/local/libexec -type f
        $l admin setup < /dev/null; echo $?
        as $l admin setup --yes 2>/dev/null; echo $?
        $l admin setup --yes --tld test; echo $?
        $l admin setup --yes; echo $?
        cat /etc/locald/allowed-uids /etc/locald/allowed-tlds
        stat -c '%U %a %n' /usr/local/libexec/locald /usr/local/libexec/locald/* /etc/locald
        cd $top/home
        as $l server start > $top/said 2>&1; as $l server status --json > $top/status
        grep -o '"https\?":"[^"]*"' $top/status
        as $l up --no-wait > $top/up 2>&1 || cat $top/up; as $l admin sync-hosts
        sed -n '/# locald/,$p' /etc/hosts
        as $l server stop > /dev/null 2>&1
        cd /; $l admin uninstall --yes 2> $top/gone; echo $?
        find /etc /usr/local/libexec -type f | sort | xargs md5sum | diff - $top/before && echo same
        find /etc/locald /usr/local/libexec/locald 2>/dev/null"#;
    let Some(out) = run(script) else { return };
    let block = "# locald 54323 begin\n127.0.0.1 home.localhost\n::1 home.localhost\n";
    assert_eq!(
        out,
        format!(
            "2\n1\n0\n0\n{USER}\ntest\nroot 755 /usr/local/libexec/locald\n\
             root 4755 /usr/local/libexec/locald/locald-shim\nroot 755 /etc/locald\n\
             \"http\":\"127.0.0.1:80\"\n\"https\":\"127.0.0.1:443\"\nhome.localhost\n{block}\
             # locald 54323 end\n0\nsame\n"
        )
    );
}

#[test]
fn without_setup_there_is_one_line_and_the_other_ports() {
    let script = "cd $top/home; as $l server start --foreground > $top/said 2>&1 & daemon=$!
        for turn in $(seq 100); do as $l server status --json > $top/status 2>/dev/null && break; sleep 0.05; done
        grep -o '\"https\\?\":\"[^\"]*\"' $top/status; grep -o 'HTTP is on[^\"]*' $top/said
        as $l server stop > /dev/null 2>&1; wait $daemon";
    let Some(out) = run(script) else { return };
    let line = "HTTP is on port 8080 and HTTPS on 8443: cannot listen on 80 and 443: \
                `sudo locald admin setup` has not been run\n";
    let wanted = format!("\"http\":\"127.0.0.1:8080\"\n\"https\":\"127.0.0.1:8443\"\n{line}");
    assert_eq!(out, wanted);
}
