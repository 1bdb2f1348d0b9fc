//! The pure part of a reload: an edit of one line in a project of 500 services, from the text of its
//! file to what is to be stopped and started.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
    time::Duration,
};

use divan::{Bencher, black_box};
use locald::{
    core::{
        config::parse_toml,
        diagnostic::SourceFile,
        launch::{Launch, Surroundings, launch},
        plan::Plan,
    },
    supervision::{
        budget::Limit,
        engine::{Effect, Engine, Input, Policy, Restart, Shape},
        graph::{Bond, Edge, Graph, Id, Needs},
    },
};

const SERVICES: usize = 500;

fn main() {
    divan::main();
}

/// All of it.
#[divan::bench]
fn reload_one_of_500(bencher: Bencher<'_, '_>) {
    let caller = caller();
    let before = plan(&text("one"));
    let running = launches(&before, &caller);
    let after = text("two");
    bencher.with_inputs(|| engine(&before)).bench_values(|mut engine| {
        let plan = plan(black_box(&after));
        assert_ne!(plan, before);
        let launches = launches(&plan, &caller);
        let changed = changed(&plan, &launches, &running);
        let effects = reshape(&mut engine, &plan, changed);
        assert_eq!(effects.len(), 1, "one is stopped, and all others go on");
        (engine, effects)
    });
}

#[divan::bench]
fn parse_and_plan(bencher: Bencher<'_, '_>) {
    let text = text("two");
    bencher.bench(|| plan(black_box(&text)));
}

#[divan::bench]
fn resolve_and_compare(bencher: Bencher<'_, '_>) {
    let caller = caller();
    let before = plan(&text("one"));
    let running = launches(&before, &caller);
    let after = plan(&text("two"));
    bencher.bench(|| changed(&after, &launches(black_box(&after), &caller), &running));
}

#[divan::bench]
fn decide(bencher: Bencher<'_, '_>) {
    let before = plan(&text("one"));
    let after = plan(&text("two"));
    let changed = BTreeSet::from([id(SERVICES / 2)]);
    let inputs = || (engine(&before), changed.clone());
    bencher
        .with_inputs(inputs)
        .bench_values(|(mut engine, changed)| reshape(&mut engine, &after, changed));
}

fn id(at: usize) -> Id {
    Id::from(format!("s{at}"))
}

/// Each service needs up to three others; the one in the middle has a mark of its own.
fn text(mark: &str) -> String {
    let mut text = "[project]\nname = \"bench\"\nenv = { RUST_LOG = \"info\" }\n".to_owned();
    for at in 0..SERVICES {
        let needs: Vec<String> = [1, 7, 50]
            .iter()
            .filter(|&&back| back <= at % 60)
            .map(|back| format!("\"s{}\"", at - back))
            .collect();
        let mark = if at == SERVICES / 2 { mark } else { "same" };
        write!(
            text,
            "\n[services.s{at}]\ncommand = \"serve --port $PORT\"\ndepends_on = [{}]\n\
             env = {{ MARK = \"{mark}\", URL = \"${{services.s{at}.url}}\" }}\nwatch = [\"src/s{at}/**\"]\n",
            needs.join(", ")
        )
        .expect("a string has room");
    }
    text
}

fn plan(text: &str) -> Plan {
    let source = SourceFile { path: "locald.toml".into(), text: text.to_owned() };
    Plan::of(&parse_toml(&source, "bench").expect("it is valid"))
}

/// As large as a developer's.
fn caller() -> BTreeMap<String, String> {
    (0..60).map(|at| (format!("VARIABLE_{at}"), "/usr/local/share/value".repeat(2))).collect()
}

fn launches(plan: &Plan, caller: &BTreeMap<String, String>) -> Vec<Launch> {
    let around = Surroundings {
        dir: Path::new("/home/somebody/bench"),
        caller_env: caller,
        files: &|_| None,
        port_of: &|_| Some(20_000),
        public_url: &|name| Some(format!("http://{name}.bench.localhost")),
        password_of: &|_, _| Ok("secret".to_owned()),
        notify_socket: Path::new("/run/notify"),
        locald_exe: Path::new("/proc/self/exe"),
        ca: None,
    };
    let one = |service| launch(plan, service, &around).expect("nothing is missing");
    plan.services.iter().map(one).collect()
}

fn changed(plan: &Plan, launches: &[Launch], running: &[Launch]) -> BTreeSet<Id> {
    let pairs = launches.iter().zip(running).zip(&plan.services);
    let changed = pairs.filter(|((new, old), _)| new != old);
    changed.map(|(_, service)| Id::from(service.name.as_str())).collect()
}

fn graph(plan: &Plan) -> Graph {
    let edge = Edge { needs: Needs::Ready, bond: Bond::Crash };
    let edges = plan.services.iter().flat_map(|service| {
        let from = Id::from(service.name.as_str());
        service.needs.iter().map(move |need| (from.clone(), Id::from(need.on.as_str()), edge))
    });
    let ids = plan.services.iter().map(|service| Id::from(service.name.as_str()));
    Graph::new(ids, edges).expect("it has no cycle")
}

const POLICY: Policy = Policy {
    restart: Restart::Permanent,
    oneshot: false,
    limit: Limit {
        restarts: 6,
        within: Duration::from_mins(1),
        initial: Duration::from_millis(10),
        factor: 4.0,
        max: Duration::from_secs(10),
    },
};

/// Everything runs.
fn engine(plan: &Plan) -> Engine {
    let mut engine = Engine::new(graph(plan), |_| POLICY);
    let all = engine.graph().ids().to_vec();
    let mut todo = engine.step(Duration::ZERO, Input::Start(all));
    while let Some(effect) = todo.pop() {
        if let Effect::Start(id, life) = effect {
            todo.extend(engine.step(Duration::ZERO, Input::Ready(id, life)));
        }
    }
    engine
}

fn reshape(engine: &mut Engine, plan: &Plan, changed: BTreeSet<Id>) -> Vec<Effect> {
    let shape = Shape::new(graph(plan), |_| POLICY, changed);
    engine.step(Duration::ZERO, Input::Reshape(shape))
}
