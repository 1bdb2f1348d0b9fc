//! Many services, and services that die all the time.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{Home, kernel, svc};

#[test]
fn three_hundred_services_come_up_are_shown_and_stop() {
    let home = Home::new();
    let services = (0..300).fold(String::new(), |text, n| {
        text + &format!("[services.s{n}]\ntype = \"worker\"\ncommand = \"exec sleep 1000\"\n")
    });
    let project = home.project("crowd", &services);
    project.up();
    let status = project.status();
    assert_eq!(status.services().len(), 300);
    assert!(status.services().iter().all(|service| service.state() == "healthy"));
    let tree = project.locald(["tree", "--json"]).ok();
    assert_eq!(tree.stdout.matches("service:").count(), 300);
    let daemon = home.daemon_pid();
    assert!(kernel::stat(daemon).expect("it runs").threads < 100);
    project.locald(["stop"]).ok();
    let ours = [daemon, home.status().heart().expect("there is one")];
    let left: Vec<_> = home.processes().into_iter().filter(|p| !ours.contains(&p.pid)).collect();
    assert_eq!(left, []);
}

/// For as long as `LOCALD_SOAK` says, by default a moment.
#[test]
fn after_random_deaths_everything_is_as_before() {
    let soak = std::env::var("LOCALD_SOAK").unwrap_or_default();
    let seconds = soak.trim_end_matches('s').parse().unwrap_or(2);
    let home = Home::new();
    let listen = svc(["listen", "forever"]);
    let services = (0..8).fold(String::new(), |text, n| {
        let needs = if n > 1 { format!("\"s{}\"", n / 2) } else { String::new() };
        text + &format!(
            "[services.s{n}]\nmax_restarts = 1000000\n\
             backoff = {{ initial = \"1ms\", factor = 1.0, max = \"1ms\" }}\n\
             {listen}\ndepends_on = [{needs}]\n"
        )
    });
    let project = home.project("soak", &services);
    project.up();
    let names = |value: serde_json::Value| value.to_string().matches("\"name\":").count();
    let before = names(project.locald(["tree", "--all", "--json"]).ok().json());
    let daemon = home.daemon_pid();
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut dice = 1_u64;
    while Instant::now() < until {
        // A linear congruence, so that a failure can be repeated.
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let services = project.status().services();
        let victim = &services[usize::try_from(dice >> 33).expect("31 bits") % services.len()];
        if let Some(pid) = victim.maybe_pid() {
            // It may be gone already.
            let _gone = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
    project.until("all are well", |status| {
        // The last victim may be dead and its death not be noticed yet.
        status.services().iter().all(|service| {
            service.state() == "healthy" && service.maybe_pid().is_some_and(kernel::is_alive)
        })
    });
    assert_eq!(home.daemon_pid(), daemon);
    assert_eq!(names(project.locald(["tree", "--all", "--json"]).ok().json()), before);
    let copies: Vec<_> =
        home.processes().into_iter().filter(|p| p.command.contains("testsvc")).collect();
    assert_eq!(copies.len(), 8, "{copies:?}");
    let pids: Vec<i32> = project.status().services().iter().map(|s| s.pid()).collect();
    assert!(copies.iter().all(|copy| pids.contains(&copy.pid)), "{copies:?} {pids:?}");
}
