//! The configuration as its author meets it.

use crate::support::{DEADLINE, Home, kernel, svc};

#[test]
fn all_errors_of_a_file_are_told_at_once_with_places_and_near_misses() {
    let home = Home::new();
    let project = home.folder("shop").with(
        "locald.toml",
        "[project]\nname = \"shop\"\n\n[services.web]\ncomand = \"x\"\nport = \"http\"\n\
         depends_on = [\"bd\"]\n\n[services.db]\ncommand = \"x\"\nrestart = \"sometimes\"\n",
    );
    let check = project.locald(["check"]).fails(4).and_clearly();
    for (place, what) in [
        ("locald.toml:5:1", "comand"),
        ("locald.toml:6:8", "port"),
        ("locald.toml:7:15", "bd"),
        ("locald.toml:11:11", "sometimes"),
    ] {
        assert!(check.stderr.contains(place) && check.stderr.contains(what), "{place} in {check}");
    }
    for near in ["`command`", "`db`"] {
        assert!(check.stderr.contains(near), "{near} in {check}");
    }
    assert!(check.stderr.contains("^^^^^^"), "underlined: {check}");
    let json = project.locald(["check", "--json"]).fails(4).json();
    let errors = json["errors"].as_array().expect("a list");
    assert!(errors.len() >= 4, "{json:#}");
    let typo = errors.iter().find(|e| e["message"].as_str().is_some_and(|m| m.contains("comand")));
    let typo = typo.unwrap_or_else(|| panic!("{json:#}"));
    assert_eq!((&typo["line"], &typo["column"]), (&5.into(), &1.into()));
    assert!(typo["file"].as_str().expect("a path").ends_with("locald.toml"));
    assert!(typo["help"].as_str().expect("a suggestion").contains("command"));
    // `up` says the same, and starts nothing.
    let up = project.locald(["up"]).fails(4);
    assert_eq!(up.stderr, check.stderr);
    assert_eq!(home.processes(), []);
}

#[test]
fn a_good_file_is_said_to_be_good() {
    let home = Home::new();
    let project = home.project("shop", "[services.web]\ncommand = \"x\"\n");
    project.locald(["check"]).ok().says("valid");
    assert_eq!(project.locald(["check", "--json"]).ok().json()["errors"], serde_json::json!([]));
}

#[test]
fn the_schema_knows_every_key() {
    let home = Home::new();
    let schema = home.locald(["schema"]).ok().json();
    let text = schema.to_string();
    for key in
        "project services name domain strategy max_restarts restart_window env env_file type \
                command workdir port depends_on condition bond health_check path status interval \
                timeout retries start_period on_failure restart backoff initial factor max \
                stop_signal stop_timeout watch tty watchdog routes essential autostart version protocol"
            .split_ascii_whitespace()
    {
        assert!(text.contains(&format!("\"{key}\"")), "{key} is missing");
    }
}

#[test]
fn a_missing_name_is_suggested_from_the_folder() {
    let home = Home::new();
    let project = home.folder("My Shop").with("locald.toml", "[services.web]\ncommand = \"x\"\n");
    let check = project.locald(["check"]).fails(4).and_clearly();
    check.complains("name").complains("my-shop");
}

#[test]
fn a_cycle_is_named_in_full() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.web]\ncommand = \"x\"\ndepends_on = [\"api\"]\n\
         [services.api]\ncommand = \"echo ${services.web.port}\"\n\
         [services.own]\ncommand = \"x\"\ndepends_on = [\"own\"]\n",
    );
    let check = project.locald(["check"]).fails(4).and_clearly();
    assert!(
        check.stderr.contains("web → api → web") || check.stderr.contains("api → web → api"),
        "{check}"
    );
    check.complains("own");
}

#[test]
fn a_near_cycle_is_accepted() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.a]\ncommand = \"x\"\ndepends_on = [\"b\", \"c\"]\n\
         [services.b]\ncommand = \"x\"\ndepends_on = [\"c\"]\n[services.c]\ncommand = \"x\"\n",
    );
    project.locald(["check"]).ok();
}

#[test]
fn a_procfile_serves_where_there_is_no_configuration() {
    let home = Home::new();
    let project = home.folder("old").with(
        "Procfile",
        "# of another tool\nweb: echo on $PORT; exec sleep 1000\nmail: exec sleep 1000\n",
    );
    project.locald(["check"]).ok();
    project.locald(["up", "--no-wait"]).ok();
    let status = project.until("mail is up", |p| p.is("mail", "healthy"));
    assert_eq!(status.0["name"], "old");
    let (web, mail) = (status.service("web"), status.service("mail"));
    assert_eq!((web.0["type"].as_str(), mail.0["type"].as_str()), (Some("exec"), Some("worker")));
    assert!(web.port() > 0 && mail.0["port"].is_null());
    let log = crate::support::eventually("it printed", || project.log("web").first().cloned());
    assert_eq!(log, format!("on {}", web.port()));
}

#[test]
fn a_bad_procfile_is_told_with_its_line() {
    let home = Home::new();
    let project = home.folder("old").with("Procfile", "web: x\nnonsense\n");
    let check = project.locald(["check"]).fails(4).and_clearly();
    check.complains("Procfile:2");
}

#[test]
fn an_env_file_that_is_named_must_exist() {
    let home = Home::new();
    let project = home.project("shop", "[services.web]\ncommand = \"x\"\nenv_file = \"web.env\"\n");
    project.locald(["check"]).fails(4).and_clearly().complains("web.env");
    project.locald(["up"]).fails(4).and_clearly().complains("web.env");
}

#[test]
fn an_error_in_the_global_configuration_is_told_like_one_in_the_project() {
    let home = Home::new();
    home.write("config/config.toml", "[logs]\nkeep = 3\nmax_sise = \"1MB\"\n");
    let project =
        home.project("shop", "[services.w]\ntype = \"worker\"\ncommand = \"sleep 1000\"\n");
    let up = project.locald(["up"]).fails(4).and_clearly();
    up.complains("config.toml:3:1").complains("max_sise").complains("max_size");
    home.write("config/config.toml", "[logs]\nkeep = 3\n");
    project.up();
}

#[test]
fn an_edit_counts_when_the_project_is_brought_up_again() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project =
        home.project("shop", &format!("[services.a]\n{listen}\n[services.b]\n{listen}\n"));
    project.up();
    let a = project.service("a").pid();
    project.write(
        "locald.toml",
        format!(
            "[project]\nname = \"shop\"\n[services.a]\n{listen}\n\
             [services.c]\n{listen}\nenv = {{ NEW = \"1\" }}\n"
        ),
    );
    project.up();
    assert_eq!(project.status().states(), "a=healthy c=healthy");
    assert_eq!(project.service("a").pid(), a, "what has not changed is not touched");
}

#[test]
fn what_an_edit_removes_is_stopped_as_it_was_to_be() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let gone = svc(["on-term=order:told", "listen", "forever"]);
    let project = home.project("shop", &format!("[services.a]\n{listen}\n[services.b]\n{gone}\n"));
    project.up();
    let b = project.service("b").pid();
    project.write("locald.toml", format!("[project]\nname = \"shop\"\n[services.a]\n{listen}\n"));
    project.up();
    let left =
        kernel::gone_within(DEADLINE, || if kernel::is_alive(b) { vec![b] } else { Vec::new() });
    assert!(left.is_empty(), "it still runs");
    assert_eq!(project.read("order"), "told\n", "by its stop signal, not by SIGKILL");
    assert_eq!(project.status().states(), "a=healthy");
}

#[test]
fn a_broken_edit_changes_nothing() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.a]\n{listen}\n"));
    project.up();
    let a = project.service("a").pid();
    project.write("locald.toml", "[project]\nname = \"shop\"\n[services.a]\ncomand = \"x\"\n");
    project.locald(["up"]).fails(4).and_clearly().complains("comand");
    let status = project.status();
    assert_eq!((status.service("a").pid(), status.service("a").state()), (a, "healthy"));
    // It can still be stopped.
    project.locald(["stop"]).ok();
}

#[test]
fn an_edit_revives_a_service_that_has_given_up() {
    let home = Home::new();
    let broken = "[services.web]\ntype = \"worker\"\nmax_restarts = 0\ncommand = \"exit 3\"\n";
    let project = home.project("shop", broken);
    project.locald(["up"]).fails(1);
    assert_eq!(project.service("web").state(), "failed");
    let mended = broken.replace("exit 3", "sleep 1000");
    project.write("locald.toml", format!("[project]\nname = \"shop\"\n{mended}"));
    project.up();
    assert_eq!(project.service("web").state(), "healthy");
}
