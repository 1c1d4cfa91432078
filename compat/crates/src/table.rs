//! The table, as Markdown.

use std::fmt;

use crate::{Checked, Row};

/// Rows and what became of them.
#[derive(Default)]
pub struct Table(Vec<String>);

impl Table {
    /// Adds a row, with what became of it under each name of a flavour.
    pub fn push(&mut self, row: &Row, checked: &[(&str, Checked)]) {
        let column = |n: usize| {
            let cells = checked.iter().map(|(flavour, checked)| match &checked.columns[n] {
                Ok(()) => (flavour, String::from("yes")),
                Err(why) => (flavour, format!("no: {}", why.replace(['\n', '|'], " "))),
            });
            let cells: Vec<_> = cells.collect();
            match cells.iter().all(|(_, cell)| *cell == cells[0].1) {
                true => cells[0].1.clone(),
                false => cells
                    .iter()
                    .map(|(flavour, cell)| format!("{flavour}: {cell}"))
                    .collect::<Vec<_>>()
                    .join("; "),
            }
        };
        let columns: Vec<_> = (0..4).map(column).collect();
        self.0.push(format!("| {} | {} | {} |", row.name, columns.join(" | "), row.how));
    }

    /// Adds a row that was not run.
    pub fn skip(&mut self, name: &str, why: &str) {
        self.0.push(format!("| {name} | skipped | skipped | skipped | skipped | {why} |"));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| crate | works | drained | cancelled | contained | how |")?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        self.0.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}
