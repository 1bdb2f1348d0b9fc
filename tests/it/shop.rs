//! `examples/shop`: what was ordered is there after the database was killed.

use std::path::Path;

use nix::sys::signal::Signal;

use crate::{
    example::copy,
    provided::has,
    support::{Home, kernel},
};

fn curl(home: &Home, path: &str, more: &[&str]) -> String {
    let status = home.status();
    let https = status.value()["daemon"]["https"].as_str().expect("it serves HTTPS");
    let (_, port) = https.rsplit_once(':').expect("a port");
    home.program("curl")
        .args(["--silent", "--insecure", "--fail-with-body", "--max-time", "60"])
        .args(["--resolve", &format!("shop.localhost:{port}:127.0.0.1")])
        .args(more)
        .arg(format!("https://shop.localhost:{port}{path}"))
        .ok()
        .stdout
}

#[test]
fn an_order_outlives_the_database_that_was_killed() {
    if !has(&["initdb", "psql", "python3", "curl"]) {
        return;
    }
    let home = Home::new();
    let project = home.folder("shop");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shop"), &project, "");
    project.up();
    let status = project.status();
    assert_eq!(
        status.states(),
        "db=healthy migrate=completed api=healthy worker=healthy web=healthy"
    );
    assert!(curl(&home, "/", &[]).contains("The shop"));
    let order = ["--data", "{\"item\": \"Bobby's tea\"}"];
    assert!(curl(&home, "/api/orders", &order).contains("Bobby's tea"));
    project.follow("worker").find_text("packed Bobby's tea");

    let (db, api) = (status.service("db").pid(), status.service("api").pid());
    kernel::kill(db, Signal::SIGKILL);
    project.until_replaced("db", db);
    project.until_replaced("api", api);
    let orders = curl(&home, "/api/orders", &[]);
    assert!(orders.contains("Bobby's tea") && orders.contains("\"packed\":true"), "{orders}");
    project.locald(["down"]).ok();
}
