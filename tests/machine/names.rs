//! `/etc/hosts` follows what runs, so that programs which ask the system find it.

use crate::world::World;

const SITE: &str = "[services.web]\ntype = \"site\"\npath = \".\"\n\
                    [services.api_v2]\ntype = \"site\"\npath = \".\"\n";

/// `mark`, then something, then `until_says WHAT`: waits for the event since then that says so.
const EVENTS: &str = r#"
mark() { seq=$(as $l events --all --json | tail -n1 | sed 's/.*"seq":\([0-9]*\).*/\1/'); seq=${seq:-0}; }
until_says() {
    rm -f $top/events; mkfifo -m 666 $top/events
    as $l events -f --all --json --after $seq > $top/events & watcher=$!
    timeout 30 grep -q -m1 -F -- "$1" < $top/events || { echo "never: $1"; as $l events --all --json; cat /etc/hosts; }
    kill $watcher; wait $watcher 2>/dev/null
}
block() { sed -n '/# locald/,$p' /etc/hosts | grep 127 | tr '\n' ' '; echo; }
"#;

#[test]
fn the_hosts_file_follows_what_runs() {
    let Some(world) = World::with_project("shop", SITE) else { return };
    world.project("blog", "[services.web]\ntype = \"site\"\npath = \".\"\n");
    let script = r#"cp /etc/hosts $top/before; $l admin setup --yes --user 54323 2>/dev/null
        as $l server start > /dev/null; cd $top/home/shop
        mark; as $l up > /dev/null; until_says 'shop.localhost in'; block
        mark; as $l -C ../blog up > /dev/null; until_says 'blog.localhost'; block
        mark; as $l stop > /dev/null; until_says '"blog.localhost in'; block
        mark; as $l start > /dev/null; until_says 'shop.localhost'; block
        mark; as $l -C ../blog down > /dev/null; until_says 'shop.localhost in'; block
        as $l server restart > /dev/null; as $l wait --timeout 60s > /dev/null; block
        mark; as $l doctor --json | grep -o '"id":"names-system","status":"[a-z]*"'
        as $l server stop > /dev/null; cmp /etc/hosts $top/before && echo same"#;
    let out = world.says(&format!("{EVENTS}{script}"));
    let shop = "127.0.0.1 api-v2.shop.localhost 127.0.0.1 shop.localhost \n";
    let both =
        "127.0.0.1 api-v2.shop.localhost 127.0.0.1 blog.localhost 127.0.0.1 shop.localhost \n";
    let doctor = "\"id\":\"names-system\",\"status\":\"ok\"\n";
    let wanted = format!("{shop}{both}127.0.0.1 blog.localhost \n{both}{shop}{shop}{doctor}same\n");
    assert_eq!(out, wanted);
}

#[test]
fn node_and_python_find_a_project_by_its_name() {
    let Some(world) = World::with_project("shop", SITE) else { return };
    let script = r#"$l admin setup --yes --user 54323 2>/dev/null; cd $top/home/shop
        echo hello from the shop > index.html; chown 54323 index.html
        as $l server start > /dev/null; mark; as $l up > /dev/null; until_says 'shop.localhost in'
        as python3 -c 'import urllib.request as r; print(r.urlopen("http://shop.localhost/").read().decode(), end="")'
        as node -e 'fetch("http://shop.localhost/").then(it => it.text()).then(it => process.stdout.write(it))'
        as node -e 'require("dns").lookup("api-v2.shop.localhost", (error, address) => console.log(address))'
        as $l server stop > /dev/null
        as python3 -c 'import socket; socket.getaddrinfo("shop.localhost", 80)' 2>&1 | grep -c gaierror"#;
    let out = world.says(&format!("{EVENTS}{script}"));
    let hello = "hello from the shop\n".repeat(2);
    assert!(out.starts_with(&hello), "{out}");
    assert!(["127.0.0.1", "::1"].contains(&out.lines().nth(2).unwrap_or_default()), "{out}");
    assert!(out.ends_with("\n1\n"), "{out}");
}
