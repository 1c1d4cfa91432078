//! What starts tasks, under every name and in every place, and what becomes
//! of the handles.
//!
//! Each file of `tests/tasks` marks its tasks at the end of the line: `//~`
//! and the fate, or `?` where that, or what starts it, is not known.

use migrate_lint::config::Config;
use migrate_lint::place::Place;
use migrate_lint::{Options, check};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

type Marks = BTreeMap<(u32, String), usize>;

fn files() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tasks");
    let mut files: Vec<_> = fs::read_dir(dir).expect("directory").flatten().map(|e| e.path()).collect();
    files.sort();
    files
}

fn expected(text: &str) -> Marks {
    let mut marks = Marks::new();
    for (i, line) in text.lines().enumerate() {
        for mark in line.split("//~ ").skip(1) {
            *marks.entry((i as u32 + 1, mark.trim().to_string())).or_default() += 1;
        }
    }
    marks
}

fn actual(path: &Path) -> Marks {
    let place = Place::of(path);
    let config = Config::load(&place).expect("no configuration");
    let report = check(path, &Options { place, config, baseline: None, said: None }).expect("linted");
    assert_eq!(report.problems, []);
    let mut marks = Marks::new();
    for task in report.tasks {
        let fate = task.fate.map_or("?".to_string(), |fate| fate.name().to_string());
        *marks.entry((task.span.line, fate)).or_default() += 1;
    }
    marks
}

#[test]
fn every_task_has_its_fate() {
    let mut wrong = Vec::new();
    for file in files() {
        let (expected, actual) = (expected(&fs::read_to_string(&file).expect("file")), actual(&file));
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        for ((line, fate), n) in &expected {
            if actual.get(&(*line, fate.clone())) != Some(n) {
                wrong.push(format!("{name}:{line}: lacks {n} {fate}"));
            }
        }
        for ((line, fate), n) in &actual {
            if !expected.contains_key(&(*line, fate.clone())) {
                wrong.push(format!("{name}:{line}: has {n} {fate}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files().len() >= 6);
}
