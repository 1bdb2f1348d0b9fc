//! What `locald status` prints.

use super::*;
use crate::{
    api::status::{Daemon, ServiceState},
    cli::{
        render::text::without_escapes,
        samples::{self, service},
    },
};

const PLAIN: Paint = Paint { colour: false };

fn shop() -> Status {
    let web = Service {
        pid: Some(4130),
        port: Some(40123),
        url: Some("http://127.0.0.1:40123".to_owned()),
        restarts: 1,
        uptime_s: Some(12.5),
        ..service("web", ServiceState::Healthy)
    };
    let api =
        Service { waiting_for: vec!["db".to_owned()], ..service("api", ServiceState::Waiting) };
    let reason = "exited with code 1 after 0.2s,\n\x1b[31mgives up after 7 failures in 60s";
    let db = Service {
        reason: Some(reason.to_owned()),
        restarts: 6,
        ..service("db", ServiceState::Failed)
    };
    Status {
        daemon: Daemon {
            pid: 1,
            version: "0.1.0".to_owned(),
            uptime_s: 1.0,
            socket: "/run/locald.sock".into(),
            http: None,
            https: None,
            heart: None,
        },
        projects: vec![samples::project(vec![web, api, db])],
    }
}

#[test]
fn the_table_is_complete_where_nobody_limits_it() {
    insta::assert_snapshot!(status(&shop(), None, PLAIN), @r"
    shop  degraded  /home/me/shop
    SERVICE  STATE     PID   PORT  URL                     RESTARTS  UPTIME  WHY
    web      healthy  4130  40123  http://127.0.0.1:40123         1     13s
    api      waiting     -      -  -                              0       -  waits for db
    db       failed      -      -  -                              6       -  exited with code 1 after 0.2s, gives up after 7 failures in 60s
    ");
}

#[test]
fn on_a_terminal_no_line_is_wider_than_it() {
    for columns in [1, 10, 40, 72, 90] {
        let text = status(&shop(), Some(columns), Paint { colour: true });
        // Two columns always stand: the name and the state of the project.
        for line in text.lines().skip(1) {
            let plain = without_escapes(line);
            assert!(width(&plain) <= columns, "{columns}: {plain}");
        }
    }
    insta::assert_snapshot!(status(&shop(), Some(72), PLAIN), @r"
    shop  degraded  /home/me/shop
    SERVICE  STATE     PID   PORT  URL                     RESTARTS  UPTIME
    web      healthy  4130  40123  http://127.0.0.1:40123         1     13s
    api      waiting     -      -  -                              0       -
      waits for db
    db       failed      -      -  -                              6       -
      exited with code 1 after 0.2s, gives up after 7 failures in 60s
    ");
}

#[test]
fn states_have_colours() {
    let text = status(&shop(), None, Paint { colour: true });
    assert!(text.contains("\x1b[32mhealthy"), "{text}");
    assert!(text.contains("\x1b[31mfailed"), "{text}");
    assert!(!text.contains("\x1b[31mgives"), "what a service says has no escape sequences: {text}");
}

#[test]
fn a_configuration_with_errors_is_shown() {
    let mut shop = shop();
    shop.projects[0].services.clear();
    shop.projects[0].config_error = Some("locald.toml:3:1: unknown key".to_owned());
    insta::assert_snapshot!(status(&shop, None, PLAIN), @r"
    shop  degraded  /home/me/shop
    error: the file has errors; what runs is the configuration before them:
      locald.toml:3:1: unknown key
    SERVICE  STATE  PID  PORT  URL  RESTARTS  UPTIME  WHY
    ");
}

#[test]
fn nothing_running_is_said() {
    let mut shop = shop();
    shop.projects.clear();
    insta::assert_snapshot!(status(&shop, None, PLAIN), @"no project is running; `locald up` starts one");
}
