use std::fmt::Write as _;

use insta::assert_snapshot;

use super::{all_errors, errors};

/// Services without anything but dependencies.
fn graph(edges: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, needs) in edges {
        writeln!(text, "[services.{name}]\ncommand = 'x'\ndepends_on = [{needs}]").unwrap();
    }
    text
}

#[test]
fn unknown_dependencies_name_the_one_that_was_meant() {
    assert_snapshot!(errors(
        "[services.web]
command = 'x'
depends_on = ['dbb', { service = 'nobody' }, { condition = 'started' }, 3]
env = { A = '${services.bd.url}' }
[services.db]
command = 'x'"
    ), @r#"
    unknown service `dbb`
      depends_on = ['dbb', { service = 'nobody' }, { condition = 'started' }, 3]
                    ^^^^^
      help: did you mean `db`?
    unknown service `nobody`
      depends_on = ['dbb', { service = 'nobody' }, { condition = 'started' }, 3]
                                       ^^^^^^^^
    this dependency names no `service`
      depends_on = ['dbb', { service = 'nobody' }, { condition = 'started' }, 3]
                                                   ^^^^^^^^^^^^^^^^^^^^^^^^^
    `depends_on` expects names of services or tables such as `{ service = "db" }`, found an integer
      depends_on = ['dbb', { service = 'nobody' }, { condition = 'started' }, 3]
                                                                              ^
    unknown service `bd`
      env = { A = '${services.bd.url}' }
                   ^^^^^^^^^^^^^^^^^^
      help: did you mean `db`?
    "#);
}

#[test]
fn a_dependency_is_named_once_and_never_oneself() {
    assert_snapshot!(errors(
        "[services.web]
command = 'x'
depends_on = ['web', 'db', { service = 'db', bond = 'loose' }]
[services.db]
command = 'x'"
    ), @r#"
    `web` depends on itself
      depends_on = ['web', 'db', { service = 'db', bond = 'loose' }]
                    ^^^^^
    `db` is named twice
      depends_on = ['web', 'db', { service = 'db', bond = 'loose' }]
                                             ^^^^
      depends_on = ['web', 'db', { service = 'db', bond = 'loose' }]
                           ^^^^ first here
    "#);
}

#[test]
fn cycles_are_named_in_full() {
    assert_snapshot!(errors(&graph(&[("web", "'api'"), ("api", "'web'")])), @r#"
    services depend on each other: web → api → web
      depends_on = ['api']
                    ^^^^^ web needs api
      depends_on = ['web']
                    ^^^^^ api needs web
    "#);
    assert_snapshot!(
        errors(&graph(&[("d", "'a'"), ("a", "'b'"), ("b", "'c'"), ("c", "'a'"), ("x", "'y'"), ("y", "'x'")])),
        @r#"
    services depend on each other: a → b → c → a
      depends_on = ['b']
                    ^^^ a needs b
      depends_on = ['c']
                    ^^^ b needs c
      depends_on = ['a']
                    ^^^ c needs a
    services depend on each other: x → y → x
      depends_on = ['y']
                    ^^^ x needs y
      depends_on = ['x']
                    ^^^ y needs x
    "#
    );
}

#[test]
fn references_make_cycles_too() {
    assert_snapshot!(errors(
        "[services.web]
command = 'x ${services.web.port}'
depends_on = ['api']
[services.api]
command = 'x'
env = { WEB = '${services.web.public_url}' }"
    ), @r#"
    services depend on each other: web → api → web
      depends_on = ['api']
                    ^^^^^ web needs api
      env = { WEB = '${services.web.public_url}' }
                     ^^^^^^^^^^^^^^^^^^^^^^^^^^ api needs web
    "#);
    assert_snapshot!(errors(
        "env = { DB = '${services.db.url}' }
[services.db]
command = 'x'
depends_on = ['dump']
[services.dump]
command = 'x'"
    ), @r#"
    services depend on each other: db → dump → db
      depends_on = ['dump']
                    ^^^^^^ db needs dump
      env = { DB = '${services.db.url}' }
                    ^^^^^^^^^^^^^^^^^^ dump needs db
    "#);
}

#[test]
fn conditions_fit_the_service() {
    assert_snapshot!(errors(
        "[services.web]
command = 'x'
depends_on = [{ service = 'db', condition = 'completed' }, { service = 'job', condition = 'healthy' }]
[services.db]
command = 'x'
[services.job]
type = 'task'
command = 'x'"
    ), @r#"
    `db` never completes: it is no task
      depends_on = [{ service = 'db', condition = 'completed' }, { service = 'job', condition = 'healthy' }]
                                                  ^^^^^^^^^^^
      [services.db]
                ^^ of type exec
    `job` is never healthy: it is a task, which completes
      depends_on = [{ service = 'db', condition = 'completed' }, { service = 'job', condition = 'healthy' }]
                                                                                                ^^^^^^^^^
      [services.job]
                ^^^ of type task
    "#);
}

#[test]
fn a_service_without_a_port_has_none_to_give() {
    assert_snapshot!(errors(
        "[services.web]
command = 'x ${services.bell.port} ${services.off.url}'
[services.bell]
type = 'worker'
command = 'x'
[services.off]
command = 'x'
port = false"
    ), @r#"
    `bell` has no port, and so no `port`
      command = 'x ${services.bell.port} ${services.off.url}'
                   ^^^^^^^^^^^^^^^^^^^^^
      [services.bell]
                ^^^^ of type worker
    `off` has no port, and so no `url`
      command = 'x ${services.bell.port} ${services.off.url}'
                                         ^^^^^^^^^^^^^^^^^^^
      port = false
             ^^^^^ of type exec
    "#);
}

#[test]
fn fixed_ports_clash() {
    assert_snapshot!(errors(
        "[services.a]
command = 'x'
port = 3000
[services.b]
command = 'x'
port = 3_000"
    ), @r#"
    two services have port 3000
      port = 3_000
             ^^^^^ here, for b
      port = 3000
             ^^^^ here, for a
    "#);
}

#[test]
fn all_errors_are_told_in_the_order_of_the_file() {
    assert_snapshot!(all_errors(
        "[project]
[services.web]
comand = 'x'
depends_on = ['api']
[services.api]
command = 'x'
depends_on = ['web', 'bd']"
    ), @r#"
    `[project]` has no `name`
      [project]
       ^^^^^^^
      help: add `name = "my-folder"` under `[project]`
    service `web` has no `command`
      [services.web]
                ^^^
    unknown key `comand` in a service
      comand = 'x'
      ^^^^^^
      help: did you mean `command`?
    services depend on each other: web → api → web
      depends_on = ['api']
                    ^^^^^ web needs api
      depends_on = ['web', 'bd']
                    ^^^^^ api needs web
    unknown service `bd`
      depends_on = ['web', 'bd']
                           ^^^^
    "#);
}
