//! A table that a run writes, under `target`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Rows by their first column, in a file of the target folder, which is written anew with each row.
pub(crate) struct Table {
    file: &'static str,
    heading: &'static str,
    rows: Mutex<BTreeMap<String, String>>,
}

impl Table {
    pub(crate) const fn new(file: &'static str, heading: &'static str) -> Self {
        Table { file, heading, rows: Mutex::new(BTreeMap::new()) }
    }

    pub(crate) fn add(&self, columns: &[String]) {
        let row = format!("| {} |", columns.join(" | "));
        println!("{row}");
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.insert(columns[0].clone(), row);
        let rule = "|---".repeat(self.heading.matches('|').count() - 1);
        let rows: Vec<_> = rows.values().map(String::as_str).collect();
        let text = format!("{}\n{rule}|\n{}\n", self.heading, rows.join("\n"));
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in the target folder");
        std::fs::write(target.join(self.file), text).expect("the target folder can be written");
    }
}
