//! `tasks PATH`: every task that is started in a workspace, one a line, tabs
//! between file, line, column, function, fate and where it is. `?` stands for
//! what is not known.

use migrate_lint::check::Started;
use migrate_lint::config::Config;
use migrate_lint::place::Place;
use migrate_lint::{Options, Report, check};
use std::path::Path;

/// Lints what `path` stands for, without baseline.
pub(crate) fn lint(path: &Path) -> Result<Report, String> {
    let place = Place::of(path);
    let config = Config::load(&place).map_err(|problems| {
        problems.iter().map(|p| format!("{}: {}", p.file.display(), p.message)).collect::<Vec<_>>().join("\n")
    })?;
    check(path, &Options { place, config, baseline: None, said: None })
        .map_err(|problem| format!("{}: {}", problem.file.display(), problem.message))
}

/// The fate in a word.
pub(crate) fn fate(task: &Started) -> String {
    match &task.fate {
        Ok(fate) => fate.name().to_string(),
        Err(_) => "?".to_string(),
    }
}

pub(crate) fn run(path: &Path) -> Result<(), String> {
    let report = lint(path)?;
    for task in &report.tasks {
        let file = task.file.strip_prefix(&report.root).unwrap_or(&task.file);
        let why = task.fate.as_ref().err().map_or(String::new(), |why| format!(" {why}"));
        println!(
            "{}\t{}\t{}\t{}\t{}{why}\t{}",
            file.display(),
            task.span.line,
            task.span.column,
            task.by.unwrap_or("?"),
            fate(task),
            if task.in_test { "test" } else { "code" },
        );
    }
    Ok(())
}
