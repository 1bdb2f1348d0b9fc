//! Two folders whose projects have one name: data is that of one of them.

use std::fs;

use super::{has, url};
use crate::support::{Home, Project};

const SHOP: &str =
    "[project]\nname = \"shop\"\n[services.cache]\ntype = \"redis\"\nmax_restarts = 0\n";

fn ask<const N: usize>(home: &Home, project: &Project<'_>, words: [&str; N]) -> String {
    let url = url(project, "cache");
    let run = home.program("redis-cli").args(["--no-auth-warning", "-u", &url]).args(words);
    run.ok().stdout.trim().to_owned()
}

#[test]
fn data_is_that_of_one_folder_and_goes_where_that_goes() {
    if !has(&["redis-server", "redis-cli"]) {
        return;
    }
    let home = Home::new();
    let first = home.folder("first").with("locald.toml", SHOP);
    first.up();
    assert_eq!(ask(&home, &first, ["SET", "a", "1"]), "OK");
    first.locald(["down"]).ok();
    let second = home.folder("second").with("locald.toml", SHOP);
    let up = second.locald(["up"]).fails(1).and_clearly();
    up.complains(&format!("is that of the project in {}", first.dir().display()))
        .complains("give one of the two another `name`");
    second.locald(["down"]).ok();
    // Its owner goes on with it, and takes it along.
    first.up();
    assert_eq!(ask(&home, &first, ["GET", "a"]), "1");
    first.locald(["down"]).ok();
    fs::rename(first.dir(), home.path().join("p/third")).expect("a new name");
    let third = home.folder("third");
    third.up();
    assert_eq!(ask(&home, &third, ["GET", "a"]), "1");
    third.locald(["down"]).ok();
    second.locald(["up"]).fails(1).complains(&format!("in {}", third.dir().display()));
    second.locald(["down"]).ok();
    // Nobody's any more: the other one has no such service.
    third.write("locald.toml", "[project]\nname = \"shop\"\n");
    second.up();
    assert_eq!(ask(&home, &second, ["GET", "a"]), "1");
    // What was there before folders were told apart is whose comes first.
    second.locald(["down"]).ok();
    let told = home.path().join("data/redis/shop/cache/project");
    fs::remove_file(told).expect("it was written");
    third.write("locald.toml", SHOP);
    third.up();
    assert_eq!(ask(&home, &third, ["GET", "a"]), "1");
}
