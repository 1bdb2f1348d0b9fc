//! Everything at once, at random: processes, actors and the daemon are killed, the configuration is
//! edited and commands are given side by side. What is there at the end is what the configuration
//! says, and nothing else.
//!
//! `tests/run --soak SECONDS` runs it longer; `LOCALD_SOAK_SEED` repeats what a seed did.

use std::{
    collections::BTreeSet,
    env,
    fmt::Write as _,
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::support::{Home, Project, http, svc};

/// Of the project, at most.
const SERVICES: usize = 8;

/// `SplitMix64` (Steele, Lea, Flood 2014): any order that can be had again will do.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let sides = u64::try_from(sides).expect("few");
        usize::try_from((z ^ (z >> 31)) % sides).expect("fewer")
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// A configuration: its text, and its services.
fn configuration(dice: &mut Dice) -> (String, BTreeSet<String>) {
    let strategy = dice.pick(&["one_for_one", "rest_for_one", "one_for_all"]);
    let mut text = format!("[project]\nname = \"soak\"\nstrategy = \"{strategy}\"\n");
    text += "max_restarts = 100000\n";
    let there: Vec<usize> = (0..SERVICES).filter(|_| dice.roll(4) > 0).chain([SERVICES]).collect();
    for (at, number) in there.iter().enumerate() {
        let command = match dice.roll(3) {
            0 => svc(["listen", "forever"]),
            1 => svc(["spawn=block=SIGTERM+forever", "listen", "forever"]),
            _ => svc(["listen", "notify=READY=1", "print=line", "forever"]),
        };
        let mut needs = Vec::new();
        for needed in &there[..at] {
            if dice.roll(3) == 0 {
                let bond = dice.pick(&["loose", "crash", "always"]);
                needs.push(format!("{{ service = \"s{needed}\", bond = \"{bond}\" }}"));
            }
        }
        let _infallible = write!(
            text,
            "[services.s{number}]\n{command}\ndepends_on = [{}]\nstop_timeout = \"100ms\"\n\
             backoff = {{ initial = \"1ms\", max = \"20ms\" }}\nenv = {{ SALT = \"{}\" }}\n",
            needs.join(", "),
            dice.roll(2),
        );
    }
    (text, there.iter().map(|number| format!("s{number}")).collect())
}

fn kill_some_process(home: &Home, dice: &mut Dice) {
    let services: Vec<_> =
        home.processes().into_iter().filter(|one| one.command.contains("testsvc")).collect();
    if !services.is_empty() {
        dice.pick(&services).kill();
    }
}

fn strike_some_actor(home: &Home, dice: &mut Dice) {
    let service = format!("projects/project:soak/service:s{}", dice.roll(SERVICES));
    let actor = match dice.roll(11) {
        0 => "infra/state-store".to_owned(),
        1 => "infra/port-allocator".to_owned(),
        2 => "infra/cert-signer".to_owned(),
        3 => "infra/log-store".to_owned(),
        4 => "infra/proxy-router".to_owned(),
        5 => "infra/listener:http".to_owned(),
        6 => "infra/ipc-gateway".to_owned(),
        7 | 8 => service,
        9 => service + "/process",
        _ => service + "/probe",
    };
    // It may not be there just now.
    let body = format!("{{\"actor\":\"{actor}\"}}");
    http::try_daemon(&home.socket(), "POST", "/v1/fault", &body);
}

/// With a heart it comes back; without one nobody would start it again.
fn kill_the_daemon(home: &Home) {
    let output = home.locald(["status", "--all", "--json"]).run();
    if output.code() == 0 {
        let daemon = &output.json()["daemon"];
        let pid = daemon["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
        if let (Some(_), Some(pid)) = (daemon["heart"].as_i64(), pid) {
            let _gone = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// Whatever comes of it, it is one of the exit codes of the contract, and no panic.
fn command(project: &Project<'_>, dice: &mut Dice) {
    let name = format!("s{}", dice.roll(SERVICES));
    let run = match dice.roll(11) {
        0 => project.locald(["status", "--json"]),
        1 => project.locald(["tree", "--all"]),
        2 => project.locald(["logs", "-n", "5"]),
        3 => project.locald(["why", &name]),
        4 => project.locald(["events", "--json"]),
        5 => project.locald(["env", &name]),
        6 => project.locald(["restart", &name]),
        7 => project.locald(["stop", &name]),
        8 => project.locald(["start", &name]),
        9 => project.locald(["wait", &name, "--timeout", "200ms"]),
        _ => project.locald(["up", "--timeout", "300ms"]),
    };
    let output = run.run();
    assert!((0..=5).contains(&output.code()), "{output}");
}

/// What they are, as the kernel names them without their numbers.
fn descriptors(pid: i32) -> Vec<String> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").flatten();
    let links = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    let mut kinds: Vec<String> = links
        .map(|link| {
            link.to_string_lossy().trim_end_matches(|c: char| "]0123456789".contains(c)).into()
        })
        .collect();
    kinds.sort();
    kinds
}

/// The fewest that it has: connections of clients that are gone need a moment to be closed.
fn at_rest(pid: i32) -> Vec<String> {
    let look = |_| {
        thread::sleep(Duration::from_millis(10));
        descriptors(pid)
    };
    (0..50).map(look).min_by_key(Vec::len).expect("fifty looks")
}

fn sockets(home: &Home) -> BTreeSet<String> {
    let entries = fs::read_dir(home.path().join("run")).expect("it is there").flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[test]
fn whatever_happens_the_end_is_what_the_configuration_says() {
    let by_time = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs());
    let seed = number("LOCALD_SOAK_SEED").unwrap_or_else(by_time);
    let seconds = number("LOCALD_SOAK_SECONDS").unwrap_or(8);
    eprintln!("soak: LOCALD_SOAK_SEED={seed} LOCALD_SOAK_SECONDS={seconds}");
    let mut dice = Dice(seed);
    let home = Home::new();
    home.locald(["server", "start"]).env("LOCALD_FAULTS", "100000").ok();
    let project = home.folder("soak").with("locald.toml", configuration(&mut dice).0);
    project.up();
    let until = Instant::now() + Duration::from_secs(seconds);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for beside in 1..=2 {
            let (project, over) = (&project, &over);
            scope.spawn(move || {
                let mut dice = Dice(seed ^ beside);
                while !over.load(Ordering::Relaxed) {
                    command(project, &mut dice);
                }
            });
        }
        while Instant::now() < until {
            match dice.roll(12) {
                0..=4 => kill_some_process(&home, &mut dice),
                5..=8 => strike_some_actor(&home, &mut dice),
                9 => kill_the_daemon(&home),
                _ => project.write("locald.toml", configuration(&mut dice).0),
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    let (text, services) = configuration(&mut dice);
    project.write("locald.toml", text);
    project.up();
    is_as_configured(&home, &project, &services);
}

fn is_as_configured(home: &Home, project: &Project<'_>, services: &BTreeSet<String>) {
    let status = project.status();
    let names: BTreeSet<String> =
        status.services().iter().map(|service| service.name().to_owned()).collect();
    assert_eq!(&names, services);
    assert_eq!(status.state(), "healthy", "{}", status.states());
    let tree = project.locald(["tree", "--json"]).ok().json();
    let shown = tree["children"][0]["children"][0]["children"].as_array().expect("children");
    let shown: BTreeSet<String> = shown
        .iter()
        .filter_map(|node| node["name"].as_str()?.strip_prefix("service:").map(str::to_owned))
        .collect();
    assert_eq!(&shown, services);
    let (used, files) = (at_rest(home.daemon_pid()), sockets(home));
    // A daemon without a past, for comparison.
    home.stop_daemon();
    project.up();
    let (fresh, expected) = (at_rest(home.daemon_pid()), sockets(home));
    assert_eq!(files, expected, "files in run/");
    assert!(
        used.len() <= fresh.len() + 8,
        "{} descriptors where {} are enough: {used:#?} {fresh:#?}",
        used.len(),
        fresh.len()
    );
}
