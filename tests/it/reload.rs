//! Edits of the configuration apply themselves, and change no more than they say.

use std::fs;

use crate::support::{
    DEADLINE, Home, Project, ProjectStatus, eventually, front::Front, kernel, skip, svc,
};

/// A service that says when it is born and which value it was given.
fn service(name: &str, more: &str) -> String {
    let command = svc([&format!("append=born:{name}"), "print-env=MARK", "listen", "forever"]);
    format!("[services.{name}]\n{command}\n{more}\n")
}

fn file(services: &[String]) -> String {
    format!("[project]\nname = \"shop\"\n{}", services.concat())
}

fn shop<'a>(home: &'a Home, services: &[String]) -> Project<'a> {
    let project = home.folder("shop").with("locald.toml", file(services));
    project.up();
    project
}

fn pid(project: &Project<'_>, name: &str) -> i32 {
    project.service(name).pid()
}

#[track_caller]
fn dies(pid: i32) {
    let alive = || kernel::is_alive(pid).then_some(pid).into_iter().collect::<Vec<_>>();
    assert!(kernel::gone_within(DEADLINE, alive).is_empty(), "{pid} is still there");
}

#[test]
fn an_edit_restarts_what_it_changes_and_nothing_else() {
    let home = Home::new();
    let web = |mark: &str| service("web", &format!("env = {{ MARK = \"{mark}\" }}"));
    let project = shop(&home, &[web("one"), service("db", "")]);
    let (old, db) = (pid(&project, "web"), pid(&project, "db"));
    project.write("locald.toml", file(&[web("two"), service("db", "")]));
    project.until_replaced("web", old);
    assert_eq!(project.log("web"), ["MARK=one", "MARK=two"]);
    assert_eq!(pid(&project, "db"), db);
    let born = project.lines("born").concat();
    assert!(["webdbweb", "dbwebweb"].contains(&&*born), "each once, and one again: {born}");
    let tree = project.locald(["tree", "--json"]).ok().stdout;
    assert_eq!(tree.matches("\"process\"").count(), 2, "the tree still shows all of it: {tree}");
}

#[test]
fn what_is_new_starts_and_what_is_gone_stops() {
    let home = Home::new();
    let project = shop(&home, &[service("web", ""), service("old", "")]);
    let (web, old) = (pid(&project, "web"), pid(&project, "old"));
    let extra = service("extra", "autostart = false");
    project.write("locald.toml", file(&[service("web", ""), service("new", ""), extra]));
    let status = project.until("the new one is there", |status| {
        status.states() == "web=healthy new=healthy extra=stopped"
    });
    assert_eq!(status.service("web").pid(), web);
    dies(old);
}

#[test]
fn in_a_project_that_is_down_nothing_starts() {
    let home = Home::new();
    let project = shop(&home, &[service("web", "")]);
    project.locald(["stop"]).ok();
    project.write("locald.toml", file(&[service("web", ""), service("new", "")]));
    let status = project.until("the new one is known", |status| status.services().len() == 2);
    assert_eq!(status.states(), "web=stopped new=stopped");
}

#[test]
fn a_file_with_errors_changes_nothing_and_is_shown_until_it_is_mended() {
    let home = Home::new();
    let project = shop(&home, &[service("web", "")]);
    let web = pid(&project, "web");
    project.write("locald.toml", "[project]\nname = \"shop\"\n[services.web]\ncomand = \"x\"\n");
    let error =
        |status: &ProjectStatus| status.0["config_error"].as_str().unwrap_or_default().to_owned();
    let status = project.until("the error is shown", |status| !error(status).is_empty());
    assert!(error(&status).contains("locald.toml:4:1") && error(&status).contains("comand"));
    project.locald(["status"]).ok().says("comand");
    project.locald(["tree"]).ok().says("config-watcher").says("comand");
    project.locald(["up"]).fails(4).and_clearly().complains("comand");
    project.locald(["restart", "web"]).fails(4).complains("comand");
    let dashboard = |has: bool| {
        let page = Front::of(&home).visit("locald.localhost", "/");
        assert_eq!(page.body.contains("comand"), has, "{page:?}");
    };
    dashboard(true);
    assert!(project.events().contains(&"- config-error".to_owned()));
    assert_eq!(pid(&project, "web"), web);
    project.write("locald.toml", file(&[service("web", "")]));
    let status = project.until("it is mended", |status| error(status).is_empty());
    assert_eq!((status.state(), status.service("web").pid()), ("healthy", web));
    dashboard(false);
    assert_eq!(project.lines("born"), ["web"]);
}

#[test]
fn an_editor_may_write_another_file_and_rename_it() {
    let home = Home::new();
    let project = shop(&home, &[service("web", "")]);
    let web = pid(&project, "web");
    for mark in ["one", "two"] {
        let text = file(&[service("web", &format!("env = {{ MARK = \"{mark}\" }}"))]);
        project.write(".locald.toml.swp", text);
        let old = pid(&project, "web");
        fs::rename(project.path(".locald.toml.swp"), project.path("locald.toml")).unwrap();
        project.until_replaced("web", old);
    }
    assert_eq!(project.log("web"), ["MARK=", "MARK=one", "MARK=two"]);
    assert!(!kernel::is_alive(web));
}

#[test]
fn a_file_that_is_deleted_and_made_again_is_one_edit() {
    let home = Home::new();
    let project = shop(&home, &[service("web", "")]);
    let old = pid(&project, "web");
    fs::remove_file(project.path("locald.toml")).unwrap();
    project.write("locald.toml", file(&[service("web", "env = { MARK = \"two\" }")]));
    project.until_replaced("web", old);
    assert!(!project.events().contains(&"- config-error".to_owned()), "nothing was wrong");
    fs::remove_file(project.path("locald.toml")).unwrap();
    let gone = project.until("its absence is shown", |status| {
        status.0["config_error"].as_str().is_some_and(|why| why.contains("no locald.toml"))
    });
    assert_eq!(gone.states(), "web=healthy", "what runs goes on");
}

/// Hundreds of files, and among them those of the configuration, in an order that git decides.
#[test]
fn a_checkout_of_another_branch_is_one_edit() {
    let home = Home::new();
    let git = |project: &Project<'_>, args: &[&str]| {
        let run = home.program("git").args(["-c", "user.name=a", "-c", "user.email=a@b.c"]);
        run.args(args).within(project.dir()).run()
    };
    if home.program("sh").args(["-c", "command -v git"]).run().code() != 0 {
        return skip("there is no git");
    }
    let web = |mark: &str| {
        service("web", &format!("env = {{ MARK = \"{mark}\" }}\nwatch = [\"src\"]"))
            + &service("db", "")
    };
    let project = home.folder("shop").with(".gitignore", "born\n");
    for (branch, mark) in [("one", "1"), ("two", "2")] {
        for nth in 0..300 {
            project.write(&format!("src/d{}/f{nth}", nth % 7), mark.repeat(nth));
        }
        project.write("locald.toml", file(&[web(mark)]));
        project.write(".env", format!("OTHER={mark}\n"));
        for args in [&["init", "-q"][..], &["checkout", "-qb", branch], &["add", "."]] {
            assert_eq!(git(&project, args).code(), 0, "{args:?}");
        }
        assert_eq!(git(&project, &["commit", "-qm", mark]).code(), 0);
    }
    project.up();
    eventually("its files are watched", || {
        project.locald(["tree"]).ok().stdout.contains("watches 9 folders").then_some(())
    });
    let web = pid(&project, "web");
    for (branch, mark) in [("one", "1"), ("two", "2"), ("one", "1")] {
        let before = project.service("web").pid();
        assert_eq!(git(&project, &["checkout", "-q", branch]).code(), 0);
        project.until_replaced("web", before);
        eventually("it has the mark", || {
            (project.log("web").last()? == &format!("MARK={mark}")).then_some(())
        });
    }
    assert!(!kernel::is_alive(web));
    assert!(!project.events().contains(&"- config-error".to_owned()), "nothing was wrong");
    let births = project.lines("born").iter().filter(|name| *name == "web").count();
    assert_eq!(births, 4, "one, and one more for each checkout");
}

#[test]
fn an_env_file_restarts_those_whose_environment_it_changes() {
    let home = Home::new();
    let web = service("web", "env_file = \"web.env\"");
    let project = home
        .folder("shop")
        .with("locald.toml", file(&[web, service("db", "env = { MARK = \"mine\" }")]))
        .with(".env", "MARK=all\n")
        .with("web.env", "# nothing\n");
    project.up();
    let (web, db) = (pid(&project, "web"), pid(&project, "db"));
    // `db` has a value of its own.
    project.write(".env", "MARK=changed\n");
    let web = project.until_replaced("web", web).pid();
    assert_eq!(pid(&project, "db"), db);
    // The same once more, said otherwise.
    project.write(".env", "# a comment\nexport MARK=\"changed\"\n");
    project.write("web.env", "MARK=own\n");
    project.until_replaced("web", web);
    assert_eq!(pid(&project, "db"), db);
    assert_eq!(project.log("web"), ["MARK=all", "MARK=changed", "MARK=own"]);
}

#[test]
fn a_given_up_service_is_revived_by_an_edit() {
    let home = Home::new();
    let flaky = |mark: &str| {
        format!(
            "[services.flaky]\ntype = \"worker\"\nmax_restarts = 0\nenv = {{ MARK = \"{mark}\" }}\n\
             command = \"test $MARK = good && exec sleep 1000\"\n"
        )
    };
    let project = home.folder("shop").with("locald.toml", file(&[flaky("bad")]));
    project.locald(["up"]).fails(1);
    assert_eq!(project.service("flaky").state(), "failed");
    project.write("locald.toml", file(&[flaky("good")]));
    project.until_state("flaky", "healthy");
}

#[test]
fn a_renamed_service_is_another_one() {
    let home = Home::new();
    let project = shop(&home, &[service("web", ""), service("db", "")]);
    let (web, db) = (pid(&project, "web"), pid(&project, "db"));
    project.write("locald.toml", file(&[service("front", ""), service("db", "")]));
    project.until("it has another name", |s| s.states() == "front=healthy db=healthy");
    assert_eq!(pid(&project, "db"), db);
    dies(web);
}

#[test]
fn bonds_and_the_strategy_change_under_running_services() {
    let home = Home::new();
    let web = |bond: &str| {
        service("web", &format!("depends_on = [{{ service = \"db\", bond = \"{bond}\" }}]"))
    };
    let project = shop(&home, &[web("loose"), service("db", "")]);
    let (web_pid, db) = (pid(&project, "web"), pid(&project, "db"));
    project.write("locald.toml", file(&[web("crash"), service("db", "")]));
    eventually("it is in effect", || {
        project.events().contains(&"- reloaded".to_owned()).then_some(())
    });
    assert_eq!((pid(&project, "web"), pid(&project, "db")), (web_pid, db));
    kernel::kill(db, nix::sys::signal::Signal::SIGKILL);
    project.until_replaced("web", web_pid);
    let (web_pid, db) = (pid(&project, "web"), pid(&project, "db"));
    let text = file(&[web("loose"), service("db", "")]);
    let text = text.replace("name = \"shop\"", "name = \"shop\"\nstrategy = \"one_for_all\"");
    project.write("locald.toml", text);
    eventually("the tree shows it", || {
        let tree = project.locald(["tree", "--json"]).ok().json();
        let shown = &tree["children"][0]["children"][0]["strategy"];
        (shown == "one_for_all").then_some(())
    });
    assert_eq!((pid(&project, "web"), pid(&project, "db")), (web_pid, db));
    kernel::kill(db, nix::sys::signal::Signal::SIGKILL);
    project.until_replaced("web", web_pid);
}

#[test]
fn a_dependency_that_is_added_to_a_running_service_comes_up() {
    let home = Home::new();
    let cache = service("cache", "autostart = false");
    let project = shop(&home, &[service("web", ""), cache.clone()]);
    let web = pid(&project, "web");
    assert_eq!(project.service("cache").state(), "stopped");
    project
        .write("locald.toml", file(&[service("web", "depends_on = [\"cache\"]"), cache.clone()]));
    project.until_state("cache", "healthy");
    assert_eq!(pid(&project, "web"), web);
    // Also if the edit restarts the one that needs it.
    project.locald(["stop", "cache"]).ok();
    project.write("locald.toml", file(&[service("web", ""), cache.clone()]));
    project.until("it is needed no more", |s| s.service("web").depends_on().is_empty());
    project.write(
        "locald.toml",
        file(&[service("web", "env = { MARK = \"x\" }\ndepends_on = [\"cache\"]"), cache]),
    );
    project.until_state("cache", "healthy");
    project.until_replaced("web", web);
}

#[test]
fn a_later_client_s_environment_is_no_reason_to_restart() {
    let home = Home::new();
    let project = shop(&home, &[service("web", ""), service("db", "")]);
    let (web, db) = (pid(&project, "web"), pid(&project, "db"));
    project.locald(["up"]).env("SOMETHING", "else").ok();
    project.write("locald.toml", file(&[service("web", "env = { A = \"b\" }"), service("db", "")]));
    project.until_replaced("web", web);
    assert_eq!(pid(&project, "db"), db);
}
