//! The monitor without a terminal and without a daemon.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Terminal, backend::TestBackend, layout::Size};
use tokio::time::Instant;

use super::{
    deed::{Deed, Verb},
    effect::{Effect, Input, Logs, News, One},
    model::Model,
    view,
};
use crate::{
    api::{
        log::{Line, Stream},
        status::{Daemon, Service, ServiceState, Status},
        tree::{Kind, Node},
    },
    cli::samples::{project, service},
};

struct Person {
    model: Model,
    now: Instant,
}

impl Person {
    fn new(width: u16, height: u16) -> Self {
        let here = Some("/home/me/shop".into());
        let now = Instant::now();
        let mut person = Self { model: Model::new(here, Size { width, height }), now };
        person.hears(News::Status(Box::new(shop())));
        person
    }

    fn hears(&mut self, news: News) -> Vec<Effect> {
        self.model.update(Input::News(news), self.now)
    }

    fn presses(&mut self, code: KeyCode) -> Vec<Effect> {
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        self.model.update(Input::Terminal(Event::Key(key)), self.now)
    }

    fn types(&mut self, text: &str) -> Vec<Effect> {
        text.chars().flat_map(|c| self.presses(KeyCode::Char(c))).collect()
    }

    fn reads(&mut self, lines: &[&str]) {
        let line = |text: &&str| Line {
            at: "2026-01-01T00:00:00.000Z".to_owned(),
            project: "shop".to_owned(),
            service: "web".to_owned(),
            stream: Stream::Out,
            line: (*text).to_owned(),
        };
        let lines = lines.iter().map(line).collect();
        self.hears(News::Lines(self.model.logs_number, lines));
    }

    fn sees(&self) -> String {
        let Size { width, height } = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("it is memory");
        let draw = |frame: &mut ratatui::Frame<'_>| view::draw(frame, &self.model, self.now, true);
        terminal.draw(draw).expect("it is memory");
        if width == 0 || height == 0 {
            return String::new();
        }
        let screen = terminal.backend().to_string();
        let lines = screen.lines().map(|line| line.trim_matches('"').trim_end());
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn shop() -> Status {
    let web = Service {
        pid: Some(4130),
        port: Some(40123),
        url: Some("https://shop.localhost".to_owned()),
        restarts: 1,
        uptime_s: Some(12.5),
        ..service("web", ServiceState::Healthy)
    };
    let api =
        Service { waiting_for: vec!["db".to_owned()], ..service("api", ServiceState::Waiting) };
    let reason = "exited with code 1 after 0.2s, gives up after 7 failures in 60s".to_owned();
    let db = Service { reason: Some(reason), ..service("db", ServiceState::Failed) };
    let daemon = Daemon {
        pid: 100,
        version: "0.1.0".to_owned(),
        uptime_s: 60.0,
        socket: "/run/locald.sock".into(),
        http: None,
        https: None,
        heart: None,
    };
    Status { daemon, projects: vec![project(vec![web, api, db])] }
}

fn tree() -> Node {
    let node = |name: &str, state: &str, children| Node {
        name: name.to_owned(),
        kind: Kind::Supervisor,
        strategy: None,
        state: state.to_owned(),
        restarts: 0,
        max_restarts: None,
        window_s: None,
        detail: None,
        children,
    };
    let process = node("process", "running", vec![]);
    let web = node("service:web", "healthy", vec![process]);
    let db = node("service:db", "failed", vec![]);
    node("locald", "running", vec![node("project:shop", "degraded", vec![web, db])])
}

#[test]
fn a_usual_screen() {
    let mut person = Person::new(80, 16);
    person.types("jj");
    person.reads(&["listening on 40123", "GET / 200", "GET /favicon.ico 404"]);
    insta::assert_snapshot!(person.sees(), @r"
    locald  shop  degraded                                               daemon 100
    SERVICE  STATE    RESTARTS  UPTIME   PORT  WHY
    web      healthy         1     12s  40123
    api      waiting         0       -      -  waits for db
    db       failed          0       -      -  exited with code 1 after 0.2s, gives…
    ── log of db ───────────────────────────────────────────────────────────────────
    listening on 40123
    GET / 200
    GET /favicon.ico 404





    db: exited with code 1 after 0.2s, gives up after 7 failures in 60s
    q quit  ? help  s start  S stop  r restart  / search  w why  a attach  o open
    ");
}

#[test]
fn a_narrow_screen() {
    let mut person = Person::new(40, 10);
    person.reads(&["a line that is longer than the screen is wide, so it is broken"]);
    insta::assert_snapshot!(person.sees(), @r"
    locald  shop  degraded       daemon 100
    SERVICE  STATE    WHY
    web      healthy
    api      waiting  waits for db
    ── log of web ──────────────────────────
    a line that is longer than the screen is
     wide, so it is broken

    web: https://shop.localhost
    q quit  ? help  s start  S stop
    ");
}

#[test]
fn a_wide_screen_has_the_tree_beside_the_table() {
    let mut person = Person::new(132, 12);
    assert_eq!(person.types("t"), [Effect::Tree(true)]);
    person.hears(News::Tree(Box::new(tree())));
    insta::assert_snapshot!(person.sees(), @r"
    locald  shop  degraded                                                                                                   daemon 100
    SERVICE  STATE    RESTARTS  UPTIME   PORT  WHY                                   locald  running
    web      healthy         1     12s  40123                                        └── project:shop  degraded
    api      waiting         0       -      -  waits for db                              ├── service:web  healthy
    db       failed          0       -      -  exited with code 1 after 0.2s, give…      │   └── process  running
    ── log of web ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    nothing yet



    web: https://shop.localhost
    q quit  ? help  s start  S stop  r restart  / search  w why  a attach  o open  t tree  l all logs  e events  & filter  f follow
    ");
    let before = person.model.selected.clone();
    person.presses(KeyCode::Tab);
    person.types("G");
    let selected = person.model.selected.clone().and_then(|target| target.service);
    assert_eq!(selected.as_deref(), Some("db"), "{before:?}");
}

#[test]
fn no_size_is_too_small_or_too_large() {
    for width in [0, 1, 2, 7, 20, 61, 300] {
        for height in [0, 1, 2, 3, 5, 6, 9, 10, 80] {
            let mut person = Person::new(width, height);
            person.reads(&["日本語 \x1b[31mred", "x".repeat(500).as_str()]);
            for keys in ["", "?", "q", "t", "t\t", "z", "l", "w", "q", "/x", "\u{1b}"] {
                person.types(keys);
                person.sees();
            }
            person.hears(News::Gone("gone".to_owned()));
            person.sees();
        }
    }
}

#[test]
fn the_log_is_that_of_the_selected_service() {
    let mut person = Person::new(80, 20);
    let of = |service: Option<&str>| Logs {
        dir: "/home/me/shop".into(),
        service: service.map(str::to_owned),
    };
    assert_eq!(person.model.logs, Some(of(Some("web"))));
    person.reads(&["of web"]);
    assert_eq!(person.types("j"), [Effect::Logs(2, of(Some("api")))]);
    assert!(!person.sees().contains("of web"));
    assert_eq!(person.types("l"), [Effect::Logs(3, of(None))]);
    assert_eq!(person.types("k"), [], "all are shown already");
    let late = vec![];
    person.hears(News::Lines(1, late));
}

#[test]
fn what_is_selected_stays_so_until_it_is_gone() {
    let mut person = Person::new(80, 20);
    person.types("j");
    let mut status = shop();
    status.projects[0].services.remove(0);
    person.hears(News::Status(Box::new(status.clone())));
    assert_eq!(person.model.service().map(|service| service.name.as_str()), Some("api"));
    status.projects[0].services.remove(0);
    person.hears(News::Status(Box::new(status)));
    assert_eq!(person.model.service().map(|service| service.name.as_str()), Some("db"));
}

#[test]
fn what_concerns_a_whole_project_is_asked_first() {
    let mut person = Person::new(80, 20);
    let deed = |verb, service: Option<&str>| Deed {
        verb,
        dir: "/home/me/shop".into(),
        project: "shop".to_owned(),
        service: service.map(str::to_owned),
    };
    assert_eq!(person.types("r"), [Effect::Do(deed(Verb::Restart, Some("web")))]);
    assert_eq!(person.types("r"), [], "it is under way");
    assert_eq!(person.types("Rn"), []);
    assert_eq!(person.types("Ry"), [Effect::Do(deed(Verb::Restart, None))]);
    assert_eq!(person.types("xq"), [], "only a yes is one");
    assert_eq!(person.types("u"), [Effect::Do(deed(Verb::Start, None))]);
    assert!(person.sees().contains("starting shop…"));
    person.hears(News::Done(deed(Verb::Start, None), Err("web: no luck".to_owned())));
    assert!(person.sees().contains("web: no luck"));
    assert_eq!(person.model.busy.len(), 2);
}

#[test]
fn without_a_daemon_nothing_is_begun_and_all_stays_on_the_screen() {
    let mut person = Person::new(80, 20);
    person.hears(News::Gone("the daemon went away".to_owned()));
    let screen = person.sees();
    assert!(screen.contains("no daemon; trying again") && screen.contains("40123"), "{screen}");
    assert_eq!(person.types("S"), []);
    assert!(person.sees().contains("not now: the daemon went away"));
    person.model.take_stale();
    person.hears(News::Gone("the daemon went away".to_owned()));
    assert!(!person.model.is_stale(), "that is no news");
    person.hears(News::Status(Box::new(shop())));
    assert!(person.sees().contains("daemon 100"));
}

#[test]
fn time_passes_on_the_screen_only_where_something_runs() {
    let mut person = Person::new(80, 20);
    assert!(person.model.has_clock());
    person.now += Duration::from_mins(1);
    assert!(person.sees().contains("1m 13s") || person.sees().contains("1m 12s"));
    let mut status = shop();
    status.projects[0].services[0].uptime_s = None;
    person.hears(News::Status(Box::new(status)));
    assert!(!person.model.has_clock());
    person.model.take_stale();
    person.model.update(Input::Second, person.now);
    assert!(!person.model.is_stale());
}

#[test]
fn what_is_pasted_is_no_command() {
    let mut person = Person::new(80, 20);
    let paste = |text: &str| Input::Terminal(Event::Paste(text.to_owned()));
    assert_eq!(person.model.update(paste("Sxyq"), person.now), []);
    person.types("/");
    person.model.update(paste("GET\n"), person.now);
    assert!(person.sees().ends_with("/GET"));
}

#[test]
fn keys_that_need_a_service_or_a_url_say_so() {
    let mut person = Person::new(80, 20);
    let web = One { dir: "/home/me/shop".into(), service: "web".to_owned() };
    assert_eq!(person.types("a"), [Effect::Attach(web.clone())]);
    assert_eq!(person.types("o"), [Effect::Open("https://shop.localhost".to_owned())]);
    assert_eq!(person.types("w"), [Effect::Why(Some(web))]);
    assert_eq!(person.types("q"), [Effect::Why(None)]);
    person.presses(KeyCode::Down);
    assert_eq!(person.types("o"), []);
    assert!(person.sees().contains("has no URL"));
    assert_eq!(person.types("q"), [Effect::Quit]);
}
