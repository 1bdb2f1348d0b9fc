//! The JSON Schema of `locald.toml`, made from the table of keys.

use serde_json::{Map, Value, json};

use super::keys::{self, Key, Shape};

/// `500ms`, `5s`, `1h30m`, or a number of seconds.
const DURATION: &str = r"^\s*([0-9]+(\.[0-9]+)?\s*(ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?)\s*)+$|^[0-9]+(\.[0-9]+)?$";
/// `10MB`, `512 KiB`.
const SIZE: &str = r"^[0-9]+(\.[0-9]+)?\s*([KMG]i?)?B?$";

/// The JSON Schema of `locald.toml`.
pub fn json_schema() -> Value {
    let mut schema = table(keys::ROOT);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("locald.toml");
    schema["description"] = json!("A project of locald: what is run, and how it is supervised.");
    schema
}

fn table(keys: &[Key]) -> Value {
    let mut properties = Map::new();
    for key in keys {
        let mut value = shape(&key.shape);
        value["description"] = json!(key.doc);
        properties.insert(key.name.to_owned(), value);
    }
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    let required: Vec<_> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn shape(of: &Shape) -> Value {
    match of {
        Shape::Text => json!({"type": "string"}),
        Shape::Pattern(pattern) => json!({"type": "string", "pattern": pattern}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Just(flag) => json!({"const": flag}),
        Shape::Whole(least, most) => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Shape::Number(least, most) => json!({"type": "number", "minimum": least, "maximum": most}),
        Shape::Duration => text_or_number(DURATION),
        Shape::Size => text_or_number(SIZE),
        Shape::OneOf(words) => json!({"enum": words}),
        Shape::List(element) => json!({"type": "array", "items": shape(element)}),
        Shape::Table(keys) => table(keys),
        Shape::Map(pattern, value) => json!({
            "type": "object",
            "additionalProperties": false,
            "patternProperties": {*pattern: shape(value)},
        }),
        Shape::Either(shapes) => {
            let shapes: Vec<_> = shapes.iter().map(shape).collect();
            json!({"anyOf": shapes})
        }
    }
}

fn text_or_number(pattern: &str) -> Value {
    json!({"anyOf": [{"type": "string", "pattern": pattern}, {"type": "number", "minimum": 0}]})
}
