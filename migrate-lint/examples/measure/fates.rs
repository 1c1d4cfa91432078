//! `fates DIR`: the classifier against the labels of `oracle/fates.tsv`.
//!
//! Disagreements are listed, each with the reason of its label. A fate that
//! is not known is no agreement.

use crate::{repositories, tasks};
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Default)]
struct Count {
    all: usize,
    agreed: usize,
    unknown: usize,
}

impl Count {
    fn share(&self) -> f64 {
        100.0 * self.agreed as f64 / self.all.max(1) as f64
    }
}

pub(crate) fn run(dir: &Path) -> Result<(), String> {
    let mut found: BTreeMap<(String, String, String), (String, bool)> = BTreeMap::new();
    for repository in repositories::all()? {
        let checkout = repository.checkout(dir)?;
        for workspace in &repository.workspaces {
            for task in tasks::lint(&checkout.join(workspace))?.tasks {
                let file = repositories::relative(&checkout, &task.file);
                let key = (repository.name.clone(), file, task.span.line.to_string());
                found.insert(key, (tasks::fate(&task), task.in_test));
            }
        }
    }
    let mut by_label: BTreeMap<String, Count> = BTreeMap::new();
    let (mut total, mut code) = (Count::default(), Count::default());
    for label in repositories::lines("fates.tsv")? {
        let [repository, file, line, fate, reason] = label.as_slice() else {
            return Err(format!("fates.tsv: five fields are wanted, not {label:?}"));
        };
        let actual = found.get(&(repository.clone(), file.clone(), line.clone()));
        let (said, in_test) = actual.map_or(("not found", true), |(fate, test)| (fate, *test));
        for count in [
            Some(&mut total),
            (!in_test).then_some(&mut code),
            Some(by_label.entry(fate.clone()).or_default()),
        ]
        .into_iter()
        .flatten()
        {
            count.all += 1;
            count.agreed += usize::from(said == fate);
            count.unknown += usize::from(said == "?");
        }
        if said != fate {
            println!("{repository}/{file}:{line}: labelled {fate}, classified {said} ({reason})");
        }
    }
    println!("\n{:<16} {:>6} {:>7} {:>8} {:>10}", "label", "sites", "agreed", "unknown", "agreement");
    let row = |name: &str, count: &Count| {
        let Count { all, agreed, unknown } = count;
        println!("{name:<16} {all:>6} {agreed:>7} {unknown:>8} {:>9.1}%", count.share());
    };
    for (name, count) in &by_label {
        row(name, count);
    }
    row("not in tests", &code);
    row("all", &total);
    Ok(())
}
