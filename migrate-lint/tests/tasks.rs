//! What starts tasks, under every name and in every place, and what becomes
//! of the handles.
//!
//! Each file of `tests/tasks` marks its tasks at the end of the line: `//~`
//! and the fate, or `?` where that, or what starts it, is not known.

#[path = "common/marks.rs"]
mod marks;

use marks::Marks;
use migrate_lint::config::Config;
use migrate_lint::place::Place;
use migrate_lint::{Options, check};
use std::path::Path;

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
    let files = marks::files("tasks");
    assert!(files.len() >= 6);
    let wrong: Vec<String> = files.iter().flat_map(|file| marks::objections(file, &actual(file))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
