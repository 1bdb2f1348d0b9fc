//! The dashboard as a person sees it, in a real browser.

use nix::sys::signal::Signal;

use super::browser::Browser;
use crate::support::{Home, Project, front::Front, kernel, svc};

fn shop(home: &Home) -> Project<'_> {
    let hostile = "print=<img src=x onerror=window.hacked=1>";
    let web =
        svc(["print=\u{1b}[31mred\u{1b}[0m plain", hostile, "print=needle", "web", "forever"]);
    let worker = svc(["forever"]);
    let services = format!(
        "[services.db]\ntype = \"worker\"\n{worker}\n\
         [services.web]\n{web}\ndepends_on = [{{ service = \"db\", bond = \"loose\" }}]\n"
    );
    let project = home.project("shop", &services);
    project.up();
    project
}

fn invitation(home: &Home) -> String {
    home.locald(["dashboard", "--print"]).ok().stdout.trim().to_owned()
}

/// A cell of the row of web.
fn cell(css: &str) -> String {
    format!("document.querySelector('tr[data-service=web] {css}')?.textContent")
}

/// Notices whatever lights up from now on, where this is.
fn watch_for_flashes(browser: &Browser, css: &str) {
    browser.look(&format!(
        "(window.flashed = false, new MutationObserver((news) => {{ window.flashed ||= \
         news.some(({{ target }}) => target.classList.contains('flash')); }})\
         .observe(document.querySelector('{css}'), \
         {{ attributes: true, attributeFilter: ['class'] }}), 1)"
    ));
}

#[test]
fn a_crash_is_seen_as_it_happens_and_buttons_and_keys_do_what_they_say() {
    let home = Home::new();
    let shop = shop(&home);
    let Some(browser) = Browser::open(&home) else { return };
    browser.go(&invitation(&home));
    browser.until(&format!("{} === 'healthy'", cell(".state")));
    assert_eq!(browser.look("location.hash + location.search"), "");
    browser.look("window.same = 'page'");

    watch_for_flashes(&browser, "tr[data-service=web]");
    let pid = shop.service("web").pid();
    kernel::kill(pid, Signal::SIGKILL);
    let row = "td[data-label=restarts]";
    browser.until(&format!("{} === '1' && {} === 'healthy'", cell(row), cell(".state")));
    let new = shop.until_replaced("web", pid).pid();
    browser.until(&format!("{} === '{new}'", cell("td[data-label=pid]")));
    assert_eq!(browser.look("window.flashed"), true);
    browser.until(&format!("/MiB/.test({})", cell("td[data-label=memory]")));

    browser.click("tr[data-service=web] button[data-verb=stop]");
    browser.until(&format!("{} === 'stopped'", cell(".state")));
    shop.until_state("web", "stopped");
    browser.click("tr[data-service=web] button[data-verb=start]");
    browser.until(&format!("{} === 'healthy'", cell(".state")));
    let pid = shop.until_state("web", "healthy").pid();

    // The second service, by keys: its panel, why, and a restart.
    browser.press("j");
    browser.press("j");
    browser.until("document.querySelector('#panel h2')?.textContent === 'web'");
    browser.until(
        "/Started by a person/.test(document.querySelector('#panel .reasons')?.textContent)",
    );
    browser.press("r");
    shop.until_replaced("web", pid);
    browser.until(
        "/Restarted by a person/.test(document.querySelector('#panel .reasons').textContent)",
    );
    browser.press("\u{e00c}");
    browser.until("document.querySelector('#panel').hidden");

    assert_eq!(browser.look("window.same"), "page", "it has not been loaded again");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn tree_and_graph_are_pictures_that_live() {
    let home = Home::new();
    let shop = shop(&home);
    let Some(browser) = Browser::open(&home) else { return };
    browser.go(&invitation(&home));
    browser.click("#views a[data-view=tree]");
    let web = "g.node[data-path=\"locald/projects/project:shop/service:web\"]";
    browser.until(&format!("document.querySelector('{web}')"));
    assert_eq!(
        browser.look("document.querySelectorAll('g.node[data-path^=\"locald/infra/\"]').length"),
        8
    );
    assert_eq!(
        browser.look(&format!("document.querySelector('{web} .badge').textContent")),
        "one for all"
    );
    watch_for_flashes(&browser, web);
    kernel::kill(shop.service("web").pid(), Signal::SIGKILL);
    browser.until(&format!("document.querySelector('{web} .counter').textContent === '1/6'"));
    assert_eq!(browser.look("window.flashed"), true);

    browser.press("3");
    let node = "g.node[data-service=web]";
    browser.until(&format!("document.querySelector('{node}')?.dataset.state === 'healthy'"));
    let edge = browser.look("document.querySelector('g.edge title').textContent");
    assert!(
        edge.as_str().is_some_and(|it| it.starts_with("web needs db healthy\nloose")),
        "{edge}"
    );
    shop.locald(["stop", "web"]).ok();
    browser.until(&format!("document.querySelector('{node}').dataset.state === 'stopped'"));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn logs_have_colours_and_no_markup_and_can_be_filtered_and_held() {
    let home = Home::new();
    let shop = shop(&home);
    let Some(browser) = Browser::open(&home) else { return };
    browser.go(&invitation(&home));
    browser.until(&format!("{} === 'healthy'", cell(".state")));
    browser.press("4");
    let lines = "[...document.querySelectorAll('.line')].filter((it) => !it.hidden)";
    browser.until("document.querySelector('.line .a-fg1')?.textContent === 'red'");
    browser.until(&format!("{lines}.some((it) => it.textContent.includes('<img src=x'))"));
    assert_eq!(browser.look("document.querySelectorAll('.line img').length"), 0);
    browser.press("/");
    browser.write("#filter", "needle");
    browser.until(&format!("{lines}.length === 1 && {lines}[0].textContent.includes('needle')"));
    browser.press("\u{e00c}");
    browser.press("p");
    browser.until("document.querySelector('#pause').getAttribute('aria-pressed') === 'true'");
    let pid = shop.service("web").pid();
    kernel::kill(pid, Signal::SIGKILL);
    browser.until("/[1-9] new/.test(document.querySelector('#pause').textContent)");
    assert_eq!(browser.look(&format!("{lines}.length")), 1);
    browser.press("p");
    browser.until(&format!("{lines}.length === 2"));

    Front::of(&home).get("shop.localhost", "/asked?for=it");
    browser.press("5");
    browser.until("/asked\\?for=it/.test(document.querySelector('.requests')?.textContent)");
    browser.press("6");
    browser.until("[...document.querySelectorAll('.eventlog .event')].some((it) => it.textContent === 'exited')");
    assert_eq!(browser.look("window.hacked ?? null"), serde_json::Value::Null);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_page_outlives_the_daemon_and_goes_on_once_somebody_is_logged_in_again() {
    let home = Home::new();
    let shop = shop(&home);
    let Some(browser) = Browser::open(&home) else { return };
    // By TLS, and so by HTTP/2.
    let front = Front::of(&home);
    let by_tls = |url: String| {
        url.replace("http:", "https:").replace(&front.http.to_string(), &front.https.to_string())
    };
    browser.go(&by_tls(invitation(&home)));
    browser.until(&format!("{} === 'healthy'", cell(".state")));
    assert_eq!(browser.look("performance.getEntriesByType('navigation')[0].nextHopProtocol"), "h2");
    browser.look("window.same = 'page'");
    shop.write(
        "locald.toml",
        shop.read("locald.toml").replace("[services.web]", "[services.web]\ncomand = 1"),
    );
    browser.until("document.querySelector('.wrongs mark')?.textContent === 'comand'");

    kernel::kill(home.daemon_pid(), Signal::SIGKILL);
    browser.until("/locald dashboard/.test(document.querySelector('#notice').textContent)");
    let old = browser.another_window();
    browser.go(&by_tls(invitation(&home)));
    browser.until(&format!("{} === 'healthy'", cell(".state")));
    browser.back(&old);
    browser.until("document.querySelector('#link').dataset.state === 'live'");
    browser.until("document.querySelector('#notice').hidden");
    assert_eq!(browser.look("window.same"), "page");
}
