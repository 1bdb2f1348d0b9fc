use regex::Regex;
use serde_json::{Value, json};

use super::good::FULL;
use crate::core::{
    config::{
        json_schema,
        keys::{self, Key},
    },
    plan::Kind,
};

/// Why a value is not what a schema says; knows the words that our schema uses.
fn violations(schema: &Value, value: &Value, path: &str) -> Vec<String> {
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = choices.iter().any(|choice| violations(choice, value, path).is_empty());
        return if fits { vec![] } else { vec![format!("{path}: no choice fits")] };
    }
    if let Some(words) = schema["enum"].as_array() {
        return if words.contains(value) { vec![] } else { vec![format!("{path}: no such word")] };
    }
    if let Some(only) = schema.get("const") {
        return if only == value { vec![] } else { vec![format!("{path}: not {only}")] };
    }
    let fits = match (schema["type"].as_str().unwrap_or_default(), value) {
        ("string", Value::String(text)) => match schema["pattern"].as_str() {
            Some(pattern) => Regex::new(pattern).unwrap().is_match(text),
            None => true,
        },
        ("integer" | "number", Value::Number(number)) => {
            let number = number.as_f64().unwrap();
            schema["minimum"].as_f64().is_none_or(|least| number >= least)
                && schema["maximum"].as_f64().is_none_or(|most| number <= most)
        }
        ("boolean", Value::Bool(_)) => true,
        ("array", Value::Array(items)) => {
            return items.iter().flat_map(|v| violations(&schema["items"], v, path)).collect();
        }
        ("object", Value::Object(_)) => return table_violations(schema, value, path),
        _ => false,
    };
    if fits { vec![] } else { vec![format!("{path}: {value} is not of {schema}")] }
}

fn table_violations(schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    for key in schema["required"].as_array().into_iter().flatten() {
        if value.get(key.as_str().unwrap()).is_none() {
            found.push(format!("{path}: no {key}"));
        }
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        let patterns = schema["patternProperties"].as_object().into_iter().flatten();
        let by_pattern = patterns
            .filter(|(pattern, _)| Regex::new(pattern).unwrap().is_match(key))
            .map(|(_, schema)| schema);
        match schema["properties"].get(key).into_iter().chain(by_pattern).next() {
            Some(schema) => found.extend(violations(schema, value, &path)),
            None => found.push(format!("{path}: unknown key")),
        }
    }
    found
}

fn check(text: &str) -> Vec<String> {
    let value: Value = toml::from_str(text).unwrap();
    violations(&json_schema(), &value, "")
}

#[test]
fn the_documented_file_fits_the_schema() {
    assert_eq!(check(FULL), [""; 0]);
    assert_eq!(
        check("[project]\nname='x'\n[services.w]\ncommand=['x']\nport=false\nstop_timeout=2"),
        [""; 0]
    );
}

#[test]
fn what_the_parser_refuses_the_schema_refuses() {
    for bad in [
        "",
        "[project]",
        "[project]\nname = 'X'",
        "[project]\nname = 'x'\ndomain = 'x'",
        "[project]\nname = 'x'\nstrategy = 'y'",
        "[project]\nname = 'x'\n[services.web]\ncomand = 'x'",
        "[project]\nname = 'x'\n[services.Web]\ncommand = 'x'",
        "[project]\nname = 'x'\n[services.web]\ncommand = 1",
        "[project]\nname = 'x'\n[services.web]\nport = 0",
        "[project]\nname = 'x'\n[services.web]\nport = true",
        "[project]\nname = 'x'\n[services.web]\nstop_timeout = '5x'",
        "[project]\nname = 'x'\n[services.web]\ndepends_on = [{ bond = 'loose' }]",
        "[project]\nname = 'x'\n[services.web]\nenv = { A = 1 }",
        "[project]\nname = 'x'\n[services.web]\nhealth_check = { status = 1 }",
    ] {
        assert!(!check(bad).is_empty(), "{bad}");
        assert!(super::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn every_key_is_documented_and_in_the_schema() {
    let schema = json_schema();
    let service = &schema["properties"]["services"]["patternProperties"][keys::NAME];
    let dependency = &service["properties"]["depends_on"]["items"]["anyOf"][1];
    let tables: [(&[Key], &Value); 6] = [
        (keys::ROOT, &schema),
        (keys::PROJECT, &schema["properties"]["project"]),
        (keys::SERVICE, service),
        (keys::DEPENDENCY, dependency),
        (keys::HEALTH_CHECK, &service["properties"]["health_check"]["anyOf"][1]),
        (keys::BACKOFF, &service["properties"]["backoff"]),
    ];
    for (keys, schema) in tables {
        for key in keys {
            let told = schema["properties"][key.name]["description"].as_str();
            assert!(told.is_some_and(|told| told.ends_with('.')), "{}", key.name);
        }
    }
    assert_eq!(schema["properties"]["project"]["required"], json!(["name"]));
}

#[test]
fn every_key_of_the_table_is_read() {
    // A value that no key takes: each key that is read complains.
    for (table, keys) in [("project", keys::PROJECT), ("services.web", keys::SERVICE)] {
        for key in keys {
            let value =
                if key.name == "command" || key.name == "path" { "1.5" } else { "1979-05-27" };
            let kind = key.kinds.first().copied().unwrap_or(Kind::Exec);
            let text = format!("[project]\nname = 'x'\n[services.web]\ntype = '{kind}'\n");
            let text = if key.name == "type" { text.replace("type = 'exec'\n", "") } else { text };
            let text = if table == "project" {
                format!("[project]\n{} = {value}", key.name)
            } else {
                format!("{text}{} = {value}", key.name)
            };
            let messages: String = super::parse(&text)
                .expect_err("a date is no value of anything")
                .into_iter()
                .map(|wrong| wrong.message + "\n")
                .collect();
            let complaint = format!("`{}` expects ", key.name);
            assert!(messages.contains(&complaint), "{messages}");
        }
    }
}
