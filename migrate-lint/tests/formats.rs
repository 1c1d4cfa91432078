//! What programs and services read: SARIF, JSON lines, GitHub annotations.

mod common;
#[path = "common/schema.rs"]
mod schema;

use common::{Dir, run};
use serde_json::Value;

/// Two packages, odd names, a file of two targets, an unknown, a file that does
/// not parse, and one finding each that is suppressed and accepted.
fn repository() -> Dir {
    let dir = Dir::with(
        "
== Cargo.toml
[workspace]
members = [\"a b\", \"日本\"]
== a b/Cargo.toml
[package]
name = \"a\"
version = \"0.1.0\"
[dependencies]
tokio = \"1\"
== a b/src/lib.rs
#[path = \"ü: 1%?#,.rs\"]
mod odd;
pub mod shared;
== a b/src/main.rs
mod shared;
== a b/src/shared.rs
#[cfg(unix)]
pub fn f() { tokio::spawn(one()); tokio::spawn(one()); }
== a b/src/ü: 1%?#,.rs
fn odd() {
    tokio::spawn(async move { \"<&>\" });
    spawn(x());
    // migrate-lint: allow(detached_spawn_finite) until the end
    tokio::spawn(forever());
}
use mystery::*;
== 日本/Cargo.toml
[package]
name = \"b\"
version = \"0.1.0\"
[dependencies]
tokio = \"1\"
== 日本/src/lib.rs
fn old() { tokio::spawn(old()); }
",
    );
    dir.git(&["init", "--quiet"]);
    assert_eq!(dir.run(&["baseline", "日本"]).status, 0);
    // `.git` is the top, the workspace lies below
    dir
}

fn sarif(dir: &Dir, path: &str) -> Value {
    let ran = dir.run(&["--format", "sarif", path]);
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}{}", ran.out, ran.err))
}

fn objections(document: &Value) -> Vec<String> {
    let text = include_str!("schema/sarif-2.1.0-rtm.5.json");
    schema::objections(&serde_json::from_str(text).expect("JSON"), document)
}

#[test]
fn sarif_is_valid() {
    let dir = repository();
    let document = sarif(&dir, ".");
    assert_eq!(objections(&document), [""; 0]);
    assert_eq!(document["runs"][0]["results"].as_array().map(Vec::len), Some(3));
    // also when there is nothing, when something cannot be read, and when nothing could be linted
    for (file, text) in
        [("日本/src/lib.rs", ""), ("a b/src/main.rs", "fn broken("), ("Cargo.toml", "not TOML")]
    {
        dir.write(file, text);
        assert_eq!(objections(&sarif(&dir, ".")), [""; 0], "{file}");
    }
    let failed = sarif(&dir, "nowhere");
    assert_eq!(objections(&failed), [""; 0]);
    assert_eq!(failed["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn the_check_itself_objects() {
    let valid = sarif(&repository(), ".");
    let result = "/runs/0/results/0";
    for (place, value, word) in [
        ("/version", "\"2.0\"", "is none of"),
        ("/runs", "{}", "is no \"array\""),
        (&format!("{result}/level"), "\"deny\"", "is none of"),
        (&format!("{result}/message"), "{}", "of anyOf"),
        (&format!("{result}/ruleIndex"), "-2", "is below"),
        (&format!("{result}/locations/0/physicalLocation/region/startLine"), "0", "is below"),
        (&format!("{result}/locations/0/physicalLocation/artifactLocation/uri"), "\"a b\"", "uri-reference"),
        (&format!("{result}/properties"), "3", "is no \"object\""),
        (&format!("{result}/partialFingerprints"), "{\"a\": 1}", "is no \"string\""),
        ("/runs/0/tool/driver", "{}", "`name` is missing"),
        ("/runs/0/tool", "{\"driver\": {\"name\": \"x\"}, \"more\": 1}", "/more: not known"),
    ] {
        let mut broken = valid.clone();
        *broken.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) =
            serde_json::from_str(value).expect("JSON");
        let found = objections(&broken);
        assert!(found.iter().any(|o| o.contains(word)), "{place}: {found:?}");
    }
}

#[test]
fn sarif_says_where_and_what() {
    let dir = repository();
    let document = sarif(&dir, ".");
    let results = document["runs"][0]["results"].as_array().expect("results");
    let of = |pointer: &str| {
        results.iter().map(|r| r.pointer(pointer).cloned().unwrap_or_default()).collect::<Vec<_>>()
    };
    let place = "/locations/0/physicalLocation";
    // a file of two targets once, and what is set aside not at all
    assert_eq!(
        of(&format!("{place}/artifactLocation/uri")),
        ["a%20b/src/shared.rs", "a%20b/src/shared.rs", "a%20b/src/%C3%BC%3A%201%25%3F%23%2C.rs"]
    );
    assert_eq!(of(&format!("{place}/region/startLine")), [2, 2, 2]);
    assert_eq!(of(&format!("{place}/region/startColumn")), [14, 35, 5]);
    assert_eq!(of("/locations/0/logicalLocations/0/fullyQualifiedName"), ["f", "f", "odd"]);
    assert_eq!(of("/properties/targets")[0], serde_json::json!(["a lib a", "a bin a"]));
    assert_eq!(of("/properties/cfg")[0], serde_json::json!(["unix"]));
    assert!(results.iter().all(|r| r["locations"].as_array().is_some_and(|l| l.len() == 1)));
    // an unknown is no result
    let notes = &document["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(notes[0]["associatedRule"]["id"], "detached_spawn");
    assert_eq!(notes.as_array().map(Vec::len), Some(1));
    // every rule is described, and results point at theirs
    let rules = document.pointer("/runs/0/tool/driver/rules").and_then(Value::as_array).expect("rules");
    assert_eq!(rules.len(), migrate_lint::rules::ALL.len());
    for result in results {
        let index = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
}

#[test]
fn fingerprints_stay_and_differ() {
    let dir = repository();
    let prints = |dir: &Dir| {
        let document = sarif(dir, ".");
        let results = document["runs"][0]["results"].as_array().expect("results").iter();
        let print =
            |r: &Value| r["partialFingerprints"]["migrateLint/v1"].as_str().expect("text").to_string();
        results.map(print).collect::<Vec<_>>()
    };
    let before = prints(&dir);
    assert!(before[0] != before[1] && before[1] != before[2], "{before:?}");
    dir.write("a b/src/shared.rs", format!("\n\n// more\n{}", dir.read("a b/src/shared.rs")));
    assert_eq!(prints(&dir), before);
}

#[test]
fn output_does_not_depend_on_the_run_or_the_place() {
    let (here, there) = (repository(), repository());
    for format in ["sarif", "json", "jsonl", "github", "short", "text"] {
        let first = here.run(&["--format", format]).out;
        assert_eq!(here.run(&["--format", format]).out, first, "{format}");
        assert_eq!(there.run(&["--format", format]).out, first, "{format}");
    }
    // SARIF and annotations are relative to the repository from wherever they are made
    let whole = sarif(&here, ".");
    for path in ["a b", "a b/Cargo.toml"] {
        assert_eq!(sarif(&here, path)["runs"][0]["results"], whole["runs"][0]["results"], "{path}");
    }
    let absolute = run(&["--format", "sarif", &here.at("")]).out;
    assert_eq!(serde_json::from_str::<Value>(&absolute).expect("JSON"), whole);
}

#[test]
fn a_record_a_line() {
    let dir = repository();
    let document: Value = serde_json::from_str(&dir.run(&["--format", "json"]).out).expect("JSON");
    let ran = dir.run(&["--format", "jsonl"]);
    let records: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |kind: &str| -> Vec<Value> {
        let records = records.iter().filter(|r| r["type"] == kind).cloned();
        records
            .map(|mut record| {
                record.as_object_mut().expect("an object").remove("type");
                record
            })
            .collect()
    };
    assert_eq!((&records[0]["type"], &records[0]["schema"]), (&"run".into(), &1.into()));
    assert_eq!(records.last().expect("records")["type"], "summary");
    for (kind, list) in [
        ("finding", "findings"),
        ("unknown", "unknowns"),
        ("set_aside", "set_aside"),
        ("problem", "problems"),
        ("stale", "stale"),
    ] {
        assert_eq!(Value::Array(of(kind)), document[list], "{kind}");
    }
    assert_eq!(of("summary"), [document["summary"].clone()]);
    let aside = &document["set_aside"];
    assert_eq!((&aside[0]["by"], &aside[0]["because"]), (&"comment".into(), &"until the end".into()));
    assert_eq!((&aside[1]["by"], &aside[1]["because"]), (&"baseline".into(), &Value::Null));
}

#[test]
fn annotations_of_a_workflow() {
    let dir = repository();
    let ran = dir.run(&["--format", "github"]);
    assert_eq!(ran.status, 1);
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", ran.out);
    let start = "::warning file=a b/src/shared.rs,line=2,endLine=2,col=14,endColumn=26,title=migrate-lint detached_spawn_finite::`tokio::spawn` starts";
    assert!(lines[0].starts_with(start), "{}", lines[0]);
    assert!(lines[0].contains("%0AInstead: cx.spawn_future(\"one\", one(..))"), "{}", lines[0]);
    assert!(lines[2].starts_with("::warning file=a b/src/ü%3A 1%25?#%2C.rs,"), "{}", lines[2]);
    assert!(lines[3].starts_with("3 findings (3 warnings), 1 unknown, 1 suppressed, 1 in the baseline; "));
}
