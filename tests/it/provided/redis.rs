//! `type = "redis"`, and what holds for all that locald provides.

use super::{assert_private, has, homes, kill_everything, owner, url, user_of};
use crate::support::Home;

const CACHE: &str = "
[services.cache]
type = \"redis\"
settings = { maxmemory = \"32mb\", save = \"3600 1\" }
";

/// What a command answers, to somebody who has nothing but the URL.
#[track_caller]
fn ask<const N: usize>(home: &Home, url: &str, words: [&str; N]) -> String {
    let run = home.program("redis-cli").args(["--no-auth-warning", "-u", url]).args(words);
    run.ok().stdout.trim().to_owned()
}

#[test]
fn keys_are_there_after_everything_was_killed() {
    if !has(&["redis-server", "redis-cli"]) {
        return;
    }
    for home in homes() {
        let project = home.project("shop", CACHE);
        project.up();
        let url = url(&project, "cache");
        assert!(url.starts_with("redis://"), "{url}");
        assert_eq!(ask(&home, &url, ["SET", "a", "1"]), "OK");
        assert_eq!(ask(&home, &url, ["CONFIG", "GET", "maxmemory"]), "maxmemory\n33554432");
        assert_eq!(ask(&home, &url, ["CONFIG", "GET", "save"]), "save\n3600 1");
        let folder = home.path().join("data/redis/shop/cache");
        let user = user_of(project.service("cache").pid());
        assert_ne!(user, 0);
        assert_eq!(user, owner(&folder.join("data")));
        for name in ["data", "run", "password", "secret.conf"] {
            assert_private(&folder.join(name));
        }
        let port = project.service("cache").port().to_string();
        let stranger = home.program("redis-cli").args(["-p", &port, "GET", "a"]).ok();
        assert!(stranger.stdout.contains("NOAUTH"), "{stranger}");
        kill_everything(&home, &project, &["cache"]);
        project.up();
        assert_eq!(ask(&home, &url, ["GET", "a"]), "1");
    }
}

#[test]
fn a_reset_throws_away_exactly_what_is_named() {
    if !has(&["redis-server", "redis-cli"]) {
        return;
    }
    let home = Home::new();
    let task = "[services.seed]\ntype = \"task\"\ncommand = \"echo seeded >> seeds\"\n\
                depends_on = [\"cache\"]\n[services.other]\ntype = \"redis\"\n";
    let shop = home.project("shop", &format!("{CACHE}{task}"));
    let blog = home.project("blog", CACHE);
    shop.up();
    blog.up();
    let servers = [(&shop, "cache"), (&shop, "other"), (&blog, "cache")];
    let urls = servers.map(|(project, name)| url(project, name));
    for url in &urls {
        assert_eq!(ask(&home, url, ["GET", "a"]), "", "two with the same name do not meet");
        ask(&home, url, ["SET", "a", "1"]);
    }
    let asked = shop.locald(["service", "reset", "cache"]).fails(2).and_clearly();
    asked.complains("all data of cache (Redis, of shop) is thrown away").complains("--yes");
    assert_eq!(ask(&home, &urls[0], ["GET", "a"]), "1", "nobody has said yes");
    shop.locald(["service", "reset", "seed", "--yes"]).fails(2).and_clearly();
    shop.locald(["service", "reset", "cahce", "--yes"]).fails(2).complains("did you mean `cache`?");
    let others = [shop.service("other").pid(), blog.service("cache").pid()];
    shop.locald(["service", "reset", "cache", "--yes"]).ok();
    assert_eq!(url(&shop, "cache"), urls[0], "who has its URL need not be told of another");
    assert_eq!(ask(&home, &urls[0], ["GET", "a"]), "");
    assert_eq!(ask(&home, &urls[1], ["GET", "a"]), "1");
    assert_eq!(ask(&home, &urls[2], ["GET", "a"]), "1");
    assert_eq!([shop.service("other").pid(), blog.service("cache").pid()], others);
    assert_eq!(shop.lines("seeds").len(), 2, "what fills it runs again");
    // One that was stopped is started by it.
    shop.locald(["stop"]).ok();
    shop.locald(["service", "reset", "cache", "--yes"]).ok();
    assert_eq!(shop.service("cache").state(), "healthy");
    assert_eq!(shop.service("other").state(), "stopped");
}

#[test]
fn data_survives_everything_else() {
    if !has(&["redis-server", "redis-cli"]) {
        return;
    }
    let home = Home::new();
    let project = home.project("shop", CACHE);
    project.up();
    ask(&home, &url(&project, "cache"), ["SET", "a", "1"]);
    project.locald(["restart"]).ok();
    assert_eq!(ask(&home, &url(&project, "cache"), ["GET", "a"]), "1");
    project.locald(["down"]).ok();
    home.stop_daemon();
    // Taken out of the configuration, and put back.
    project.write("locald.toml", "[project]\nname = \"shop\"\n");
    project.up();
    project.write("locald.toml", format!("[project]\nname = \"shop\"\n{CACHE}"));
    project.up();
    assert_eq!(ask(&home, &url(&project, "cache"), ["GET", "a"]), "1");
}

#[test]
fn one_that_is_added_comes_up_by_itself() {
    if !has(&["redis-server", "redis-cli"]) {
        return;
    }
    let home = Home::new();
    let project = home.project("shop", "[services.w]\ntype = \"worker\"\ncommand = \"sleep 99\"\n");
    project.up();
    project.locald(["service", "add", "redis", "cache"]).ok().says("starts by itself");
    project.until("the cache is healthy", |status| status.states().contains("cache=healthy"));
    assert_eq!(ask(&home, &url(&project, "cache"), ["PING"]), "PONG");
}
