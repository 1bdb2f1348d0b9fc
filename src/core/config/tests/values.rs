use insta::assert_snapshot;

use super::{all_errors, draw, errors, parse, source};
use crate::core::config::{not_utf8, too_large};

#[test]
fn syntax_shows_the_first_error_only() {
    assert_snapshot!(all_errors("[project\nname = \n= 3"), @r#"
    unclosed table, expected `]`
      [project
              ^
    "#);
    assert_snapshot!(errors("name = 'twice'"), @r#"
    duplicate key `name`
      name = 'twice'
      ^^^^
    "#);
}

#[test]
fn a_byte_order_mark_is_no_error_and_shifts_nothing() {
    assert!(parse("\u{feff}[project]\r\nname = 'x'\r\n").is_ok());
    let found = parse("\u{feff}[project]\r\nname = 'x'\r\nnmae = 1").unwrap_err();
    assert_eq!(
        source("\u{feff}[project]\r\nname = 'x'\r\nnmae = 1").line_column(found[0].offset()),
        (3, 1)
    );
}

#[test]
fn a_file_that_is_no_text_shows_its_first_bad_byte() {
    let good = "[project]\n# é ";
    let (text, wrong) = not_utf8(&[good.as_bytes(), b"\xff\n"].concat(), good.len());
    assert_snapshot!(draw(&text, &[wrong]), @r#"
    the file is not UTF-8: byte 0xff is not text
      # é �
          ^
    "#);
    assert_snapshot!(draw("", &[too_large(10 << 20)]), @r#"
    the file has 10485760 bytes; at most 1048576 are read

      ^
    "#);
}

#[test]
fn a_project_without_a_name_is_given_one() {
    assert_snapshot!(all_errors(""), @r#"
    `[project]` with a `name` is missing

      ^
      help: add `name = "my-folder"` under `[project]`
    "#);
    assert_snapshot!(all_errors("[project]\ndomain = 'a.localhost'"), @r#"
    `[project]` has no `name`
      [project]
       ^^^^^^^
      help: add `name = "my-folder"` under `[project]`
    "#);
    assert_snapshot!(all_errors("[project]\nname = 'My Shop!'"), @r#"
    `My Shop!` is not a name of a project: a name consists of a-z, 0-9, `-` and `_`, not `M` (an upper-case letter)
      name = 'My Shop!'
             ^^^^^^^^^^
      help: try "my-shop"
    "#);
    assert_snapshot!(all_errors("[project]\nname = 'locald'"), @r#"
    the domain `locald.localhost` is the dashboard's
      name = 'locald'
             ^^^^^^^^
      help: choose another `domain`
    "#);
}

#[test]
fn unknown_keys_name_the_one_that_was_meant() {
    assert_snapshot!(
        errors("strateggy = 'x'\n[services.web]\ncomand = 'x'\nimage = 'y'\n[service.db]\ncommand = 'x'"),
        @r#"
    unknown key `strateggy` in `[project]`
      strateggy = 'x'
      ^^^^^^^^^
      help: did you mean `strategy`?
    service `web` has no `command`
      [services.web]
                ^^^
    unknown key `comand` in a service
      comand = 'x'
      ^^^^^^
      help: did you mean `command`?
    unknown key `image` in a service
      image = 'y'
      ^^^^^
    unknown key `service` in the file
      [service.db]
       ^^^^^^^
      help: did you mean `services`?
    "#
    );
    assert_snapshot!(
        errors("[services.web]\ncommand = 'x'\nhealth_check = { pth = '/' }\nbackoff = { min = 1 }\ndepends_on = [{ service = 'web', bonds = 'x' }]"),
        @r#"
    unknown key `pth` in `health_check`
      health_check = { pth = '/' }
                       ^^^
      help: did you mean `path`?
    unknown key `min` in `backoff`
      backoff = { min = 1 }
                  ^^^
    `web` depends on itself
      depends_on = [{ service = 'web', bonds = 'x' }]
                                ^^^^^
    unknown key `bonds` in `depends_on`
      depends_on = [{ service = 'web', bonds = 'x' }]
                                       ^^^^^
      help: did you mean `bond`?
    "#
    );
}

#[test]
fn wrong_types_are_told_with_the_right_ones() {
    assert_snapshot!(errors(
        "[services.web]
command = 3
workdir = ['x']
port = '3000'
env = { A = 3000 }
depends_on = 'db'
restart = true
tty = 'yes'
max_restarts = 1.5
stop_timeout = []
watchdog = false
backoff = 3
health_check = 4
[services]
web2 = 'x'"
    ), @r#"
    `command` expects a string or a list of strings, found an integer
      command = 3
                ^
    `workdir` expects a string, found a list
      workdir = ['x']
                ^^^^^
    `port` expects a number from 1 to 65535 or `false`, found a string
      port = '3000'
             ^^^^^^
    `A` expects a string, found an integer
      env = { A = 3000 }
                  ^^^^
      help: put it in quotes: "3000"
    `depends_on` expects a list, found a string
      depends_on = 'db'
                   ^^^^
    `restart` expects "always", "on-failure" or "never", found a boolean
      restart = true
                ^^^^
    `tty` expects `true` or `false`, found a string
      tty = 'yes'
            ^^^^^
    `max_restarts` expects a whole number from 0 to 1000000, found a float
      max_restarts = 1.5
                     ^^^
    `stop_timeout` expects a duration such as "5s", found a list
      stop_timeout = []
                     ^^
    `watchdog` expects a duration such as "5s", found a boolean
      watchdog = false
                 ^^^^^
    `backoff` expects a table, found an integer
      backoff = 3
                ^
    `health_check` expects a command or a table, found an integer
      health_check = 4
                     ^
    `web2` expects a table, found a string
      web2 = 'x'
             ^^^
    "#);
}

#[test]
fn values_out_of_range_are_told_with_the_range() {
    assert_snapshot!(errors(
        "restart_window = 0
[services.web]
command = ' '
port = 0
max_restarts = -1
stop_timeout = -1
backoff = { initial = 0, factor = 0.5, max = '5x' }
stop_signal = 'SIGSTOP'
restart = 'on_failure'"
    ), @r#"
    `restart_window` cannot be zero
      restart_window = 0
                       ^
    `command` cannot be empty
      command = ' '
                ^^^
    `port` expects a whole number from 1 to 65535, found `0`
      port = 0
             ^
    `max_restarts` expects a whole number from 0 to 1000000, found `-1`
      max_restarts = -1
                     ^^
    `stop_timeout` cannot be negative
      stop_timeout = -1
                     ^^
    `initial` cannot be zero
      backoff = { initial = 0, factor = 0.5, max = '5x' }
                            ^
    `factor` expects a number from 1 to 1000
      backoff = { initial = 0, factor = 0.5, max = '5x' }
                                        ^^^
    `max` is not a duration: the units of a duration are ms, s, m, h and d
      backoff = { initial = 0, factor = 0.5, max = '5x' }
                                                   ^^^^
    `SIGSTOP` is not a signal that stops a service
      stop_signal = 'SIGSTOP'
                    ^^^^^^^^^
      help: known: SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGKILL, SIGUSR1, SIGUSR2, SIGABRT, SIGALRM, SIGWINCH
    `restart` expects "always", "on-failure" or "never", found `on_failure`
      restart = 'on_failure'
                ^^^^^^^^^^^^
      help: did you mean `on-failure`?
    "#);
}

#[test]
fn odd_values_are_told() {
    assert_snapshot!(errors(
        "[services.web]
command = []
port = 65536
backoff = { initial = '2s', max = '1s', factor = nan }
env = { '' = 'x', 'A=B' = 'x' }
[services.db]
command = \"a\\u0000b\"
watchdog = '200000d'
[services.api]
command = 'x'
health_check = { path = 'healthz', status = 99, retries = 0, interval = '0s' }
[services.job]
command = 'x'
health_check = { status = [], command = 'x' }"
    ), @r#"
    `command` names no program
      command = []
                ^^
    `port` expects a whole number from 1 to 65535, found `65536`
      port = 65536
             ^^^^^
    `max` is shorter than `initial`
      backoff = { initial = '2s', max = '1s', factor = nan }
                                        ^^^^
    `factor` expects a number from 1 to 1000
      backoff = { initial = '2s', max = '1s', factor = nan }
                                                       ^^^
    "" cannot be the name of a variable
      env = { '' = 'x', 'A=B' = 'x' }
              ^^
    `A=B` cannot be the name of a variable
      env = { '' = 'x', 'A=B' = 'x' }
                        ^^^^^
    `command` cannot contain a NUL byte
      command = "a\u0000b"
                ^^^^^^^^^^
    `watchdog` is not a duration: a duration is at most 100 years
      watchdog = '200000d'
                 ^^^^^^^^^
    `path` starts with `/`: "/healthz"
      health_check = { path = 'healthz', status = 99, retries = 0, interval = '0s' }
                              ^^^^^^^^^
    `status` expects a whole number from 100 to 599, found `99`
      health_check = { path = 'healthz', status = 99, retries = 0, interval = '0s' }
                                                  ^^
    `retries` expects a whole number from 1 to 1000000, found `0`
      health_check = { path = 'healthz', status = 99, retries = 0, interval = '0s' }
                                                                ^
    `interval` cannot be zero
      health_check = { path = 'healthz', status = 99, retries = 0, interval = '0s' }
                                                                              ^^^^
    `status` belongs to `type = "http"`, not to "command"
      health_check = { status = [], command = 'x' }
                       ^^^^^^
    "#);
}

#[test]
fn names_and_domains_are_checked() {
    assert_snapshot!(errors(
        "domain = 'Shop.localhost'
[services.Web]
command = 'x'
[services.-x]
command = 'x'
[services.'']
command = 'x'"
    ), @r#"
    `Shop.localhost` is not a domain: only a-z, 0-9, `-` and `.` are possible, not `S`
      domain = 'Shop.localhost'
               ^^^^^^^^^^^^^^^^
      help: write `shop.localhost`
    `Web` is not a name of a service: a name consists of a-z, 0-9, `-` and `_`, not `W` (an upper-case letter)
      [services.Web]
                ^^^
      help: try `web`
    `-x` is not a name of a service: a name starts with a letter or a digit, not with `-`
      [services.-x]
                ^^
      help: try `x`
    "" is not a name of a service: a name cannot be empty
      [services.'']
                ^^
    "#);
}
