//! Ports: assigned, sticky, never to two, and what happens when somebody else has them.

use std::{collections::BTreeSet, net::TcpListener};

use crate::support::{Home, kernel, svc};

/// A port that somebody holds.
fn held() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    (listener, port)
}

#[test]
fn every_service_gets_its_own_and_finds_it_in_its_environment() {
    let home = Home::new();
    let listen = svc(["print-env=PORT", "listen", "forever"]);
    let services = |n: usize| {
        (0..n).fold(String::new(), |text, n| text + &format!("[services.s{n}]\n{listen}\n"))
    };
    let one = home.project("one", &services(10));
    let two = home.project("two", &services(10));
    one.up();
    two.up();
    let mut all = BTreeSet::new();
    for project in [&one, &two] {
        for service in project.status().services() {
            assert!(all.insert(service.port()), "{} has another's port", service.name());
            let log = project.log(service.name());
            assert_eq!(log, [format!("PORT={}", service.port())]);
        }
    }
    assert_eq!(all.len(), 20);
}

#[test]
fn an_assigned_port_survives_restarts_stops_and_the_daemon() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.up();
    let port = project.service("web").port();
    project.locald(["restart", "web"]).ok();
    assert_eq!(project.service("web").port(), port);
    project.locald(["stop"]).ok();
    project.up();
    assert_eq!(project.service("web").port(), port);
    home.stop_daemon();
    project.up();
    assert_eq!(project.service("web").port(), port);
    // With something added before it as well.
    home.stop_daemon();
    project.write(
        "locald.toml",
        format!("[project]\nname = \"shop\"\n[services.new]\n{listen}\n[services.web]\n{listen}\n"),
    );
    project.up();
    assert_eq!(project.service("web").port(), port);
    assert_ne!(project.service("new").port(), port);
}

#[test]
fn an_assigned_port_that_somebody_else_has_taken_is_replaced() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.up();
    let port = project.service("web").port();
    project.locald(["stop"]).ok();
    let _thief = TcpListener::bind(("127.0.0.1", port)).expect("it is free again");
    project.up();
    let web = project.service("web");
    assert_ne!(web.port(), port);
    assert_eq!(crate::support::http::get(web.port(), "/").status, 200);
}

#[test]
fn a_fixed_port_is_used() {
    let home = Home::new();
    let (listener, port) = held();
    drop(listener);
    let project = home.project(
        "shop",
        &format!("[services.web]\nport = {port}\n{}\n", svc(["listen", "forever"])),
    );
    project.up();
    assert_eq!(project.service("web").port(), port);
    assert_eq!(crate::support::http::get(port, "/").status, 200);
}

#[test]
fn a_fixed_port_that_is_taken_fails_at_once_and_names_the_holder() {
    let home = Home::new();
    let (_listener, port) = held();
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\nport = {port}\nmax_restarts = 0\n{}\n",
            svc(["append=born:x", "listen", "forever"])
        ),
    );
    let up = project.locald(["up"]).fails(1).and_clearly();
    let me = std::process::id();
    up.complains(&port.to_string()).complains(&format!("pid {me}"));
    let web = project.service("web");
    assert!(web.reason().contains(&format!("pid {me}")), "{web:?}");
    assert_eq!(project.read("born"), "", "it is not even started");
}

#[test]
fn a_port_that_is_taken_on_ipv6_only_is_taken() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        return crate::support::skip("there is no IPv6 loopback");
    };
    let home = Home::new();
    let port = listener.local_addr().expect("it is bound").port();
    let project = home.project(
        "shop",
        &format!(
            "[services.web]\nport = {port}\nmax_restarts = 0\n{}\n",
            svc(["listen", "forever"])
        ),
    );
    project.locald(["up"]).fails(1).complains(&port.to_string());
}

#[test]
fn two_projects_cannot_have_one_fixed_port() {
    let home = Home::new();
    let (listener, port) = held();
    drop(listener);
    let service = format!("[services.web]\nport = {port}\n{}\n", svc(["listen", "forever"]));
    let one = home.project("one", &service);
    let two = home.project("two", &service);
    one.up();
    let pid = one.service("web").pid();
    let up = two.locald(["up", "--timeout", "20s"]).run().and_clearly();
    assert_ne!(up.code(), 0);
    up.complains(&port.to_string());
    assert_eq!(one.service("web").pid(), pid);
}

#[test]
fn no_port_where_none_is_wanted() {
    let home = Home::new();
    let project = home.project(
        "shop",
        "[services.a]\nport = false\ncommand = \"echo port=$PORT; exec sleep 1000\"\n\
         [services.b]\ntype = \"worker\"\ncommand = \"echo port=$PORT; exec sleep 1000\"\n",
    );
    project.up();
    for name in ["a", "b"] {
        assert!(project.service(name).0["port"].is_null());
        assert_eq!(project.log(name), ["port="]);
    }
}

#[test]
fn down_forgets_ports() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.up();
    let port = project.service("web").port();
    project.locald(["down"]).ok();
    // It is written soon, not at once.
    crate::support::eventually("its port is forgotten", || {
        let state = std::fs::read_to_string(home.state_dir().join("state.json")).expect("kept");
        (!state.contains(&port.to_string())).then_some(())
    });
}

#[test]
fn a_restart_right_after_a_kill_gets_its_port_back() {
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    project.up();
    let port = project.service("web").port();
    for _ in 0..3 {
        // With a connection open, which lingers in the kernel.
        let connection = std::net::TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        let pid = project.service("web").pid();
        kernel::kill(pid, nix::sys::signal::Signal::SIGKILL);
        assert_eq!(project.until_replaced("web", pid).port(), port);
        drop(connection);
    }
}

#[test]
fn a_port_that_the_proxy_cannot_have_is_said_once_and_another_is_in_every_url() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let wanted = taken.local_addr().expect("it is bound").port();
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let other = free.local_addr().expect("it is bound").port();
    drop(free);
    home.write("config/config.toml", format!("[proxy]\nfallback_ports = [{other}, 0]\n"));
    let listen = svc(["listen", "forever"]);
    let project = home.project("shop", &format!("[services.web]\n{listen}\n"));
    let up = || project.locald(["up"]).env("LOCALD_HTTP_PORT", wanted.to_string()).ok();
    let note = format!("HTTP is on port {other}: cannot listen on {wanted}: ");
    let url = format!("http://shop.localhost:{other}");
    up().complains(&note).says(&url);
    let again = up().says(&url);
    assert!(!again.stderr.contains("cannot listen"), "{again}");
    let events = home.locald(["events", "--all"]).ok().stdout;
    assert_eq!(events.matches(&note).count(), 1, "{events}");
}
