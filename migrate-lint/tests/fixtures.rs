//! Rules against their fixtures, and the promise that each has some.

mod common;

use common::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

type Marks = BTreeMap<(u64, String), usize>;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn files_of(rule: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(fixtures().join(rule));
    let mut files: Vec<_> = entries.into_iter().flatten().flatten().map(|e| e.path()).collect();
    files.sort();
    files
}

fn expected(text: &str) -> Marks {
    let mut marks = Marks::new();
    for (i, line) in text.lines().enumerate() {
        for mark in line.split("//~ ").skip(1) {
            let mark = mark.trim();
            let (line, mark) = match mark.strip_prefix('^') {
                Some(mark) => (i as u64, mark),
                None => (i as u64 + 1, mark),
            };
            *marks.entry((line, mark.to_string())).or_default() += 1;
        }
    }
    marks
}

fn actual(path: &Path) -> Marks {
    let document = json(path.to_str().expect("UTF-8"));
    assert_eq!(document["problems"].as_array().map(Vec::len), Some(0), "{}", document["problems"]);
    let mut marks = Marks::new();
    for (list, mark) in [("findings", ""), ("unknowns", "?")] {
        for entry in document[list].as_array().expect("a list") {
            let rule = entry["rule"].as_str().expect("rule");
            let line = entry["line"].as_u64().expect("line");
            *marks.entry((line, format!("{mark}{rule}"))).or_default() += 1;
        }
    }
    marks
}

#[test]
fn each_fixture_is_found_as_marked() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for rule in migrate_lint::rules::ALL {
        for file in files_of(rule.name) {
            let text = fs::read_to_string(&file).expect("fixture");
            let (actual, expected) = (actual(&file), expected(&text));
            for (mark, n) in &expected {
                if actual.get(mark) != Some(n) {
                    wrong.push(format!("{}: lacks {n} of {mark:?}", file.display()));
                }
            }
            for (mark, n) in &actual {
                if !expected.contains_key(mark) {
                    wrong.push(format!("{}: has {n} of {mark:?}", file.display()));
                }
            }
            seen += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= 6);
}

#[test]
fn each_rule_has_a_page_and_a_fixture_that_triggers_it() {
    for rule in migrate_lint::rules::ALL {
        assert!(rule.page.starts_with(&format!("# {}\n", rule.name)), "{}", rule.name);
        for part in [
            "**Level:**",
            "## What it finds",
            "## Why it matters",
            "## Example",
            "## What to write instead",
            "## Known limits",
        ] {
            assert!(rule.page.contains(part), "{} lacks {part}", rule.name);
        }
        let level = format!("**Level:** {}\n", rule.level.name());
        assert!(rule.page.contains(&level), "{}: its page states another level", rule.name);
        let triggers = files_of(rule.name).iter().any(|file| {
            let text = fs::read_to_string(file).expect("fixture");
            expected(&text).keys().any(|(_, mark)| mark == rule.name)
        });
        assert!(triggers, "{} has no fixture that triggers it", rule.name);
    }
}

#[test]
fn each_page_and_fixture_belongs_to_a_rule() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for dir in [docs, fixtures()] {
        for entry in fs::read_dir(dir).expect("directory").flatten() {
            let path = entry.path();
            let name = path.file_stem().and_then(|s| s.to_str()).expect("a name");
            assert!(migrate_lint::rules::find(name).is_some(), "{} is of no rule", path.display());
        }
    }
}
