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
    `type` expects "exec", "worker", "task", "site", "postgres" or "redis", found `exce`
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
fn patterns_and_paths_are_looked_at() {
    assert_snapshot!(errors(
        "[services.web]
command = 'x'
watch = ['src/**', '[']
routes = ['api']
domain = 'admin.shop.localhost'"
    ), @r#"
    `watch` has a bad pattern: unclosed character class; missing ']'
      watch = ['src/**', '[']
                         ^^^
    `routes` consists of paths that start with `/`
      routes = ['api']
                ^^^^^
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

#[test]
fn what_locald_provides_is_asked_for_in_its_own_keys() {
    assert_snapshot!(errors(
        "[services.db]
type = 'postgres'
command = 'postgres'
version = '16-beta'
port = false
routes = ['/db']
database = ''
health_check = 'pg_isready'
[services.cache]
type = 'redis'
version = 7
extensions = ['x']
[services.web]
command = 'x'
version = '1'
env = { U = '${services.web.password}' }"
    ), @r#"
    a postgres has no `command`
      command = 'postgres'
      ^^^^^^^
      help: it belongs to the types exec, worker, task
    `16-beta` is not a version
      version = '16-beta'
                ^^^^^^^^^
      help: write its first number, or more of them: "16", "16.3"
    `port` cannot be `false`: a postgres is served on a port
      port = false
             ^^^^^
    a postgres has no `routes`
      routes = ['/db']
      ^^^^^^
      help: it belongs to the types exec, worker, task, site
    `database` cannot be empty
      database = ''
                 ^^
    a postgres has no `health_check`
      health_check = 'pg_isready'
      ^^^^^^^^^^^^
      help: it belongs to the types exec, worker, site
    `version` expects a string, found an integer
      version = 7
                ^
      help: put it in quotes: "7"
    a redis has no `extensions`
      extensions = ['x']
      ^^^^^^^^^^
      help: it belongs to the types postgres
    an exec service has no `version`
      version = '1'
      ^^^^^^^
      help: it belongs to the types postgres, redis
    `web` has no `password`: it is not provided by locald
      env = { U = '${services.web.password}' }
                   ^^^^^^^^^^^^^^^^^^^^^^^^
      [services.web]
                ^^^ of type exec
    "#);
}

#[test]
fn settings_are_words_and_values_that_are_not_ours() {
    assert_snapshot!(errors(
        "[services.db]
type = 'postgres'
settings = { port = 1, 'max connections' = 5, shared_buffers = ['x'], work_mem = \"1\\n2\" }"
    ), @r#"
    `port` is set by locald
      settings = { port = 1, 'max connections' = 5, shared_buffers = ['x'], work_mem = "1\n2" }
                   ^^^^
      help: give the service a `port`
    `max connections` cannot be the name of a setting
      settings = { port = 1, 'max connections' = 5, shared_buffers = ['x'], work_mem = "1\n2" }
                             ^^^^^^^^^^^^^^^^^
    `shared_buffers` expects a string, a number, `true` or `false`, found a list
      settings = { port = 1, 'max connections' = 5, shared_buffers = ['x'], work_mem = "1\n2" }
                                                                     ^^^^^
    `work_mem` cannot have several lines
      settings = { port = 1, 'max connections' = 5, shared_buffers = ['x'], work_mem = "1\n2" }
                                                                                       ^^^^^^
    "#);
}

#[test]
fn what_is_provided_is_stopped_with_patience_and_its_own_signal() {
    let plan = super::plan(
        "[services.db]
type = 'postgres'
version = '16'
settings = { max_connections = 20, fsync = false, random_page_cost = 1.1, work_mem = '8MB' }
[services.cache]
type = 'redis'",
    );
    let (db, cache) = (&plan.services[0], &plan.services[1]);
    assert_eq!((db.stop_signal.as_str(), db.stop_timeout.as_secs()), ("SIGINT", 60));
    assert_eq!(cache.stop_signal.as_str(), "SIGTERM");
    assert!(!db.tty && !cache.tty);
    let asked = db.provision().expect("it is provided");
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        asked.settings,
        [
            text("max_connections", "20"),
            text("fsync", "off"),
            text("random_page_cost", "1.1"),
            text("work_mem", "8MB"),
        ]
    );
    assert_eq!(asked.version.as_ref().map(ToString::to_string).as_deref(), Some("16"));
    assert_eq!((&*asked.user, &*asked.database), ("postgres", "postgres"));
}
