//! `sites DIR`: the rules against the labels of `oracle/sites.tsv`.
//!
//! A site agrees if the rule finds it with the level of its label, or finds
//! nothing where the label is `no`. Disagreements are listed, each with the
//! reason of its label; `limit` is what the rule's page says that it does not
//! find, and counts for neither side.

use crate::{repositories, tasks};
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Default)]
struct Count {
    /// To be found, and not to be.
    wanted: [usize; 2],
    agreed: [usize; 2],
    limits: usize,
}

pub(crate) fn run(dir: &Path) -> Result<(), String> {
    let mut found = BTreeMap::new();
    for repository in repositories::all()? {
        let checkout = repository.checkout(dir)?;
        for workspace in &repository.workspaces {
            let report = tasks::lint(&checkout.join(workspace))?;
            let unknowns = report.unknowns.iter().map(|finding| (finding, "unknown"));
            for (finding, level) in report.findings.iter().map(|f| (f, f.level.name())).chain(unknowns) {
                let file = repositories::relative(&checkout, &finding.file);
                let line = finding.span.line.to_string();
                found.insert([finding.rule.to_string(), repository.name.clone(), file, line], level);
            }
        }
    }
    let mut by_rule: BTreeMap<String, Count> = BTreeMap::new();
    for label in repositories::lines("sites.tsv")? {
        let [rule, repository, file, line, wanted, reason] = label.as_slice() else {
            return Err(format!("sites.tsv: six fields are wanted, not {label:?}"));
        };
        let count = by_rule.entry(rule.clone()).or_default();
        if wanted == "limit" {
            count.limits += 1;
            continue;
        }
        let key = [rule.clone(), repository.clone(), file.clone(), line.clone()];
        let said = found.get(&key).copied().unwrap_or("no");
        let which = usize::from(wanted == "no");
        count.wanted[which] += 1;
        count.agreed[which] += usize::from(said == wanted);
        if said != wanted {
            println!("{rule}: {repository}/{file}:{line}: labelled {wanted}, found {said} ({reason})");
        }
    }
    println!(
        "\n{:<28} {:>6} {:>7} {:>8} {:>7} {:>7}",
        "rule", "sites", "agreed", "silent", "agreed", "limits"
    );
    let mut total = Count::default();
    for (rule, count) in &by_rule {
        row(rule, count);
        for which in 0..2 {
            total.wanted[which] += count.wanted[which];
            total.agreed[which] += count.agreed[which];
        }
        total.limits += count.limits;
    }
    row("all", &total);
    Ok(())
}

fn row(name: &str, Count { wanted, agreed, limits }: &Count) {
    println!("{name:<28} {:>6} {:>7} {:>8} {:>7} {limits:>7}", wanted[0], agreed[0], wanted[1], agreed[1]);
}
