//! `oracle DIR [NAME..]`: the sites that the linter finds against those that
//! clippy's resolver finds.
//!
//! What clippy said is kept in `oracle/said/NAME.tsv`; where that file is
//! missing, clippy builds the repository, which takes long, and it is written.
//! A site of clippy's is a hit, an unknown, or missed; a site of ours that
//! clippy does not have is extra, for clippy only sees what it builds: the
//! reason stands in `oracle/extras.tsv`, or it counts as wrong. Our unknowns
//! where clippy has nothing are open.

use crate::repositories::{self, Repository};
use crate::scratch::Scratch;
use crate::tasks;
use migrate_lint::precise::{self, Build, Hit, Said};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Default)]
struct Row {
    oracle: usize,
    hits: usize,
    unknown: usize,
    open: usize,
    missed: usize,
    extra: usize,
    wrong: usize,
}

pub(crate) fn run(dir: &Path, names: &[&str]) -> Result<(), String> {
    let mut rows: Vec<(String, Row)> = Vec::new();
    let mut notes = Vec::new();
    for repository in repositories::all()? {
        if !names.is_empty() && !names.contains(&repository.name.as_str()) {
            continue;
        }
        let checkout = repository.checkout(dir)?;
        let said = said(&repository, &checkout)?;
        for package in said.failed {
            notes.push(format!("{}: not built by clippy: {package}", repository.name));
        }
        rows.push((repository.name.clone(), compare(&repository, &checkout, &said.hits, &mut notes)?));
    }
    for note in &notes {
        println!("{note}");
    }
    print(&rows);
    Ok(())
}

struct Kept {
    hits: BTreeSet<Hit>,
    failed: Vec<String>,
}

/// What clippy says of a repository, from the file if there is one.
fn said(repository: &Repository, checkout: &Path) -> Result<Kept, String> {
    let real = checkout.canonicalize().map_err(|e| format!("{}: {e}", checkout.display()))?;
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/said");
    let kept = kept.join(format!("{}.tsv", repository.name));
    if !kept.exists() {
        let target = Scratch::new()?;
        let mut lines = Vec::new();
        for workspace in &repository.workspaces {
            let build = Build { flags: repository.flags.clone(), target_dir: Some(target.path()) };
            eprintln!("clippy on {} ..", checkout.join(workspace).display());
            let Said { hits, failed, .. } = precise::run(&checkout.join(workspace), &build)?;
            lines.extend(hits.iter().map(|hit| {
                let file = hit.file.strip_prefix(&real).unwrap_or(&hit.file).display().to_string();
                format!("{file}\t{}\t{}\t{}", hit.line, hit.column, hit.function)
            }));
            lines.extend(failed.iter().map(|(package, why)| {
                // a package's id names the directory of the checkout
                let package = package.rsplit('/').next().unwrap_or(package);
                format!("# {package}: {}", why.replace('\n', " "))
            }));
        }
        lines.sort();
        lines.dedup();
        fs::write(&kept, lines.join("\n") + "\n").map_err(|e| format!("{}: {e}", kept.display()))?;
    }
    let text = fs::read_to_string(&kept).map_err(|e| format!("{}: {e}", kept.display()))?;
    let mut said = Kept { hits: BTreeSet::new(), failed: Vec::new() };
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(note) = line.strip_prefix("# ") {
            said.failed.push(note.to_string());
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let [file, line, column, function] = fields.as_slice() else {
            return Err(format!("{}: four fields are wanted, not {fields:?}", kept.display()));
        };
        let number = |text: &str| text.parse().map_err(|e| format!("{}: {text}: {e}", kept.display()));
        let (file, line, column) = (PathBuf::from(file), number(line)?, number(column)?);
        said.hits.insert(Hit { file, line, column, function: function.to_string() });
    }
    Ok(said)
}

fn compare(
    repository: &Repository,
    checkout: &Path,
    oracle: &BTreeSet<Hit>,
    notes: &mut Vec<String>,
) -> Result<Row, String> {
    let mut ours: BTreeMap<(PathBuf, u32, u32), Option<&'static str>> = BTreeMap::new();
    for workspace in &repository.workspaces {
        for task in tasks::lint(&checkout.join(workspace))?.tasks {
            let file = task.file.strip_prefix(checkout).unwrap_or(&task.file);
            // `./src` and `src` are one
            let file: PathBuf = file.components().collect();
            ours.insert((file, task.span.line, task.span.column), task.by);
        }
    }
    let mut row = Row { oracle: oracle.len(), ..Row::default() };
    let name = &repository.name;
    for hit in oracle {
        let Hit { file, line, column, function } = hit;
        match ours.remove(&(file.clone(), *line, *column)) {
            Some(Some(_)) => row.hits += 1,
            Some(None) => {
                row.unknown += 1;
                notes.push(format!("{name}/{}:{line}:{column}: unknown: {function}", file.display()));
            }
            None => {
                row.missed += 1;
                notes.push(format!("{name}/{}:{line}:{column}: missed: {function}", file.display()));
            }
        }
    }
    let reasons = repositories::lines("extras.tsv")?;
    for ((file, line, column), by) in ours {
        let Some(by) = by else {
            row.open += 1;
            continue;
        };
        let file = file.display().to_string();
        let is_of =
            |r: &&Vec<String>| r[0] == *name && r[1] == file && (r[2] == "*" || r[2] == line.to_string());
        let reason = reasons.iter().find(is_of);
        match reason {
            Some(reason) => {
                row.extra += 1;
                notes.push(format!("{name}/{file}:{line}:{column}: extra: {by}: {}", reason[3]));
            }
            None => {
                row.wrong += 1;
                notes.push(format!("{name}/{file}:{line}:{column}: extra without reason: {by}"));
            }
        }
    }
    Ok(row)
}

fn print(rows: &[(String, Row)]) {
    println!(
        "\n{:<16} {:>7} {:>6} {:>8} {:>7} {:>7} {:>6} {:>8} {:>10}",
        "repository", "oracle", "hits", "unknown", "missed", "extra", "open", "recall", "precision"
    );
    let mut total = Row::default();
    for (name, row) in rows {
        total.oracle += row.oracle;
        total.hits += row.hits;
        total.unknown += row.unknown;
        total.missed += row.missed;
        total.open += row.open;
        total.extra += row.extra;
        total.wrong += row.wrong;
        show(name, row);
    }
    show("all", &total);
    println!(
        "neither found nor unknown: {:.2} %; extra are sites that clippy did not build, each with its reason",
        share(total.missed, total.oracle)
    );
}

fn show(name: &str, row: &Row) {
    let ours = row.hits + row.extra + row.wrong;
    println!(
        "{name:<16} {:>7} {:>6} {:>8} {:>7} {:>7} {:>6} {:>7.1}% {:>9.1}%",
        row.oracle,
        row.hits,
        row.unknown,
        row.missed,
        row.extra + row.wrong,
        row.open,
        share(row.hits, row.oracle),
        share(row.hits + row.extra, ours),
    );
}

fn share(part: usize, of: usize) -> f64 {
    100.0 * part as f64 / of.max(1) as f64
}
