//! `locald up`: the main job.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::{Home, kernel, svc};

#[test]
fn returns_when_all_is_healthy_and_says_where() {
    let home = Home::new();
    let web = svc(["sleep=100", "listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{web}\n"));
    let output = project.up().says("shop is up");
    let web = project.service("web");
    assert_eq!(web.state(), "healthy");
    let url = web.url().expect("it has a name");
    assert!(output.stdout.contains(&format!("healthy at {url}\n")), "{output}");
    assert!(kernel::is_alive(web.pid()));
    assert!(!output.stdout.contains('\x1b'), "no escapes where there is no terminal: {output}");
}

#[test]
fn every_kind_of_service_comes_up() {
    let home = Home::new();
    let exec = svc(["listen", "forever"]);
    let project = home
        .project(
            "kinds",
            &format!(
                "[services.web]\n{exec}\n\
                 [services.docs]\ntype = \"site\"\npath = \"public\"\n\
                 [services.mail]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n\
                 [services.prepare]\ntype = \"task\"\ncommand = \"echo done > prepared\"\n"
            ),
        )
        .with("public/index.html", "<h1>Hello from the site</h1>");
    project.up();
    let status = project.status();
    assert_eq!(
        status.states(),
        "web=healthy docs=healthy mail=healthy prepare=completed",
        "{status:?}"
    );
    assert_eq!(status.state(), "healthy");
    assert_eq!(project.read("prepared"), "done\n");
    let page = crate::support::http::get(status.service("docs").port(), "/");
    assert_eq!((page.status, page.body.as_str()), (200, "<h1>Hello from the site</h1>"));
    let mail = status.service("mail");
    assert!(mail.0["port"].is_null() && mail.0["url"].is_null(), "a worker has no port: {mail:?}");
}

#[test]
fn starts_the_daemon_detached_from_the_client() {
    let home = Home::new();
    let project =
        home.project("shop", "[services.w]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n");
    let up = project.locald(["up"]).start();
    let client = up.pid();
    up.end().exits(0);
    let daemon = home.daemon_pid();
    let stat = kernel::stat(daemon).expect("it runs");
    assert_ne!(stat.session, kernel::stat(std::process::id().try_into().unwrap()).unwrap().session);
    assert_ne!(stat.group, client);
    assert_eq!(stat.terminal, 0, "the daemon has no terminal");
}

#[test]
fn a_second_up_changes_nothing() {
    let home = Home::new();
    let web = svc(["append=born:web", "listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{web}\ndepends_on = [\"seed\"]\n\
             [services.seed]\ntype = \"task\"\ncommand = \"echo seed >> born\"\n"
        ),
    );
    project.up();
    let before = project.service("web").pid();
    project.up();
    assert_eq!(project.service("web").pid(), before);
    assert_eq!(project.lines("born"), ["seed", "web"], "nothing is started twice");
}

#[test]
fn simultaneous_ups_start_one_daemon_and_one_copy_of_everything() {
    let home = Home::new();
    let web = svc(["append=born:web", "listen", "forever"]);
    let db = svc(["append=born:db", "sleep=30", "listen", "forever"]);
    let project = home.project(
        "shop",
        &format!("[services.web]\n{web}\ndepends_on = [\"db\"]\n[services.db]\n{db}\n"),
    );
    let clients: Vec<_> = (0..6).map(|_| project.locald(["up"]).start()).collect();
    for client in clients {
        client.end().exits(0);
    }
    assert_eq!(project.lines("born"), ["db", "web"]);
    let daemons: Vec<_> =
        home.processes().into_iter().filter(|p| p.command.contains("server start")).collect();
    assert_eq!(daemons.len(), 1, "{daemons:?}");
}

#[test]
fn a_named_service_brings_what_it_needs_and_no_more() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{listen}\ndepends_on = [\"db\"]\n\
             [services.db]\n{listen}\n[services.other]\n{listen}\n"
        ),
    );
    project.locald(["up", "web"]).ok();
    assert_eq!(project.status().states(), "web=healthy db=healthy other=stopped");
    project.up();
    assert_eq!(project.status().states(), "web=healthy db=healthy other=healthy");
}

#[test]
fn without_autostart_only_a_dependent_or_a_person_starts_it() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{listen}\ndepends_on = [\"db\"]\n\
             [services.db]\nautostart = false\n{listen}\n\
             [services.extra]\nautostart = false\n{listen}\n"
        ),
    );
    project.up();
    assert_eq!(project.status().states(), "web=healthy db=healthy extra=stopped");
    project.locald(["start", "extra"]).ok();
    assert_eq!(project.status().states(), "web=healthy db=healthy extra=healthy");
}

#[test]
fn the_project_is_found_from_below_and_from_elsewhere() {
    let home = Home::new();
    let worker = "[services.w]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n";
    let project = home.project("shop", worker).with("deep/er/x", "");
    project.locald(["up"]).within(project.path("deep/er")).ok();
    let other = home.project("other", worker);
    home.locald(["up", "p/other"]).ok().says("other is up");
    home.locald(["-C", "p/other", "status"]).ok().says("healthy");
    project.locald(["up", "../other", "w"]).ok();
    let names: Vec<_> = home.status().projects().iter().map(|p| p.0["name"].clone()).collect();
    assert_eq!(names, ["other", "shop"]);
    other.locald(["down"]).ok();
    assert_eq!(home.status().projects().len(), 1, "`down` forgets it");
}

#[test]
fn a_service_that_gives_up_fails_it_at_once_with_cause_and_last_lines() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.api]\nmax_restarts = 2\n\
         command = \"echo cannot reach the moon; exit 7\"\n",
    );
    let output = project.locald(["up", "--timeout", "600s"]).fails(1).and_clearly();
    let output = output.complains("api").complains("7").complains("cannot reach the moon");
    assert!(output.took < Duration::from_secs(30), "as soon as it is certain: {output}");
    let api = project.service("api");
    assert_eq!(api.state(), "failed");
    assert_eq!(api.last_exit()["code"], 7);
    assert!(api.reason().contains('7'), "{api:?}");
}

#[test]
fn a_failed_task_fails_it_and_those_behind_it_wait() {
    let home = Home::new();
    let web = svc(["append=born:web", "listen", "forever"]);
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\n{web}\ndepends_on = [\"migrate\"]\n\
             [services.migrate]\ntype = \"task\"\ncommand = \"echo table is missing; exit 3\"\n"
        ),
    );
    let output = project.locald(["up"]).fails(1).and_clearly();
    output.complains("migrate").complains("table is missing");
    let status = project.status();
    assert_eq!(status.states(), "web=waiting migrate=failed");
    assert_eq!(status.service("web").waiting_for(), ["migrate"]);
    assert_eq!(status.state(), "degraded");
    assert_eq!(project.read("born"), "", "what it needs is not there");
}

#[test]
fn a_timeout_is_told_and_leaves_everything_as_it_is() {
    let home = Home::new();
    let project = home.project("shop", &format!("[services.api]\n{}\n", svc(["forever"])));
    let output = project.locald(["up", "--timeout", "2s"]).fails(5).and_clearly();
    output.complains("api").complains("left as they are");
    let api = project.service("api");
    assert_eq!(api.state(), "starting");
    assert!(kernel::is_alive(api.pid()));
}

#[test]
fn ctrl_c_leaves_the_services_and_says_so() {
    let home = Home::new();
    let project = home.project("shop", "[services.api]\ncommand = \"read x < gate; sleep 1000\"\n");
    project.gate("gate");
    let up = project.locald(["up"]).start();
    // It is under way once its service runs.
    project.open("gate");
    up.signal(Signal::SIGINT);
    up.end().exits(130).and_clearly().complains("left as they are");
    let api = project.service("api");
    assert_eq!(api.state(), "starting");
    assert!(kernel::is_alive(api.pid()), "Ctrl-C is for the client alone");
}

#[test]
fn following_ends_with_ctrl_c_and_the_services_go_on() {
    let home = Home::new();
    let worker = "[services.w]\ntype = \"worker\"\n\
                  command = \"while read x < gate; do echo tick $x; done\"\n";
    let project = home.project("shop", worker);
    project.gate("gate");
    let mut follow = project.locald(["up", "-f"]).stream();
    follow.find_text("is up");
    project.open("gate");
    follow.find_text("tick go");
    let pid = project.service("w").pid();
    follow.signal(Signal::SIGINT);
    assert!(follow.end().success());
    assert_eq!(project.service("w").pid(), pid);
}

#[test]
fn without_waiting_it_returns_before_anything_is_healthy() {
    let home = Home::new();
    let api = svc(["gate=gate", "listen", "forever"]);
    let project = home.project("shop", &format!("[services.api]\n{api}\n"));
    project.gate("gate");
    project.locald(["up", "--no-wait"]).ok();
    assert_ne!(project.service("api").state(), "healthy");
    project.open("gate");
    project.locald(["wait", "api", "--timeout", "60s"]).ok();
    assert_eq!(project.service("api").state(), "healthy");
}

#[test]
fn an_unknown_service_is_bad_usage_and_a_near_one_is_suggested() {
    let home = Home::new();
    let project =
        home.project("shop", "[services.worker]\ntype = \"worker\"\ncommand = \"sleep 1000\"\n");
    let output = project.locald(["up", "wroker"]).fails(2).and_clearly();
    output.complains("wroker").complains("worker");
    assert_eq!(home.processes(), [], "nothing was started for that");
}

#[test]
fn down_stops_and_forgets() {
    let home = Home::new();
    let web = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{web}\n"));
    project.up();
    let pid = project.service("web").pid();
    project.locald(["down"]).ok();
    assert!(!kernel::is_alive(pid));
    assert_eq!(home.status().projects().len(), 0);
    project.locald(["down"]).ok();
}

#[test]
fn two_projects_of_one_name_do_not_take_each_other_over() {
    let home = Home::new();
    let worker = "[services.w]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n";
    let one = home.project("shop", worker);
    one.up();
    let pid = one.service("w").pid();
    let text = format!("[project]\nname = \"shop\"\n{worker}");
    let two = home.folder("copy").with("locald.toml", text);
    let up = two.locald(["up"]).fails(4).and_clearly();
    up.complains("shop").complains(one.dir().to_str().expect("a plain path"));
    // The same domain is no better.
    two.write(
        "locald.toml",
        format!("[project]\nname = \"other\"\ndomain = \"shop.localhost\"\n{worker}"),
    );
    two.locald(["up"]).fails(4).and_clearly().complains("shop.localhost");
    assert_eq!(one.service("w").pid(), pid);
    assert_eq!(home.status().projects().len(), 1);
    one.locald(["down"]).ok();
    two.up();
}

#[test]
fn a_project_can_change_its_name() {
    let home = Home::new();
    let worker = "[services.w]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n";
    let project = home.project("old", worker);
    project.up();
    let pid = project.service("w").pid();
    project.write("locald.toml", format!("[project]\nname = \"new\"\n{worker}"));
    project.up();
    assert!(!kernel::is_alive(pid), "nobody could stop it by its old name");
    let names: Vec<_> = home.status().projects().iter().map(|p| p.0["name"].clone()).collect();
    assert_eq!(names, ["new"]);
    assert_eq!(project.service("w").state(), "healthy");
}

#[test]
fn an_edit_counts_for_a_restart_and_a_broken_one_stops_nothing() {
    let home = Home::new();
    let text = |mark: &str| {
        format!(
            "[project]\nname = \"shop\"\n[services.w]\ntype = \"worker\"\n\
             command = \"echo $MARK; exec sleep 1000\"\nenv = {{ MARK = \"{mark}\" }}\n"
        )
    };
    let project = home.folder("shop").with("locald.toml", text("one"));
    project.up();
    project.write("locald.toml", text("two"));
    project.locald(["restart", "w"]).ok();
    // The edit applies itself as well, before or after the command.
    let mut lives = project.log("w");
    lives.dedup();
    assert_eq!(lives, ["one", "two"]);
    let pid = project.service("w").pid();
    project.write("locald.toml", "[project\n");
    project.locald(["restart", "w"]).fails(4).and_clearly();
    assert_eq!(project.service("w").pid(), pid);
}
