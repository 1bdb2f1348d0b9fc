//! `README.md`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    read,
    support::{Home, command::Run},
};

/// The part of the README under a heading, up to the next one of its rank.
fn part(heading: &str) -> String {
    let page = read("README.md");
    let start = format!("\n## {heading}\n");
    let (_, rest) =
        page.split_once(&start).unwrap_or_else(|| panic!("README.md has no {heading:?}"));
    rest.split("\n## ").next().unwrap_or(rest).to_owned()
}

/// The first cell of each row of the tables, without backticks.
fn first_cells(text: &str) -> Vec<String> {
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let cell = |row: &str| row.split('|').nth(1).unwrap_or("").trim().replace('`', "");
    rows.map(cell).collect()
}

/// Every command that `--help` shows, with its flags, as "server logs" → {"--follow", …}.
fn commands(home: &Home, above: &[&str]) -> Vec<(String, BTreeSet<String>)> {
    let help = |path: &[&str]| {
        let run: Run = path.iter().fold(home.locald([]), Run::arg);
        run.arg("--help").ok().stdout
    };
    let text = help(above);
    let Some((_, list)) = text.split_once("Commands:\n") else { return Vec::new() };
    let names = list.lines().take_while(|line| !line.is_empty()).filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        (!name.is_empty() && name != "help").then(|| name.to_owned())
    });
    let mut found = Vec::new();
    for name in names {
        let path: Vec<&str> = above.iter().copied().chain([name.as_str()]).collect();
        let below = commands(home, &path);
        if below.is_empty() {
            let words = help(&path);
            let flags = words
                .split(|c: char| !(c.is_alphanumeric() || c == '-'))
                .filter(|word| word.starts_with("--") && word.len() > 3)
                .filter(|word| !["--help", "--version"].contains(word))
                .map(str::to_owned);
            found.push((path.join(" "), flags.collect()));
        }
        found.extend(below);
    }
    found
}

#[test]
fn the_command_reference_is_that_of_the_program() {
    let home = Home::new();
    let text = part("Commands");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    let real = commands(&home, &[]);
    assert!(real.len() > 15, "{real:?}");
    for (name, flags) in &real {
        let row = rows.iter().find(|row| {
            let cell = row.split('|').nth(1).unwrap_or("").trim().trim_matches('`');
            let words: Vec<&str> =
                cell.split(' ').take_while(|w| w.starts_with(char::is_lowercase)).collect();
            words.join(" ") == *name
        });
        let row = row.unwrap_or_else(|| panic!("README.md does not tell of `locald {name}`"));
        let told: BTreeSet<String> = row
            .split(|c: char| !(c.is_alphanumeric() || c == '-'))
            .filter(|word| word.starts_with("--") && word.len() > 3)
            .map(str::to_owned)
            .collect();
        assert_eq!(told, *flags, "the flags of `locald {name}`");
    }
    assert_eq!(rows.len(), real.len(), "README.md tells of commands that are not there: {rows:#?}");
}

/// The keys below a schema, as "project.name", "services.NAME.command".
fn keys(schema: &Value, root: &Value, above: &str, found: &mut BTreeSet<String>) {
    let schema = match schema["$ref"].as_str() {
        Some(path) => root.pointer(path.trim_start_matches('#')).expect("a reference to something"),
        None => schema,
    };
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        keys(below, root, &path, found);
        found.insert(path);
    }
    for maps in ["additionalProperties", "patternProperties"] {
        let below = &schema[maps];
        if maps == "patternProperties" {
            for below in below.as_object().into_iter().flat_map(|map| map.values()) {
                keys(below, root, &format!("{above}.NAME"), found);
            }
        } else if below.is_object() {
            keys(below, root, &format!("{above}.NAME"), found);
        }
    }
    if schema["items"].is_object() {
        keys(&schema["items"], root, above, found);
    }
    for alternatives in ["anyOf", "oneOf", "allOf"] {
        for below in schema[alternatives].as_array().into_iter().flatten() {
            keys(below, root, above, found);
        }
    }
}

#[test]
fn the_configuration_reference_has_every_key() {
    let home = Home::new();
    let schema = home.locald(["schema"]).ok().json();
    let mut real = BTreeSet::new();
    keys(&schema, &schema, "", &mut real);
    // Tables themselves are headings there.
    let tables = ["project", "services"];
    real.retain(|key| !tables.contains(&key.as_str()));
    let text = part("Configuration");
    let mut told = BTreeSet::new();
    for (table, rows) in [("project", "[project]"), ("services.NAME", "[services.NAME]")] {
        let (_, rest) = text
            .split_once(&format!("\n### `{rows}`\n"))
            .unwrap_or_else(|| panic!("README.md has no table {rows}"));
        let rest = rest.split("\n### ").next().unwrap_or(rest);
        told.extend(first_cells(rest).into_iter().map(|key| format!("{table}.{key}")));
    }
    assert_eq!(told, real);
}

#[test]
fn the_global_configuration_is_told() {
    let text = part("Configuration");
    for key in [
        "http_port",
        "https_port",
        "fallback_ports",
        "redirect_https",
        "hold",
        "tlds",
        "max_size",
        "keep",
    ] {
        assert!(text.contains(key), "{key}");
    }
}

#[test]
fn the_exit_codes_are_told() {
    let text = part("Exit codes");
    for code in ["| `0` |", "| `1` |", "| `2` |", "| `3` |", "| `4` |", "| `5` |"] {
        assert!(text.contains(code), "{code}");
    }
}

#[test]
fn the_first_commands_are_there() {
    let page = read("README.md");
    for command in ["cargo run --release -- -C examples/hello up", "tests/run"] {
        assert!(page.contains(command), "{command}");
    }
}
