//! Another user of the same machine, after one has set locald up, can use nothing of it.

use crate::world::World;

/// Where both can be told apart: the project's owner has everything running, the other one has a home, too.
const BOTH: &str = r#"useradd -M -d $top/other -u 54324 locald-other; mkdir $top/other; chown 54324 $top/other
other() { setpriv --reuid 54324 --regid 54324 --clear-groups env HOME=$top/other LOCALD_HOME=$top/other/locald "$@"; }
$l admin setup --yes --user 54323 2>/dev/null; cd $top/home/shop
as $l server start > /dev/null 2>&1; as $l up > /dev/null 2>&1; as $l trust > /dev/null 2>&1; as $l admin sync-hosts > /dev/null
"#;
const SITE: &str = "[services.web]\ntype = \"site\"\npath = \".\"\n\
                    [services.talk]\ntype = \"worker\"\ncommand = \"echo secret; exec sleep 1000\"\n";

#[test]
fn nothing_of_a_user_can_be_read_or_commanded_by_another() {
    let Some(world) = World::with_project("shop", SITE) else { return };
    let script = r#"chmod 755 $top/home
        as $l logs | grep -c secret; cd $LOCALD_HOME
        for each in config data state run data/ca/root-key.pem state/state.json state/events.jsonl state/daemon.log \
            state/logs/shop/talk.log; do other cat $each > /dev/null 2> $top/why && echo "read $each"
            grep -q 'No such' $top/why && [ $each != config ] && echo "no $each"; done
        # Even if the folders let them in, what is in them does not.
        find . -perm /077 ! -type l ! -name root.pem; find . -type d -exec chmod 755 {} +
        for each in $(find . -type f ! -name root.pem ! -name '*.lock'); do other cat $each > /dev/null 2>&1 && echo "read $each"; done
        other curl -s --max-time 5 --unix-socket run/locald.sock http://locald/v1/status
        for words in 'status --all' 'stop' 'logs' 'server stop' 'run web -- id'; do
            other env LOCALD_SOCKET=$LOCALD_HOME/run/locald.sock $l -C $top/home/shop $words > $top/said 2>&1 && echo "did $words"
            grep -i secret $top/said
        done
        pid=$(as $l server status --json | grep -o '"pid":[0-9]*' | head -n1 | tr -dc 0-9)
        other cat /proc/$pid/environ > /dev/null 2>&1 && echo read
        other kill $pid 2> /dev/null && echo killed
        find . -type d -exec chmod 700 {} +
        as $l -C $top/home/shop status | grep -c healthy
        as $l server stop > /dev/null 2>&1"#;
    assert_eq!(world.says(&format!("{BOTH}{script}")), "1\n3\n");
}

#[test]
fn the_shim_of_a_user_does_nothing_for_another() {
    let Some(world) = World::with_project("shop", SITE) else { return };
    let script = r#"cp /etc/hosts $top/hosts; ls /usr/local/share/ca-certificates | grep -c locald-54323-
        for tool in sudo doas; do test -e /usr/bin/$tool && mount --bind /dev/null /usr/bin/$tool; done
        cp -r $top/home/shop $top/other/mine; sed -i s/shop/mine/ $top/other/mine/locald.toml; chown -R 54324 $top/other
        cd $top/other/mine
        other $l up > $top/said 2>&1; grep -h -o 'see `sudo locald admin setup`' $top/said
        other $l status --all --json | grep -o '"http":"[^"]*"'
        other $l admin sync-hosts 2>&1 | grep -o 'you may not use it'
        other $l trust 2>&1 | grep -o 'you may not use it'
        mkdir -p $top/other/locald/data; cp -r $LOCALD_HOME/data/ca $top/other/theirs; rm -rf $top/other/locald/data/ca
        mv $top/other/theirs $top/other/locald/data/ca; chown -R 54324 $top/other/locald/data
        other $l trust --uninstall 2>&1 | grep -o 'you may not use it'
        other $l doctor | grep -A1 '^[a-z]* *shim '
        ls /usr/local/share/ca-certificates | grep locald | grep -vc locald-54323-
        ls /usr/local/share/ca-certificates | grep -c locald-54323-
        cmp /etc/hosts $top/hosts && echo same
        other $l server stop > /dev/null 2>&1; as $l server stop > /dev/null 2>&1"#;
    let out = world.says(&format!("{BOTH}{script}"));
    let refused = "you may not use it\n";
    let port = out.lines().find(|line| line.starts_with("\"http\"")).unwrap_or_default().to_owned();
    assert!(port.ends_with(":8080\""), "{out}");
    let wanted = format!("1\nsee `sudo locald admin setup`\n{port}\n{}", refused.repeat(3));
    let (head, tail) = out.split_at(wanted.len().min(out.len()));
    assert_eq!(head, wanted, "{out}");
    assert!(tail.starts_with("warning   shim "), "{out}");
    assert!(tail.contains("sudo locald admin setup"), "{out}");
    assert!(tail.ends_with("\n0\n1\nsame\n"), "{out}");
}

#[test]
fn the_pages_of_locald_tell_another_user_nothing() {
    let site = "[services.web]\nmax_restarts = 0\ncommand = \"echo secret; exit 1\"\n";
    let Some(world) = World::with_project("shop", site) else { return };
    let script = r#"port=$(as $l status --all --json | grep -o '"https":"[^"]*"' | grep -o '[0-9]*"$' | tr -d '"')
        page() {
            "$@" curl -sk --max-time 5 -w '\n%{http_code}' -H 'Accept: text/html' https://$host:$port/ > $top/page
            echo $(tail -n1 $top/page) $(grep -c "$what" $top/page)
        }
        for user in as other; do
            host=shop.localhost what=secret page $user
            host=locald.localhost what=shop page $user
            host=nobody.localhost what=shop page $user
        done
        as $l server stop > /dev/null 2>&1"#;
    assert_eq!(
        world.says(&format!("{BOTH}{script}")),
        "503 1\n200 1\n404 1\n503 0\n403 0\n404 0\n"
    );
}
