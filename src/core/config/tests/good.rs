use std::time::Duration;

use super::{parse, plan};
use crate::core::plan::{
    Bond, CheckPlan, Condition, EnvFiles, Kind, Limit, Need, Plan, PortSpec, Protocol, Restart,
    ServicePlan, Strategy,
};

/// The example of the contract, without what is not supported yet.
pub(super) const FULL: &str = r#"
[project]
name = "shop"
domain = "shop.localhost"
strategy = "rest_for_one"
max_restarts = 6
restart_window = "60s"
env = { RUST_LOG = "info" }
env_file = ".env"

[services.web]
type = "exec"
command = "npm run dev"
workdir = "frontend"
port = 3000
env = { DATABASE_URL = "${services.db.url}" }
env_file = "web.env"
depends_on = ["db", { service = "migrate", condition = "completed" }, { service = "cache", bond = "loose" }]
health_check = { type = "http", path = "/healthz", interval = "1s", timeout = "1s", retries = 3, start_period = "30s" }
restart = "always"
backoff = { initial = "10ms", factor = 4.0, max = "10s" }
max_restarts = 6
restart_window = "60s"
stop_signal = "SIGTERM"
stop_timeout = "5s"
tty = true
watchdog = "10s"
essential = false
protocol = "h2c"
autostart = true

[services.db]
command = ["postgres", "-p", "${services.db.port}"]
health_check = { command = "pg_isready", on_failure = "restart" }

[services.migrate]
type = "task"
command = "migrate"
depends_on = ["db"]

[services.cache]
command = "redis"

[services.docs]
type = "site"
path = "public"
"#;

fn need(on: &str, condition: Condition, bond: Bond) -> (String, Condition, Bond) {
    (on.to_owned(), condition, bond)
}

fn needs(service: &ServicePlan) -> Vec<(String, Condition, Bond)> {
    let need = |n: &Need| need(&n.on, n.condition, n.bond);
    service.needs.iter().map(need).collect()
}

fn full() -> Plan {
    Plan::of(&parse(FULL).expect("the documented file is valid"))
}

#[test]
fn the_documented_file_is_understood() {
    let plan = full();
    let names: Vec<_> = plan.services.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["web", "db", "migrate", "cache", "docs"], "in the order of the file");
    assert_eq!(plan.env_files, EnvFiles::Named(vec![".env".into()]));
    let web = plan.service("web").unwrap();
    assert_eq!(
        needs(web),
        [
            need("db", Condition::Healthy, Bond::Crash),
            need("migrate", Condition::Completed, Bond::Crash),
            need("cache", Condition::Healthy, Bond::Loose),
        ]
    );
    assert_eq!(
        (web.kind, web.port, web.restart),
        (Kind::Exec, PortSpec::Fixed(3000), Restart::Always)
    );
    assert_eq!(web.protocol, Protocol::H2c);
    assert_eq!(web.limit, Limit::default());
    assert_eq!(web.watchdog, Some(Duration::from_secs(10)));
    assert_eq!(web.check.start_period, Some(Duration::from_secs(30)));
    assert!(web.check.liveness && !web.check.on_failure_restart);
    assert!(plan.service("db").unwrap().check.on_failure_restart);
    let docs = plan.service("docs").unwrap();
    assert_eq!((docs.kind, docs.port), (Kind::Site, PortSpec::Assigned));
}

#[test]
fn defaults_are_the_documented_ones() {
    let plan = plan("[services.web]\ncommand='x'\n[services.job]\ntype='task'\ncommand='x'");
    assert_eq!((plan.domain.as_str(), plan.strategy), ("shop.localhost", Strategy::RestForOne));
    assert_eq!(plan.env_files, EnvFiles::Default);
    let web = plan.service("web").unwrap();
    assert_eq!(
        (web.kind, web.port, web.restart),
        (Kind::Exec, PortSpec::Assigned, Restart::Always)
    );
    let check = CheckPlan {
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        retries: 3,
        start_period: Some(Duration::from_mins(1)),
        on_failure_restart: false,
        liveness: false,
    };
    assert_eq!(web.check, check);
    assert_eq!((web.stop_signal.as_str(), web.stop_timeout), ("SIGTERM", Duration::from_secs(5)));
    assert!(web.tty && web.autostart && !web.essential);
    assert_eq!(web.protocol, Protocol::Auto);
    let job = plan.service("job").unwrap();
    assert_eq!((job.port, job.restart), (PortSpec::None, Restart::Never));
    assert_eq!(job.check.start_period, None);
}

#[test]
fn a_strategy_is_the_bond_of_edges_that_name_none() {
    for (strategy, bond, all) in [
        ("one_for_one", Bond::Loose, false),
        ("rest_for_one", Bond::Crash, false),
        ("one_for_all", Bond::Crash, true),
    ] {
        let plan = plan(&format!(
            "strategy = '{strategy}'
            [services.a]
            command = 'x'
            depends_on = ['b', {{ service = 'c', bond = 'always', condition = 'started' }}]
            [services.b]
            command = 'x'
            [services.c]
            type = 'worker'
            command = 'x'"
        ));
        let expected =
            [need("b", Condition::Healthy, bond), need("c", Condition::Started, Bond::Always)];
        assert_eq!(needs(plan.service("a").unwrap()), expected);
        assert_eq!(plan.strategy == Strategy::OneForAll, all);
    }
}

#[test]
fn references_imply_dependencies_once_and_behind_the_named_ones() {
    let plan = plan(
        "env = { CACHE = '${services.cache.host}' }
        [services.web]
        command = 'x ${services.web.port} ${services.api.port}'
        depends_on = [{ service = 'db', bond = 'loose' }]
        env = { A = '${services.db.url}', B = '${services.api.url}' }
        health_check = 'curl ${services.mail.url}'
        [services.api]
        command = 'x'
        [services.db]
        command = 'x'
        [services.mail]
        command = 'x'
        [services.cache]
        command = 'x'",
    );
    let on = |name: &str| {
        let needs = &plan.service(name).unwrap().needs;
        needs.iter().map(|need| need.on.as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(on("web"), "db api mail cache");
    assert_eq!(on("api"), "cache");
    assert_eq!(on("cache"), "");
    assert_eq!(plan.service("web").unwrap().needs[0].bond, Bond::Loose);
}

#[test]
fn an_overridden_variable_of_the_project_implies_nothing_but_others_do() {
    let plan = plan(
        "env = { A = '${services.db.url}', B = '${services.db.port}', C = '${env.A}' }
        [services.db]
        command = 'x'
        [services.one]
        command = 'x'
        env = { A = 'own' }
        [services.both]
        command = 'x'
        env = { A = 'own', B = 'own' }
        [services.reads]
        command = 'x'
        env = { A = '${env.A}?x', B = 'own' }",
    );
    let count = |name: &str| plan.service(name).unwrap().needs.len();
    assert_eq!([count("db"), count("one"), count("both"), count("reads")], [0, 1, 0, 1]);
}

#[test]
fn the_order_has_dependencies_first_and_else_that_of_the_file() {
    let names: Vec<_> = full().order().iter().map(|s| s.name.to_string()).collect();
    assert_eq!(names, ["db", "migrate", "cache", "web", "docs"]);
}

#[test]
fn numbers_and_shorthands_are_read() {
    let plan = plan(
        "[services.web]
        command = 'x'
        stop_timeout = 2
        restart_window = 1.5
        stop_signal = 'int'
        port = false
        backoff = { initial = '20s' }
        [services.api]
        command = 'x'
        health_check = { start_period = '5m' }
        [services.job]
        type = 'task'
        command = 'x'
        restart = 'on-failure'
        [services.bell]
        type = 'worker'
        port = false
        command = 'x'",
    );
    let web = plan.service("web").unwrap();
    assert_eq!(web.stop_timeout, Duration::from_secs(2));
    assert_eq!(web.limit.within, Duration::from_millis(1500));
    assert_eq!(
        (web.limit.initial, web.limit.max),
        (Duration::from_secs(20), Duration::from_secs(20))
    );
    assert_eq!((web.stop_signal.as_str(), web.port), ("SIGINT", PortSpec::None));
    let api = plan.service("api").unwrap();
    assert_eq!((api.check.start_period, api.check.liveness), (Some(Duration::from_mins(5)), false));
    assert_eq!(plan.service("job").unwrap().restart, Restart::OnFailure);
}

#[test]
fn a_project_may_have_no_services() {
    assert!(plan("").services.is_empty());
}
