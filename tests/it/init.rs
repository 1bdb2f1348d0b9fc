//! `init`: what it writes is accepted, and comes up.

use crate::support::{Home, skip};

#[test]
fn a_procfile_becomes_a_configuration_that_comes_up() {
    let home = Home::new();
    let project = home.folder("My Shop").with("Procfile", "jobs: sleep 1000\nrelease: true\n");
    project.locald(["init", "--yes"]).ok().says("[services.jobs]");
    project.locald(["check"]).ok();
    project.up();
    assert_eq!(home.status().project("my-shop").states(), "jobs=healthy release=completed");
}

#[test]
fn pages_are_served() {
    let home = Home::new();
    let project = home.folder("pages").with("public/index.html", "<h1>here</h1>");
    project.locald(["init", "--yes", "--name", "home"]).ok();
    project.up();
    assert_eq!(home.status().project("home").states(), "web=healthy");
}

#[test]
fn a_package_with_a_development_server_comes_up() {
    let home = Home::new();
    if !home.program("sh").args(["-c", "command -v npm"]).run().status.success() {
        return skip("there is no npm");
    }
    let project = home
        .folder("shop")
        .with("package.json", "{\"name\": \"x\", \"scripts\": {\"dev\": \"node server.mjs\"}}")
        .with(
            "server.mjs",
            "import http from 'node:http';\n\
             http.createServer((_, answer) => answer.end('served')).listen(process.env.PORT);\n",
        );
    project.locald(["init", "--yes"]).ok().says("npm run dev");
    project.up();
    assert_eq!(project.status().states(), "web=healthy");
}

#[test]
fn a_script_that_serves_comes_up() {
    let home = Home::new();
    let project = home.folder("shop").with(
        "app.py",
        "import os\nfrom http.server import HTTPServer, SimpleHTTPRequestHandler as H\n\
         HTTPServer(('127.0.0.1', int(os.environ['PORT'])), H).serve_forever()\n",
    );
    project.locald(["init", "--yes"]).ok().says("python3 app.py");
    project.up();
    assert_eq!(project.status().states(), "web=healthy");
}

#[test]
fn nothing_is_overwritten_and_nobody_is_not_asked() {
    let home = Home::new();
    let project = home.project("shop", "[services.w]\ntype = \"worker\"\ncommand = \"true\"\n");
    let before = project.read("locald.toml");
    project.locald(["init", "--yes"]).fails(1).and_clearly().complains("is there already");
    assert_eq!(project.read("locald.toml"), before);

    let empty = home.folder("empty");
    empty.locald(["init"]).fails(2).complains("--yes").says("# [services.web]");
    assert_eq!(empty.read("locald.toml"), "");
    empty.locald(["init", "--yes", "--name", "No"]).fails(2).and_clearly();
}

#[test]
fn on_a_terminal_it_asks() {
    let home = Home::new();
    let folder = home.folder("shop").with("Procfile", "web: true\n");
    for (answer, code, written) in [("n\n", 1, false), ("\n", 0, true)] {
        let mut terminal = folder.locald(["init"]).on_terminal();
        terminal.until("Write this");
        terminal.say(answer);
        assert_eq!(terminal.end().exit_code(), code);
        assert_eq!(!folder.read("locald.toml").is_empty(), written);
    }
}
