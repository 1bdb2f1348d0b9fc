//! The pictures of the README: `LOCALD_PICTURES=$PWD/tests/pictures cargo test --test it pictures` takes them anew.

use std::{env, fs, path::Path};

use nix::sys::signal::Signal;

use super::browser::Browser;
use crate::support::{Home, kernel, svc};

/// A project with a bit of everything.
fn shop() -> String {
    let listen = svc(["print=\u{1b}[32mready\u{1b}[0m to serve", "listen", "forever"]);
    let steps = svc(["print=\u{1b}[33mjob 1\u{1b}[0m done in 12 ms", "forever"]);
    format!(
        "[services.db]\n{listen}\n\
         [services.migrate]\ntype = \"task\"\ncommand = \"echo 3 migrations applied\"\ndepends_on = [\"db\"]\n\
         [services.api]\n{listen}\nroutes = [\"/api\"]\ndepends_on = [\"db\", \"migrate\"]\n\
         [services.web]\n{listen}\ndepends_on = [\"api\"]\n\
         [services.mailer]\ntype = \"worker\"\n{steps}\n\
         depends_on = [{{ service = \"db\", bond = \"loose\" }}]\n"
    )
}

#[test]
fn pictures_can_be_taken_of_each_view() {
    let home = Home::new();
    let project = home.project("shop", &shop());
    project.up();
    let Some(browser) = Browser::open(&home) else { return };
    let url = home.locald(["dashboard", "--print"]).ok().stdout;
    browser.go(url.trim());
    let pid = project.service("mailer").pid();
    kernel::kill(pid, Signal::SIGKILL);
    project.until_replaced("mailer", pid);
    project.until_state("mailer", "healthy");
    for (view, there) in [
        (
            "services",
            "[...document.querySelectorAll('td[data-label=memory]')].some((it) => /MiB/.test(it.textContent))",
        ),
        ("tree", "document.querySelectorAll('g.node').length > 20"),
        ("graph", "document.querySelectorAll('g.node[data-state=healthy]').length === 4"),
    ] {
        browser.click(&format!("#views a[data-view={view}]"));
        browser.until(there);
        let picture = browser.picture();
        assert!(picture.starts_with(b"\x89PNG"), "{view}");
        if let Some(folder) = env::var_os("LOCALD_PICTURES") {
            let file = Path::new(&folder).join(format!("{view}.png"));
            fs::write(&file, picture).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
    }
}
