//! As much of JSON Schema (draft 4) as the schema of SARIF uses. What it does
//! not know it panics at, so that no constraint is passed over.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// All that `document` does against `schema`, each with its place.
pub(crate) fn objections(schema: &Value, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, document, "", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let schema = schema.as_object().expect("a schema is an object");
    let mut object = |problem: String| found.push(format!("{at}: {problem}"));
    for (keyword, rule) in schema {
        match (keyword.as_str(), value) {
            ("$schema" | "id" | "title" | "description" | "default" | "definitions", _) => {}
            ("$ref" | "anyOf" | "oneOf" | "properties" | "additionalProperties" | "items", _) => {}
            ("type", _) => {
                let is = match rule.as_str().expect("one type") {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "number" => value.is_number(),
                    other => panic!("type {other}"),
                };
                if !is {
                    object(format!("{value} is no {rule}"));
                }
            }
            ("enum", _) => {
                if !rule.as_array().expect("a list").contains(value) {
                    object(format!("{value} is none of {rule}"));
                }
            }
            ("required", Value::Object(map)) => {
                for name in rule.as_array().expect("a list").iter().filter_map(Value::as_str) {
                    if !map.contains_key(name) {
                        object(format!("`{name}` is missing"));
                    }
                }
            }
            ("minimum", Value::Number(n)) => {
                if n.as_f64() < rule.as_f64() {
                    object(format!("{n} is below {rule}"));
                }
            }
            ("maximum", Value::Number(n)) => {
                if n.as_f64() > rule.as_f64() {
                    object(format!("{n} is above {rule}"));
                }
            }
            ("minItems", Value::Array(list)) => {
                if (list.len() as u64) < rule.as_u64().expect("a number") {
                    object(format!("{} items are too few", list.len()));
                }
            }
            ("uniqueItems", Value::Array(list)) => {
                let texts: std::collections::BTreeSet<String> = list.iter().map(Value::to_string).collect();
                if rule == true && texts.len() < list.len() {
                    object("items that are the same".into());
                }
            }
            ("pattern", Value::String(text)) => {
                if !matches(rule.as_str().expect("a pattern"), text) {
                    object(format!("{text:?} does not match {rule}"));
                }
            }
            ("format", Value::String(text)) => {
                if !is_of_format(rule.as_str().expect("a format"), text) {
                    object(format!("{text:?} is no {rule}"));
                }
            }
            ("required" | "minimum" | "maximum" | "minItems" | "uniqueItems" | "pattern" | "format", _) => {}
            (other, _) => panic!("keyword {other}"),
        }
    }
    if let Some(name) = schema.get("$ref") {
        let name =
            name.as_str().and_then(|name| name.strip_prefix("#/definitions/")).expect("a local reference");
        check(root, &root["definitions"][name], value, at, found);
    }
    for (keyword, is_enough) in [("anyOf", (|n| n > 0) as fn(usize) -> bool), ("oneOf", |n| n == 1)] {
        if let Some(choices) = schema.get(keyword) {
            let fits = |choice: &&Value| {
                let mut inner = Vec::new();
                check(root, choice, value, at, &mut inner);
                inner.is_empty()
            };
            let n = choices.as_array().expect("a list").iter().filter(fits).count();
            if !is_enough(n) {
                found.push(format!("{at}: {n} of {keyword}"));
            }
        }
    }
    match value {
        Value::Object(map) => members(root, schema, map, at, found),
        Value::Array(list) => {
            if let Some(items) = schema.get("items") {
                for (i, item) in list.iter().enumerate() {
                    check(root, items, item, &format!("{at}/{i}"), found);
                }
            }
        }
        _ => {}
    }
}

fn members(
    root: &Value,
    schema: &Map<String, Value>,
    map: &Map<String, Value>,
    at: &str,
    found: &mut Vec<String>,
) {
    let known: BTreeMap<&String, &Value> =
        schema.get("properties").and_then(Value::as_object).into_iter().flatten().collect();
    for (name, value) in map {
        let at = format!("{at}/{name}");
        match (known.get(name), schema.get("additionalProperties")) {
            (Some(schema), _) => check(root, schema, value, &at, found),
            (None, Some(Value::Bool(false))) => found.push(format!("{at}: not known")),
            (None, Some(schema @ Value::Object(_))) => check(root, schema, value, &at, found),
            (None, _) => {}
        }
    }
}

/// The patterns of the schema, read by hand.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "[^/]+/.+" => text.find('/').is_some_and(|at| at > 0 && at + 1 < text.len()),
        "[0-9]+(\\.[0-9]+){3}" => text.split('.').filter(|part| part.parse::<u64>().is_ok()).count() >= 4,
        "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$" => text.len() >= 2 && text.is_char_boundary(2),
        guid if guid.starts_with("^[0-9a-fA-F]{8}-") => text.len() == 36 && text.matches('-').count() == 4,
        other => panic!("pattern {other}"),
    }
}

fn is_of_format(format: &str, text: &str) -> bool {
    let is_plain = text.bytes().all(|c| c.is_ascii_graphic() && !br#"<>"\^`{|}"#.contains(&c));
    let escapes = text.split('%').skip(1);
    let are_whole =
        escapes.map(|rest| rest.get(..2)).all(|hex| hex.is_some_and(|h| u8::from_str_radix(h, 16).is_ok()));
    let has_scheme = text.split(['/', '?', '#']).next().is_some_and(|first| first.contains(':'));
    match format {
        "uri" => is_plain && are_whole && has_scheme,
        "uri-reference" => is_plain && are_whole,
        "date-time" => text.len() >= 20 && text.contains('T'),
        other => panic!("format {other}"),
    }
}
