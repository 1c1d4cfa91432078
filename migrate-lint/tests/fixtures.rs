//! Rules against their fixtures, and the promise that each has some.

mod common;

#[path = "common/marks.rs"]
mod marks;

use common::json;
use marks::Marks;
use migrate_lint::rules;
use std::fs;
use std::path::{Path, PathBuf};

fn files_of(rule: &str) -> Vec<PathBuf> {
    marks::files(&format!("fixtures/{rule}"))
}

fn actual(path: &Path) -> Marks {
    let document = json(path.to_str().expect("UTF-8"));
    assert_eq!(document["problems"].as_array().map(Vec::len), Some(0), "{}", document["problems"]);
    let mut marks = Marks::new();
    for (list, mark) in [("findings", ""), ("unknowns", "?")] {
        for entry in document[list].as_array().expect("a list") {
            let rule = entry["rule"].as_str().expect("rule");
            let line = entry["line"].as_u64().expect("line") as u32;
            *marks.entry((line, format!("{mark}{rule}"))).or_default() += 1;
        }
    }
    marks
}

#[test]
fn each_fixture_is_found_as_marked() {
    let files: Vec<PathBuf> = rules::ALL.iter().flat_map(|rule| files_of(rule.name)).collect();
    assert!(files.len() >= rules::ALL.len());
    let wrong: Vec<String> = files.iter().flat_map(|file| marks::objections(file, &actual(file))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_rule_has_a_page_and_a_fixture_that_triggers_it() {
    for rule in rules::ALL {
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
        let files = files_of(rule.name);
        let triggers =
            files.iter().any(|file| marks::expected(file).keys().any(|(_, mark)| mark == rule.name));
        assert!(triggers, "{} has no fixture that triggers it", rule.name);
    }
}

#[test]
fn each_page_and_fixture_belongs_to_a_rule() {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    for dir in [crate_dir.join("docs"), crate_dir.join("tests/fixtures")] {
        for entry in fs::read_dir(dir).expect("directory").flatten() {
            let path = entry.path();
            let name = path.file_stem().and_then(|s| s.to_str()).expect("a name");
            assert!(rules::find(name).is_some(), "{} is of no rule", path.display());
        }
    }
}
