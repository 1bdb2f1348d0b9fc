//! The pure part of a start: reading a configuration, and deciding who starts when.

use std::{fmt::Write as _, time::Duration};

use divan::{Bencher, black_box};
use locald::{
    core::{config::parse_toml, diagnostic::SourceFile, plan::Plan, ports::LeaseBook},
    supervision::{
        budget::Limit,
        engine::{Effect, Engine, Exit, Input, Policy, Restart},
        graph::{Bond, Edge, Graph, Id, Needs},
    },
};

/// Fully joined layers: (layers, services in each).
const SHAPES: [(usize, usize); 3] = [(10, 10), (10, 50), (10, 100)];

fn main() {
    divan::main();
}

#[divan::bench(args = SHAPES)]
fn parse_check_and_plan(bencher: Bencher<'_, '_>, shape: (usize, usize)) {
    let source = SourceFile { path: "locald.toml".into(), text: configuration(shape) };
    bencher.bench(|| Plan::of(&parse_toml(black_box(&source), "bench").expect("it is valid")));
}

#[divan::bench(args = SHAPES)]
fn start_all_and_stop_all(bencher: Bencher<'_, '_>, shape: (usize, usize)) {
    let graph = graph(shape);
    bencher.with_inputs(|| Engine::new(graph.clone(), |_| POLICY)).bench_values(|mut engine| {
        let all = engine.graph().ids().to_vec();
        let mut ready = starts(engine.step(Duration::ZERO, Input::Start(all.clone())));
        while let Some((id, life)) = ready.pop() {
            ready.extend(starts(engine.step(Duration::ZERO, Input::Ready(id, life))));
        }
        let mut told = stops(engine.step(Duration::ZERO, Input::Stop(all)));
        while let Some((id, life)) = told.pop() {
            let gone = Input::Exited(id, life, Exit::Success);
            told.extend(stops(engine.step(Duration::ZERO, gone)));
        }
        engine
    });
}

#[divan::bench(args = [100, 1_000])]
fn lease_ports(services: usize) -> LeaseBook {
    let mut book = LeaseBook::seeded(7);
    let project = locald::core::id::ProjectName::parse("bench").expect("a name");
    for at in 0..services {
        let service = locald::core::id::ServiceName::parse(&format!("s{at}")).expect("a name");
        let range = 10_240..=32_767;
        let port =
            book.lease(&project, &service, range, &std::collections::HashSet::new(), |_| true);
        black_box(port);
    }
    book
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

fn starts(effects: Vec<Effect>) -> Vec<(Id, u64)> {
    let start = |effect| if let Effect::Start(id, life) = effect { Some((id, life)) } else { None };
    effects.into_iter().filter_map(start).collect()
}

fn stops(effects: Vec<Effect>) -> Vec<(Id, u64)> {
    let stop = |effect| if let Effect::Stop(id, life) = effect { Some((id, life)) } else { None };
    effects.into_iter().filter_map(stop).collect()
}

fn edges((layers, width): (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
    (1..layers).flat_map(move |layer| {
        let above = (layer - 1) * width;
        (0..width).flat_map(move |k| (0..width).map(move |j| (layer * width + k, above + j)))
    })
}

fn graph(shape: (usize, usize)) -> Graph {
    let id = |at: usize| Id::from(format!("s{at}"));
    let edge = Edge { needs: Needs::Ready, bond: Bond::Crash };
    let edges = edges(shape).map(|(from, to)| (id(from), id(to), edge));
    Graph::new((0..shape.0 * shape.1).map(id), edges).expect("layers have no cycle")
}

fn configuration(shape: (usize, usize)) -> String {
    let mut text = "[project]\nname = \"bench\"\n".to_owned();
    let mut needs = vec![Vec::new(); shape.0 * shape.1];
    for (from, to) in edges(shape) {
        needs[from].push(format!("\"s{to}\""));
    }
    for (at, needs) in needs.iter().enumerate() {
        let needs = needs.join(", ");
        write!(text, "\n[services.s{at}]\ncommand = \"serve\"\ndepends_on = [{needs}]\n")
            .expect("a string has room");
    }
    text
}
