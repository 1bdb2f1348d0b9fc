//! What people see for right and wrong configurations.

mod any_text;
mod cross;
mod good;
mod kinds;
mod large;
mod procfile;
mod schema;
mod values;

use std::fmt::Write as _;

use super::{Config, parse_toml};
use crate::core::{
    diagnostic::{Diagnostic, SourceFile},
    plan::Plan,
};

const SHOP: &str = "[project]\nname = 'shop'\n";

fn parse(text: &str) -> Result<Config, Vec<Diagnostic>> {
    parse_toml(&source(text), "My Folder")
}

fn source(text: &str) -> SourceFile {
    SourceFile { path: "locald.toml".into(), text: text.to_owned() }
}

/// The plan of a configuration that is valid behind a `[project]`.
fn plan(rest: &str) -> Plan {
    let text = format!("{SHOP}{rest}");
    match parse(&text) {
        Ok(config) => Plan::of(&config),
        Err(found) => panic!("{}", draw(&text, &found)),
    }
}

/// All errors of a configuration behind a `[project]`, drawn.
fn errors(rest: &str) -> String {
    all_errors(&format!("{SHOP}{rest}"))
}

fn all_errors(text: &str) -> String {
    let found = parse(text).expect_err("the configuration has errors");
    draw(text, &found)
}

/// Each error as its message, its first label's line underlined, further labels, and its help.
fn draw(text: &str, found: &[Diagnostic]) -> String {
    let source = source(text);
    let mut drawn = String::new();
    for wrong in found {
        writeln!(drawn, "{}", wrong.message).unwrap();
        for label in &wrong.labels {
            let (line, column) = source.line_column(label.range.start);
            let excerpt = text.lines().nth(line - 1).unwrap_or_default();
            let marked = text[label.range.clone()].lines().next().unwrap_or_default();
            let marks = "^".repeat(marked.chars().count().max(1));
            let note = &label.text;
            writeln!(drawn, "  {excerpt}\n  {:>column$}{} {note}", "^", &marks[1..]).unwrap();
        }
        if let Some(help) = &wrong.help {
            writeln!(drawn, "  help: {help}").unwrap();
        }
    }
    drawn.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
