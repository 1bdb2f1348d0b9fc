//! `actors.md`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

use crate::{
    read,
    support::{Home, svc},
};

/// A section of the page.
#[derive(Debug, Default)]
struct Section {
    file: String,
    below: String,
    strategy: String,
    calls: BTreeSet<String>,
    casts: BTreeSet<String>,
    /// Message, meaning, rate.
    messages: Vec<[String; 3]>,
}

fn sections() -> BTreeMap<String, Section> {
    let page = read("actors.md");
    let mut found = BTreeMap::new();
    for text in page.split("\n## `").skip(1) {
        let (name, text) = text.split_once("`\n").expect("a heading is a name");
        let line = |label: &str| {
            let start = format!("* {label}: ");
            let line = text.lines().find_map(|line| line.strip_prefix(start.as_str()));
            line.unwrap_or_else(|| panic!("{name} has no line {start:?}")).to_owned()
        };
        let names = |label: &str| ticked(&line(label));
        let rows = text.lines().filter(|line| line.starts_with("| `"));
        let cells = |row: &str| {
            let cells: Vec<String> =
                row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
            let [message, meaning, rate] = <[String; 3]>::try_from(cells)
                .unwrap_or_else(|row| panic!("{name}: three cells in {row:?}"));
            [message.trim_matches('`').to_owned(), meaning, rate]
        };
        let section = Section {
            file: line("File").trim_matches('`').to_owned(),
            below: line("Below").trim_matches('`').to_owned(),
            strategy: line("Strategy"),
            calls: names("Calls"),
            casts: names("Casts"),
            messages: rows.map(cells).collect(),
        };
        found.insert(name.to_owned(), section);
    }
    assert!(found.len() > 5, "the sections have not been found");
    found
}

/// What stands between backticks.
fn ticked(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The files with an actor in them.
fn actor_files() -> Vec<String> {
    let mut found = vec!["src/supervision/supervisor.rs".to_owned()];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/actors");
    for entry in fs::read_dir(folder).expect("there are actors") {
        let name = entry.expect("it is there").file_name().into_string().expect("a plain name");
        let path = format!("src/actors/{name}");
        let is_file = Path::new(&path).extension().is_some_and(|end| end == "rs");
        if is_file && read(&path).contains("impl Actor for ") {
            found.push(path);
        }
    }
    found
}

/// The variants of `enum Msg`, each with its doc comment.
fn messages(path: &str) -> Vec<(String, String)> {
    let text = read(path);
    if text.contains("pub enum Msg {}") {
        return Vec::new();
    }
    let (_, body) = text.split_once("pub enum Msg {\n").expect("an actor has messages");
    let (body, _) = body.split_once("\n}").expect("it ends");
    let mut doc = String::new();
    let mut found = Vec::new();
    for line in body.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("///") {
            doc += words;
        } else if line.starts_with(char::is_uppercase) {
            let end = line.find(|c: char| !c.is_alphanumeric()).unwrap_or(line.len());
            found.push((line[..end].to_owned(), std::mem::take(&mut doc)));
        }
    }
    found
}

#[test]
fn every_actor_has_a_section_and_every_section_an_actor() {
    let sections = sections();
    let told: BTreeSet<&str> = sections.values().map(|section| section.file.as_str()).collect();
    let files = actor_files();
    let there: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(told, there);
}

#[test]
fn every_message_is_told_with_a_bound_on_its_rate() {
    for (name, section) in sections() {
        let code = messages(&section.file);
        let code_names: BTreeSet<&str> = code.iter().map(|(name, _)| name.as_str()).collect();
        let told: BTreeSet<&str> =
            section.messages.iter().map(|[message, _, _]| message.as_str()).collect();
        assert_eq!(told, code_names, "the messages of {name} in {}", section.file);
        for (message, doc) in &code {
            assert!(!doc.trim().is_empty(), "{name}: {message} has no doc line");
        }
        for [message, meaning, rate] in &section.messages {
            assert!(meaning.len() > 5, "{name}: {message} means something");
            let bounded = ["one per", "per life", "per birth", "at most", "a few per"];
            assert!(
                bounded.iter().any(|words| rate.contains(words)),
                "{name}: {message} has no bound on its rate: {rate}"
            );
        }
    }
}

/// A field that holds an address, and whose.
const ADDRESSES: [(&str, &str); 5] = [
    ("state_store", "state-store"),
    ("ports", "port-allocator"),
    ("logs", "log-store"),
    ("projects", "projects"),
    ("address", "project:NAME"),
];

/// The verbs on the address of an actor: those that wait for an answer, and those that do not.
fn verbs(path: &str) -> (Vec<String>, Vec<String>) {
    let text = read(path);
    let (mut calls, mut casts) = (Vec::new(), Vec::new());
    let Some((_, body)) = text.split_once("impl Address<Msg> {\n") else { return (calls, casts) };
    let (body, _) = body.split_once("\n}\n").expect("it ends");
    for line in body.lines().map(str::trim) {
        let name = |rest: &str| rest.split(['(', '<']).next().unwrap_or("").to_owned();
        if let Some(rest) = line.strip_prefix("pub async fn ") {
            calls.push(name(rest));
        } else if let Some(rest) = line.strip_prefix("pub fn ") {
            casts.push(name(rest));
        }
    }
    (calls, casts)
}

/// All code of an actor, without blanks: its file and those below its folder.
fn code_of(path: &str) -> String {
    fn below(dir: &Path, text: &mut String) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                below(&entry.path(), text);
            } else {
                *text += &fs::read_to_string(entry.path()).expect("it is text");
            }
        }
    }
    let mut text = read(path);
    below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(path.trim_end_matches(".rs")), &mut text);
    text.split_whitespace().collect()
}

#[test]
fn who_talks_to_whom_is_as_in_the_code() {
    let sections = sections();
    for (name, section) in &sections {
        let code = code_of(&section.file);
        let (mut calls, mut casts) = (BTreeSet::new(), BTreeSet::new());
        for (field, other) in ADDRESSES {
            let (ask, tell) = verbs(&sections[other].file);
            let says = |verb: &String| {
                [format!(".{field}.{verb}("), format!("{field}.clone().{verb}(")]
                    .iter()
                    .any(|text| code.contains(text.as_str()))
            };
            if ask.iter().any(says) {
                calls.insert(other.to_owned());
            }
            if tell.iter().any(says) {
                casts.insert(other.to_owned());
            }
        }
        assert_eq!(section.calls, calls, "whom {name} asks");
        assert_eq!(section.casts, casts, "whom {name} tells");
    }
}

#[test]
fn nobody_waits_for_an_answer_in_a_circle() {
    let sections = sections();
    // A supervisor awaits nobody but what its children are asked by others: only calls count.
    let mut done: BTreeSet<&str> = BTreeSet::new();
    loop {
        let free: Vec<&str> = sections
            .iter()
            .filter(|(name, _)| !done.contains(name.as_str()))
            .filter(|(_, section)| section.calls.iter().all(|to| done.contains(to.as_str())))
            .map(|(name, _)| name.as_str())
            .collect();
        if free.is_empty() {
            break;
        }
        done.extend(free);
    }
    let stuck: Vec<&String> =
        sections.keys().filter(|name| !done.contains(name.as_str())).collect();
    assert!(stuck.is_empty(), "these ask each other in a circle: {stuck:?}");
    for (name, section) in &sections {
        assert!(!section.calls.contains(&section.below), "{name} asks its supervisor");
    }
}

/// The kinds of nodes, each with the kind above it and its strategy.
fn living(node: &Value, above: &str, found: &mut BTreeMap<String, BTreeSet<(String, String)>>) {
    let name = node["name"].as_str().expect("a name");
    let name = match name.split_once(':') {
        Some((kind, _)) => format!("{kind}:NAME"),
        None => name.to_owned(),
    };
    let strategy = node["strategy"].as_str().unwrap_or("–").to_owned();
    let kind = if node["strategy"].is_null() { "worker" } else { "supervisor" };
    assert_eq!(node["kind"], kind, "{name}");
    found.entry(name.clone()).or_default().insert((above.to_owned(), strategy));
    for child in node["children"].as_array().expect("a list") {
        living(child, &name, found);
    }
}

#[test]
fn the_live_tree_is_the_told_one() {
    let home = Home::new();
    let services = format!("[services.web]\n{}\n", svc(["listen", "forever"]));
    let mut found = BTreeMap::new();
    let strategies = ["one_for_one", "rest_for_one", "one_for_all"];
    for strategy in strategies {
        let head = format!("strategy = \"{strategy}\"\non_event = \"cat\"");
        home.project_with(&strategy.replace('_', "-"), &head, &services).up();
    }
    let tree = home.locald(["tree", "--all", "--json"]).ok().json();
    living(&tree, "the process", &mut found);
    let sections = sections();
    let told: BTreeSet<&String> = sections.keys().collect();
    assert_eq!(told, found.keys().collect());
    for (name, places) in &found {
        let section = &sections[name];
        let wanted: BTreeSet<(String, String)> = match section.strategy.as_str() {
            "one_for_one, rest_for_one or one_for_all" => {
                strategies.map(|strategy| (section.below.clone(), strategy.to_owned())).into()
            }
            one => [(section.below.clone(), one.to_owned())].into(),
        };
        assert_eq!(*places, wanted, "{name}");
    }
}

#[test]
fn the_drawing_has_all_of_them() {
    let page = read("actors.md");
    let drawing = page.split("```").nth(1).expect("there is a drawing");
    for name in sections().keys() {
        let drawn = drawing.lines().any(|line| {
            line.trim_start_matches(['│', '├', '└', '─', ' ']).split(' ').next() == Some(name)
        });
        assert!(drawn, "{name} is not drawn");
    }
}
