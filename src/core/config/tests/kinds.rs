use insta::assert_snapshot;

use super::errors;

#[test]
fn keys_of_other_types_are_refused() {
    assert_snapshot!(errors(
        "[services.site]
type = 'site'
command = 'x'
[services.job]
type = 'task'
command = 'x'
health_check = 'x'
watchdog = 1
restart = 'always'
[services.web]
path = 'public'"
    ), @r#"
    service `site` has no `path`
      [services.site]
                ^^^^
    a site has no `command`
      command = 'x'
      ^^^^^^^
      help: it belongs to the types exec, worker, task
    a task has no `health_check`
      health_check = 'x'
      ^^^^^^^^^^^^
      help: it belongs to the types exec, worker, site
    a task has no `watchdog`
      watchdog = 1
      ^^^^^^^^
      help: it belongs to the types exec, worker
    a task that completed is not started again
      restart = 'always'
                ^^^^^^^^
      help: write "on-failure" to have a failed one run again
    service `web` has no `command`
      [services.web]
                ^^^
    an exec service has no `path`
      path = 'public'
      ^^^^
      help: it belongs to the types site
    "#);
}

#[test]
fn types_and_ports_fit() {
    assert_snapshot!(errors(
        "[services.bell]
type = 'worker'
port = 80
[services.db]
type = 'exce'
[services.st]
type = 'site'
path = 'x'
port = false"
    ), @r#"
    service `bell` has no `command`
      [services.bell]
                ^^^^
    a worker has no port
      port = 80
             ^^
      help: make it `type = "exec"`, or remove `port`
    `type` expects "exec", "worker", "task", "site" or "postgres", found `exce`
      type = 'exce'
             ^^^^^^
      help: did you mean `exec`?
    `port` cannot be `false`: a site is served on a port
      port = false
             ^^^^^
    "#);
}

#[test]
fn checks_that_contradict_themselves_are_refused() {
    assert_snapshot!(errors(
        "[services.a]
command = 'x'
health_check = { type = 'tcp', path = '/' }
[services.b]
command = 'x'
health_check = { type = 'command' }
[services.c]
command = 'x'
health_check = { type = 'notify', on_failure = 'restart' }
[services.d]
type = 'worker'
command = 'x'
health_check = { type = 'http' }
[services.e]
command = 'x'
port = false
health_check = { type = 'tcp' }"
    ), @r#"
    `path` belongs to `type = "http"`, not to "tcp"
      health_check = { type = 'tcp', path = '/' }
                                     ^^^^
    this check has no `command`
      health_check = { type = 'command' }
      ^^^^^^^^^^^^
    nothing is checked once the service is ready
      health_check = { type = 'notify', on_failure = 'restart' }
                                                     ^^^^^^^^^
      help: declare a check of `type` http, tcp or command
    the service has no port to connect to
      health_check = { type = 'http' }
      ^^^^^^^^^^^^
      help: check it by a `command`, or by `type = "notify"`
    the service has no port to connect to
      health_check = { type = 'tcp' }
      ^^^^^^^^^^^^
      help: check it by a `command`, or by `type = "notify"`
    "#);
}

#[test]
fn what_is_not_supported_yet_says_so() {
    assert_snapshot!(errors(
        "[services.web]
command = 'x'
watch = ['src/**', '[']
routes = ['api']
domain = 'admin.shop.localhost'
[services.db]
type = 'postgres'
version = '16'
[services.api]
command = 'x'
env = { U = '${services.db.url}' }"
    ), @r#"
    `watch` has a bad pattern: unclosed character class; missing ']'
      watch = ['src/**', '[']
                         ^^^
    `routes` consists of paths that start with `/`
      routes = ['api']
                ^^^^^
    `type = "postgres"` is not supported yet
      type = 'postgres'
             ^^^^^^^^^^
    `version` is not supported yet
      version = '16'
      ^^^^^^^
      help: remove it
    "#);
}

#[test]
fn templates_point_into_strings() {
    assert_snapshot!(errors(
        "[services.web]
command = \"run ${services.web.prot}\"
env = { A = 'x ${servces.db.url}', B = \"\\t${HOME}\", C = '${env.X' }
health_check = { path = \"/${nope}\" }"
    ), @r#"
    a service has no `prot`
      command = "run ${services.web.prot}"
                     ^^^^^^^^^^^^^^^^^^^^
      help: did you mean `port`?
    unknown reference `${servces.db.url}`
      env = { A = 'x ${servces.db.url}', B = "\t${HOME}", C = '${env.X' }
                     ^^^^^^^^^^^^^^^^^
      help: did you mean `${services.db.url}`?
    unknown reference `${HOME}`
      env = { A = 'x ${servces.db.url}', B = "\t${HOME}", C = '${env.X' }
                                             ^^^^^^^^^^^
      help: write `${env.HOME}` for the variable, or `$${HOME}` for the text itself
    `${` without `}`
      env = { A = 'x ${servces.db.url}', B = "\t${HOME}", C = '${env.X' }
                                                               ^^^^^^^
      help: write `$${` for a literal `${`
    unknown reference `${nope}`
      health_check = { path = "/${nope}" }
                                ^^^^^^^
      help: write `${env.nope}` for the variable, or `$${nope}` for the text itself
    "#);
}

#[test]
fn a_protocol_is_of_what_has_a_port() {
    let service = |lines: &str| errors(&format!("[services.web]\ncommand = 'x'\n{lines}"));
    assert!(
        service("port = false\nprotocol = 'h2c'").contains("`protocol` is of a service that has")
    );
    assert!(service("type = 'worker'\nprotocol = 'h2c'").contains("a worker has no `protocol`"));
    assert!(service("protocol = 'h3'").contains("`protocol` expects \"http\" or \"h2c\""));
}
