//! Debt as a page of Markdown, for a wiki, an issue or a workflow's summary.

use super::{Debt, Decided, heading};
use crate::render::count;
use std::io::{self, Write};

/// Writes the page.
pub fn render(debt: &Debt, out: &mut dyn Write) -> io::Result<()> {
    let Decided { new, accepted, suppressed } = debt.total;
    writeln!(out, "# Tasks without an owner\n")?;
    writeln!(
        out,
        "{} in {} of code: {new} new, {accepted} accepted, {suppressed} suppressed.",
        count(debt.total.total(), "finding", "findings"),
        count(debt.lines, "line", "lines"),
    )?;
    if debt.total.total() > 0 {
        writeln!(out, "\n## By package\n")?;
        writeln!(out, "| package | findings | new | accepted | suppressed | unknown |")?;
        writeln!(out, "|---|---:|---:|---:|---:|---:|")?;
        for (name, package) in debt.ranked() {
            let Decided { new, accepted, suppressed } = package.decided;
            let (name, total, unknown) = (cell(name), package.decided.total(), package.unknown);
            writeln!(out, "| {name} | {total} | {new} | {accepted} | {suppressed} | {unknown} |")?;
        }
    }
    if !debt.rules.is_empty() {
        writeln!(out, "\n## By rule\n")?;
        writeln!(out, "| rule | findings | new | accepted | suppressed |")?;
        writeln!(out, "|---|---:|---:|---:|---:|")?;
        let mut rules: Vec<_> = debt.rules.iter().collect();
        rules.sort_by_key(|(_, decided)| std::cmp::Reverse(decided.total()));
        for (rule, decided) in rules {
            let Decided { new, accepted, suppressed } = decided;
            writeln!(out, "| `{rule}` | {} | {new} | {accepted} | {suppressed} |", decided.total())?;
        }
    }
    let fates = debt.fates();
    if !fates.is_empty() {
        writeln!(out, "\n## What becomes of the tasks\n")?;
        let headings: Vec<_> = fates.iter().map(|fate| heading(*fate)).collect();
        writeln!(out, "| package | tasks | {} |", headings.join(" | "))?;
        writeln!(out, "|---|---:|{}", "---:|".repeat(fates.len()))?;
        for (name, package) in debt.ranked().into_iter().filter(|(_, package)| package.started() > 0) {
            let counts = fates.iter().map(|fate| package.tasks.get(fate).copied().unwrap_or(0).to_string());
            let counts = counts.collect::<Vec<_>>().join(" | ");
            writeln!(out, "| {} | {} | {counts} |", cell(name), package.started())?;
        }
    }
    Ok(())
}

/// Text that does not end a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
