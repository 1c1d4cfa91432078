//! The result: a table for people, and JSON for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use crate::account::Account;
use crate::service::{DRAIN, FINALIZE};

/// A row: its label, and what it shows of an account.
type Row = (&'static str, fn(&Account) -> String);

const ROWS: [Row; 14] = [
    ("requests in flight at the signal", |a| a.in_flight.to_string()),
    ("  completed", |a| a.completed.to_string()),
    ("  lost", |a| a.lost.to_string()),
    ("requests turned away, safe to retry", |a| a.turned_away.to_string()),
    ("clients that left mid-request", |a| (a.left_before + a.left_after).to_string()),
    ("handlers cut mid-work", |a| a.cut_mid_work.to_string()),
    ("cleanup run", |a| format!("{} of {}", a.finalizers_run, a.finalizers_registered)),
    ("cleanup out of order", |a| a.lifo_violations.to_string()),
    ("SSE streams ended properly", |a| format!("{} of {}", a.streams_ended, a.streams)),
    ("the handler that never ends", |a| cut(a.never_cut).to_owned()),
    ("  what it held", |a| given_back(a.never_cleaned_up).to_owned()),
    ("tasks still alive", |a| a.alive_tasks.to_string()),
    ("seconds to exit", |a| format!("{:.2}", a.exit_ms as f64 / 1e3)),
    ("budget", |_| format!("{} s + {} s", DRAIN.as_secs(), FINALIZE.as_secs())),
];

fn cut(cut: bool) -> &'static str {
    if cut { "stopped" } else { "not stopped" }
}

fn given_back(cleaned_up: bool) -> &'static str {
    if cleaned_up { "given back" } else { "not given back" }
}

/// The table, one column per side.
pub(crate) fn table(sides: &[(&str, Account)]) -> String {
    const LABEL: usize = 38;
    const COLUMN: usize = 16;
    let mut text = format!("{:<LABEL$}", "");
    for (name, _) in sides {
        let _ = write!(text, "{name:>COLUMN$}");
    }
    for (label, show) in ROWS {
        let _ = write!(text, "\n{label:<LABEL$}");
        for (_, account) in sides {
            let _ = write!(text, "{:>COLUMN$}", show(account));
        }
    }
    text.push('\n');
    text
}

/// Opens the JSON file before the work is done, so that a bad path is known at once. What stands
/// in it stays until there is something to write.
pub(crate) fn open_json(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}

/// Writes `{"plain": {..}, "regions": {..}}`, with the sides that ran.
pub(crate) fn write_json(file: &mut File, sides: &[(&str, Account)]) -> io::Result<()> {
    let sides: BTreeMap<&str, &Account> = sides.iter().map(|(name, side)| (*name, side)).collect();
    let mut text = serde_json::to_vec_pretty(&sides)?;
    text.push(b'\n');
    file.set_len(0)?;
    file.write_all(&text)?;
    file.sync_all()
}
