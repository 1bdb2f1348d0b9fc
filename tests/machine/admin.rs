//! `locald admin`, and what it gives a user.

use std::fs;

use crate::world::{USER, World};

const SITE: &str = "[services.web]\ntype = \"site\"\npath = \".\"\n";

#[test]
fn setup_gives_one_user_the_ports_and_uninstall_leaves_no_trace() {
    let Some(world) = World::with_project("shop", SITE) else { return };
    let out = world.says(
        r#"cd /; export SUDO_UID=54323
        find /etc /usr/local/libexec -type f | sort | xargs md5sum > $top/before
        $l admin setup --dry-run 2> $top/plan; find /usr/local/libexec -type f
        $l admin setup < /dev/null; echo $?
        as $l admin setup --yes 2>/dev/null; echo $?
        $l admin setup --yes --tld test; echo $?
        $l admin setup --yes; echo $?
        cat /etc/locald/allowed-uids /etc/locald/allowed-tlds
        stat -c '%U %a %n' /usr/local/libexec/locald /usr/local/libexec/locald/* /etc/locald
        cd $top/home/shop
        as $l server start > $top/said 2>&1; as $l server status --json > $top/status
        grep -o '"https\?":"[^"]*"' $top/status
        as $l up > $top/up 2>&1 || cat $top/up
        as $l admin sync-hosts
        sed -n '/# locald/,$p' /etc/hosts
        as $l server stop > /dev/null 2>&1
        cd /; $l admin uninstall --yes 2> $top/gone; echo $?
        find /etc /usr/local/libexec -type f | sort | xargs md5sum | diff - $top/before && echo same
        find /etc/locald /usr/local/libexec/locald 2>/dev/null"#,
    );
    let block = "# locald 54323 begin\n127.0.0.1 shop.localhost\n::1 shop.localhost\n";
    assert_eq!(
        out,
        format!(
            "2\n1\n0\n0\n{USER}\ntest\nroot 755 /usr/local/libexec/locald\n\
             root 4755 /usr/local/libexec/locald/locald-shim\nroot 755 /etc/locald\n\
             \"http\":\"127.0.0.1:80\"\n\"https\":\"127.0.0.1:443\"\nshop.localhost\n{block}\
             # locald 54323 end\n0\nsame\n"
        )
    );
}

#[test]
fn without_setup_there_is_one_line_and_the_other_ports() {
    let Some(world) = World::with_project("shop", SITE) else { return };
    let out = world.says(
        r#"cd $top/home/shop; as $l up > $top/up 2> $top/said
        as $l server status --json > $top/status
        grep -o '"https\?":"[^"]*"' $top/status; grep -h 'HTTP is on' $top/up $top/said
        as $l server stop > /dev/null 2>&1"#,
    );
    let line = "HTTP is on port 8080 and HTTPS on 8443: cannot listen on 80 and 443: \
                `sudo locald admin setup` has not been run\n";
    let wanted = format!("\"http\":\"127.0.0.1:8080\"\n\"https\":\"127.0.0.1:8443\"\n{line}");
    assert_eq!(out, wanted);
}

#[test]
fn setup_refuses_a_helper_that_others_could_have_changed() {
    let Some(world) = World::new() else { return };
    let out = world.says(
        r#"mv $top/locald-shim $top/real
        try() { $l admin setup --yes --user 54323 2>&1 | grep '^error' | sed "s|$top|TOP|g"; rm -rf $top/locald-shim; }
        try
        ln -s real $top/locald-shim; try
        mkdir $top/locald-shim; try
        cp $top/real $top/locald-shim; chown 54323 $top/locald-shim; try
        cp $top/real $top/locald-shim; chmod 757 $top/locald-shim; try
        cp $top/real $top/locald-shim; chown :54323 $top/locald-shim; chmod 775 $top/locald-shim; try
        cp $top/real $top/locald-shim; chmod 777 $top; try; chmod 755 $top
        says() { printf '#!/bin/sh\necho %s\n' "$1" > $top/locald-shim; chmod 755 $top/locald-shim; }
        says 'locald-shim 9.9.9 protocol 1-1 bind trust hosts'; try
        says 'locald-shim 9.9.9 protocol 7-8 bind trust hosts'; try
        says hello; try
        printf '#!/bin/sh\n' > $top/locald-shim; chmod 755 $top/locald-shim; try
        find /usr/local/libexec -type f"#,
    );
    let wanted = "\
        error: there is no TOP/locald-shim: it comes with locald, into the same folder\n\
        error: cannot read TOP/locald-shim: Too many levels of symbolic links (os error 40)\n\
        error: TOP/locald-shim is no program\n\
        error: TOP/locald-shim belongs to user 54323, and locald to 0\n\
        error: others than its owner can change TOP/locald-shim\n\
        error: others than its owner can change TOP/locald-shim\n\
        error: others than its owner can change TOP\n\
        error: TOP/locald-shim is of locald 9.9.9, and this is 0.1.0\n\
        error: the shim is of another version; `sudo locald admin setup` replaces it\n\
        error: /usr/local/libexec/locald/locald-shim.new is no shim of locald\n\
        error: /usr/local/libexec/locald/locald-shim.new is no shim of locald\n";
    assert_eq!(out, wanted);
}

#[test]
fn setup_refuses_places_that_others_could_change() {
    let Some(world) = World::new() else { return };
    let out = world.says(
        r"try() { $l admin setup --yes --user 54323 2>&1 | grep '^error'; }
        chmod 775 /usr/local/libexec; try; chmod 755 /usr/local/libexec
        mkdir $top/else; ln -s $top/else /usr/local/libexec/locald; try; rm /usr/local/libexec/locald
        mkdir /usr/local/libexec/locald; chown 54323 /usr/local/libexec/locald; try
        rmdir /usr/local/libexec/locald; rm -r /etc/locald
        ln -s $top/else /etc/locald; try; rm /etc/locald
        mkdir -m 777 /etc/locald; try; chmod 755 /etc/locald
        echo 1x > /etc/locald/allowed-uids; try; cat /etc/locald/allowed-uids
        find /usr/local/libexec $top/else -type f",
    );
    let folder = "/usr/local/libexec/locald";
    let others = |what: &str| format!("error: others than root can change {what}\n");
    let wanted = others("/usr/local/libexec")
        + &others(folder).repeat(2)
        + &others("/etc/locald").repeat(2)
        + "error: /etc/locald/allowed-uids is malformed: \"1x\"\n1x\n";
    assert_eq!(out, wanted);
}

#[test]
fn a_new_setup_replaces_the_helper_and_disarms_the_old_one() {
    let Some(world) = World::new() else { return };
    let out = world.says(
        r#"shim=/usr/local/libexec/locald/locald-shim
        $l admin setup --yes --user 54323 2>/dev/null
        ln $shim /usr/local/libexec/held; stat -c %a /usr/local/libexec/held
        chmod 755 $shim; as $l doctor --json | grep -o '"id":"shim","status":"[a-z]*"'
        chmod 4755 $shim
        $l admin setup --yes --user 54324 2>/dev/null
        stat -c %a /usr/local/libexec/held $shim; cat /etc/locald/allowed-uids
        umount /usr/local/libexec; mount -t tmpfs none /usr/local; mkdir -p /usr/local/share/ca-certificates
        $l admin setup --yes --user 54323 2>/dev/null; $l admin uninstall --yes 2>/dev/null
        find /usr/local /etc/locald 2>/dev/null"#,
    );
    let wanted = "4755\n\"id\":\"shim\",\"status\":\"warning\"\n755\n4755\n54323\n54324\n\
                  /usr/local\n/usr/local/share\n/usr/local/share/ca-certificates\n";
    assert_eq!(out, wanted);
}

/// Asks for the page again and again, until a file is there; how many of these were refused.
const KNOCK: &str = r#"
import os, sys, urllib.request
asked = refused = 0
while not os.path.exists(sys.argv[1]):
    asked += 1
    try: urllib.request.urlopen("http://127.0.0.1:80/", timeout=30).read()
    except Exception as error: refused += "refused" in str(error)
    if asked == 2 and sys.argv[2:]: open(sys.argv[2], "w").close()
print("asked" if asked > 1 else "idle", refused)
"#;

#[test]
fn a_crash_of_the_daemon_keeps_the_ports_and_a_restart_takes_them_again() {
    let Some(world) = World::with_project("shop", SITE) else { return };
    fs::write(world.at("knock.py"), KNOCK).unwrap();
    let out = world.says(
        r#"$l admin setup --yes --user 54323 2>/dev/null; cd $top/home/shop
        echo hello > index.html; chown 54323 index.html
        ports() {
            as $l status --all --json > $top/status; grep -o '"https\?":"[^"]*"' $top/status
            curl -s --retry 9 --retry-all-errors http://shop.localhost/ || echo refused
        }
        sockets() { awk '$2 ~ /:(0050|01BB)$/ && $4 == "0A" { print $2, $10 }' /proc/net/tcp /proc/net/tcp6 | sort; }
        as $l server start > /dev/null 2>&1; as $l up > /dev/null 2>&1; ports
        sockets > $top/sockets; wc -l < $top/sockets
        mkfifo $top/begun; python3 $top/knock.py $top/enough $top/begun > $top/knocked & knocker=$!
        cat $top/begun; kill -9 $(grep -o '"pid":[0-9]*' $top/status | head -n1 | tr -dc 0-9)
        ports; touch $top/enough; wait $knocker; cat $top/knocked
        sockets | cmp - $top/sockets && echo kept
        as $l server restart > /dev/null 2>&1; as $l wait --timeout 60s > /dev/null; ports
        as $l server stop > /dev/null 2>&1"#,
    );
    let good = "\"http\":\"127.0.0.1:80\"\n\"https\":\"127.0.0.1:443\"\nhello\n";
    assert_eq!(out, format!("{good}4\n{good}asked 0\nkept\n{good}"));
}

#[test]
fn an_upgrade_and_a_restart_keep_the_ports_that_the_helper_has_bound() {
    let Some(world) = World::with_project("shop", SITE) else { return };
    fs::write(world.at("knock.py"), KNOCK).unwrap();
    let out = world.says(
        r#"$l admin setup --yes --user 54323 2>/dev/null; cd $top/home/shop
        echo hello > index.html; chown 54323 index.html
        sockets() { awk '$2 ~ /:(0050|01BB)$/ && $4 == "0A" { print $2, $10 }' /proc/net/tcp /proc/net/tcp6 | sort; }
        daemon() { as $l server status --json | grep -o '"pid":[0-9]*'; }
        as $l up > /dev/null 2>&1; daemon > $top/daemon
        sockets > $top/sockets; wc -l < $top/sockets
        # Nobody could bind them again.
        chmod 755 /usr/local/libexec/locald/locald-shim
        mkfifo $top/begun; python3 $top/knock.py $top/enough $top/begun > $top/knocked & knocker=$!
        cat $top/begun; as $l server upgrade > /dev/null || echo failed
        daemon | cmp -s - $top/daemon || echo another daemon
        daemon > $top/daemon; as $l status --json > $top/status
        as $l server restart > /dev/null || echo failed
        touch $top/enough; wait $knocker; cat $top/knocked
        daemon | cmp -s - $top/daemon || echo another daemon
        as $l wait --timeout 60s > /dev/null; as $l status --json | cmp -s - $top/status || echo another service
        sockets | cmp - $top/sockets && echo kept
        curl -s http://shop.localhost/
        as $l server stop > /dev/null 2>&1; sockets"#,
    );
    let wanted = "4\nanother daemon\nasked 0\nanother daemon\nanother service\nkept\nhello\n";
    assert_eq!(out, wanted);
}
