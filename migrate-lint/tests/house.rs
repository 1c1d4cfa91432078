//! This workspace under its own lint: nothing that fails, nothing stale, and
//! of each example exactly what it says of itself.
//!
//! An example opens with a line `What cargo migrate-lint says of it: nothing.`
//! or with a list of `2 detached_spawn allowed`, `1 leaky_await found` and
//! `1 detached_spawn unknown`, separated by commas.

mod common;

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const CLAIM: &str = "//! What `cargo migrate-lint` says of it: ";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace")
}

/// The root files of all examples, by name.
fn examples() -> BTreeMap<String, PathBuf> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let members = manifest["workspace"]["members"].as_array().expect("members");
    let dirs = members.iter().filter_map(toml::Value::as_str).chain([""]);
    let mut found = BTreeMap::new();
    for entry in dirs.flat_map(|dir| fs::read_dir(root().join(dir).join("examples")).into_iter().flatten()) {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_string();
        if path.extension().is_some_and(|e| e == "rs") {
            found.insert(name, path);
        } else if path.join("main.rs").exists() {
            found.insert(name, path.join("main.rs"));
        }
    }
    found
}

/// What an entry of a list says of an example: how many of which rule, and in
/// what way.
fn said(document: &Value, example: &str) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (list, way) in [("findings", "found"), ("unknowns", "unknown"), ("set_aside", "allowed")] {
        for entry in document[list].as_array().expect("a list") {
            let targets = entry["targets"].as_array().expect("targets");
            if targets.iter().any(|t| t["kind"] == "example" && t["name"] == example) {
                let rule = entry["rule"].as_str().expect("a rule");
                *counts.entry(format!("{rule} {way}")).or_default() += 1;
            }
        }
    }
    counts.into_iter().map(|(what, n)| format!("{n} {what}")).collect()
}

#[test]
fn the_workspace_is_clean_and_its_examples_say_what_they_are() {
    let ran = common::ran(
        common::lint().current_dir(root()).args(["--strict", "--format", "json"]).output().expect("runs"),
    );
    assert_eq!(ran.status, 0, "cargo migrate-lint --strict: {}{}", ran.out, ran.err);
    let document: Value = serde_json::from_str(&ran.out).expect("JSON");
    let mut wrong = Vec::new();
    let examples = examples();
    assert!(examples.contains_key("server") && examples.contains_key("drain"), "{examples:?}");
    for (name, path) in examples {
        let text = fs::read_to_string(&path).expect("an example");
        let claim = text.lines().find_map(|line| line.strip_prefix(CLAIM)).unwrap_or("(no such line)");
        let said = match said(&document, &name) {
            said if said.is_empty() => "nothing.".to_string(),
            said => format!("{}.", said.join(", ")),
        };
        if claim != said {
            wrong.push(format!("{}: wants {CLAIM}{said}\n  but has {claim}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
