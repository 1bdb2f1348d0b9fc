use std::collections::HashMap;

use super::*;
use crate::core::{config, diagnostic::SourceFile};

/// A project and its surroundings.
struct World {
    plan: Plan,
    files: HashMap<&'static str, &'static str>,
    caller: BTreeMap<String, String>,
    ca: Option<&'static str>,
}

impl World {
    fn new(text: &str) -> Self {
        let source = SourceFile { path: "locald.toml".into(), text: text.to_owned() };
        let config = config::parse_toml(&source, "x").expect("the configuration is valid");
        let plan = Plan::of(&config);
        Self { plan, files: HashMap::new(), caller: BTreeMap::new(), ca: None }
    }

    fn file(mut self, path: &'static str, text: &'static str) -> Self {
        self.files.insert(path, text);
        self
    }

    fn caller(mut self, name: &str, value: &str) -> Self {
        self.caller.insert(name.to_owned(), value.to_owned());
        self
    }

    fn ca(mut self, path: &'static str) -> Self {
        self.ca = Some(path);
        self
    }

    fn launch(&self, service: &str) -> Result<Launch, LaunchError> {
        let port_of = |name: &ServiceName| Some(40_000 + u16::try_from(name.len()).unwrap());
        let around = Surroundings {
            dir: Path::new("/srv/shop"),
            caller_env: &self.caller,
            files: &|path| self.files.get(path).copied(),
            port_of: &port_of,
            password_of: &|name, product| Ok(format!("{product}-of-{name}")),
            public_url: &|name| (&**name == "db").then(|| "https://db.shop.localhost".to_owned()),
            notify_socket: Path::new("/run/n.sock"),
            locald_exe: Path::new("/bin/locald"),
            ca: self.ca.map(Path::new),
        };
        launch(&self.plan, self.plan.service(service).unwrap(), &around)
    }

    fn env(&self, service: &str, name: &str) -> String {
        self.launch(service).unwrap().env.get(name).cloned().unwrap_or_else(|| "(unset)".into())
    }
}

const SHOP: &str = "[project]\nname = 'shop'\n";

fn shop(rest: &str) -> World {
    World::new(&format!("{SHOP}{rest}"))
}

#[test]
fn later_layers_win() {
    let layers = "
        env_file = 'p.env'
        env = { C = 'project', D = 'project', E = 'project', PORT = 'project' }
        [services.web]
        command = 'x'
        env_file = ['s.env']
        env = { E = 'service', PORT = 'service', LOCALD_URL = 'x' }";
    let world = shop(layers)
        .file("p.env", "B=p.env\nC=p.env\nD=p.env\nE=p.env\nPORT=1")
        .file("s.env", "D=s.env\nE=s.env\nPORT=2");
    let world = ["A", "B", "C", "D", "E"].iter().fold(world, |w, name| w.caller(name, "caller"));
    let seen: Vec<_> = ["A", "B", "C", "D", "E", "PORT", "LOCALD_URL", "LOCALD_PROJECT"]
        .map(|name| world.env("web", name))
        .into();
    let expected = [
        "caller",
        "p.env",
        "project",
        "s.env",
        "service",
        "40003",
        "http://127.0.0.1:40003",
        "shop",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn what_belongs_to_the_callers_own_service_does_not_leak() {
    let world = shop("[services.job]\ntype = 'worker'\ncommand = 'x'")
        .caller("PORT", "1")
        .caller("LOCALD_URL", "http://other")
        .caller("WATCHDOG_USEC", "5")
        .caller("HOME", "/root");
    let env = world.launch("job").unwrap().env;
    let names: Vec<_> = env.keys().map(String::as_str).collect();
    assert_eq!(names, ["HOME", "LOCALD_PROJECT", "LOCALD_SERVICE", "NOTIFY_SOCKET", "TERM"]);
    assert_eq!(env["TERM"], "xterm-256color");
}

#[test]
fn a_terminal_is_named_only_where_there_is_one() {
    let text = "[services.a]\ncommand='x'\ntty=false\n[services.b]\ncommand='x'";
    assert_eq!(shop(text).env("a", "TERM"), "(unset)");
    assert_eq!(shop(text).caller("TERM", "vt100").env("b", "TERM"), "vt100");
}

#[test]
fn references_are_filled_in_from_below() {
    let world = shop(
        "env = { URL = '${services.db.url}/${env.NAME}', PATH = 'bin:${env.PATH}' }
        [services.db]
        command = 'db --port ${services.db.port} $PORT ${X:-y} $$'
        port = 5432
        [services.web]
        command = ['web', '${env.URL}', '${services.db.public_url}', '${project.domain}']
        env = { SELF = '${env.PORT} ${project.dir}', PATH = 'sbin:${env.PATH}', E = '${env.NO:-d}' }
        health_check = { path = '/${project.name}', status = 204 }",
    )
    .file(".env", "NAME=shop\nNO=")
    .caller("PATH", "/bin");
    let db = world.launch("db").unwrap();
    assert_eq!(db.argv, ["/bin/sh", "-c", "exec db --port 5432 $PORT ${X:-y} $"]);
    let web = world.launch("web").unwrap();
    let url = "http://127.0.0.1:5432/shop";
    assert_eq!(web.argv, ["web", url, "https://db.shop.localhost", "shop.localhost"]);
    assert_eq!(web.env["SELF"], "40003 /srv/shop");
    assert_eq!(web.env["PATH"], "sbin:bin:/bin");
    assert_eq!(web.env["E"], "d");
    assert_eq!(web.check, Check::Http { path: "/shop".into(), status: vec![204] });
}

#[test]
fn an_unset_variable_is_named_with_its_place() {
    let world = shop("[services.web]\ncommand='x'\nenv = { A = '${env.TOKEN}' }");
    let error = world.launch("web").unwrap_err();
    assert_eq!(error.to_string(), "`env.A` uses ${env.TOKEN}, which is not set");
    assert!(!error.is_configuration());
    assert!(world.caller("TOKEN", "").launch("web").is_ok(), "empty is set");
}

#[test]
fn an_overridden_variable_of_the_project_asks_for_nothing() {
    let world = shop(
        "env = { A = '${env.TOKEN}', B = '${services.db.url}' }
        [services.db]
        command = 'x'
        env = { A = 'mine' }
        depends_on = ['dump']
        [services.dump]
        type = 'worker'
        command = 'x'
        env = { A = 'mine', B = 'none' }",
    );
    assert_eq!(world.env("dump", "A"), "mine");
    assert!(world.plan.service("dump").unwrap().needs.is_empty());
}

#[test]
fn env_files_are_optional_only_when_nobody_named_them() {
    let text = "[services.web]\ncommand='x'";
    assert!(shop(text).launch("web").is_ok());
    let missing = shop(&format!("env_file = '.env'\n{text}")).launch("web").unwrap_err();
    assert_eq!(missing, LaunchError::MissingEnvFile { path: ".env".into() });
    let bad = shop(text).file(".env", "A=1\nwhat").launch("web").unwrap_err();
    assert_eq!(bad.to_string(), ".env:2: expected NAME=value, found `what`");
    assert!(missing.is_configuration() && bad.is_configuration());
    let world = shop("env_file = ['a', 'b']\n[services.web]\ncommand='x'\nenv_file='c'");
    let files = env_files_of(&world.plan, world.plan.service("web").unwrap());
    let names: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.required)).collect();
    assert_eq!(names, [("a", true), ("b", true), ("c", true)]);
}

#[test]
fn each_kind_has_its_command_check_and_folder() {
    let world = shop(
        "[services.web]
        command = 'x'
        workdir = 'front'
        health_check = 'curl x'
        [services.noport]
        command = 'x'
        port = false
        [services.api]
        command = 'x'
        [services.site]
        type = 'site'
        path = 'public'
        [services.job]
        type = 'task'
        command = ['a', 'b c']
        [services.bell]
        type = 'worker'
        command = 'x'
        watchdog = '2s'
        health_check = { type = 'notify' }",
    );
    let web = world.launch("web").unwrap();
    assert_eq!(web.workdir, Path::new("/srv/shop/front"));
    assert_eq!(web.check, Check::Command(shell("curl x".into())));
    let check = |name| world.launch(name).unwrap().check;
    assert_eq!(check("noport"), Check::Alive(ALIVE));
    assert_eq!(check("api"), Check::Port);
    assert_eq!(check("job"), Check::Exit);
    assert_eq!(check("bell"), Check::Notify);
    assert_eq!(world.env("bell", "WATCHDOG_USEC"), "2000000");
    assert_eq!(world.env("bell", "PORT"), "(unset)");
    let site = world.launch("site").unwrap();
    let expected = ["/bin/locald", "site-server", "--root", "/srv/shop/public", "--port", "40004"];
    assert_eq!(site.argv, expected);
    assert_eq!((site.check, site.port), (Check::Port, Some(40_004)));
}

#[test]
fn node_trusts_our_root_unless_told_otherwise() {
    let name = "NODE_EXTRA_CA_CERTS";
    let plain = "[services.web]\ncommand='x'\nenv = { B = '${env.NODE_EXTRA_CA_CERTS:-none}' }";
    assert_eq!(shop(plain).env("web", name), "(unset)");
    let world = shop(plain).ca("/data/ca/root.pem");
    assert_eq!(world.env("web", name), "/data/ca/root.pem");
    assert_eq!(world.env("web", "B"), "/data/ca/root.pem");
    assert_eq!(world.caller(name, "/mine.pem").env("web", name), "/mine.pem");
    let set = "[services.web]\ncommand='x'\nenv = { NODE_EXTRA_CA_CERTS = 'w.pem' }";
    assert_eq!(shop(set).ca("/data/ca/root.pem").env("web", name), "w.pem");
    let file = shop(plain).ca("/data/ca/root.pem").file(".env", "NODE_EXTRA_CA_CERTS=f.pem");
    assert_eq!(file.env("web", name), "f.pem");
}

#[test]
fn whoever_depends_on_a_database_gets_all_of_its_url() {
    let world = shop(
        "
        [services.data]
        type = 'postgres'
        user = 'me@home'
        database = 'shop'
        [services.cache]
        type = 'redis'
        [services.web]
        command = 'x'
        [services.web.env]
        A = '${services.data.url}'
        B = '${services.cache.url}'
        C = '${services.data.user} ${services.data.password} ${services.data.database}'
        D = '${services.data.public_url}'",
    );
    let url = "postgres://me%40home:postgres-of-data@127.0.0.1:40004/shop";
    assert_eq!(world.env("web", "A"), url);
    assert_eq!(world.env("web", "B"), "redis://default:redis-of-cache@127.0.0.1:40005/0");
    assert_eq!(world.env("web", "C"), "me@home postgres-of-data shop");
    assert_eq!(world.env("web", "D"), url, "the proxy does not speak it");
}

#[test]
fn tools_beside_a_database_need_no_arguments() {
    let world = shop("[services.data]\ntype = 'postgres'\n[services.cache]\ntype = 'redis'\n");
    let world = world.caller("PGHOST", "elsewhere").caller("PGPASSWORD", "other");
    for (name, value) in [
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", "40004"),
        ("PGUSER", "postgres"),
        ("PGPASSWORD", "postgres-of-data"),
        ("PGDATABASE", "postgres"),
        ("PORT", "40004"),
    ] {
        assert_eq!(world.env("data", name), value, "{name}");
    }
    let launch = world.launch("data").unwrap();
    assert_eq!(launch.check, Check::Answer(Product::Postgres));
    assert_eq!(launch.password(), Some("postgres-of-data"));
    assert_eq!(launch.access_url(), launch.env.get("DATABASE_URL").cloned());
    assert_eq!(world.env("cache", "REDISCLI_AUTH"), "redis-of-cache");
}
