//! One run: from a path to a [`Report`].

use crate::judge::judge;
use crate::load::names::Interner;
use crate::load::tree::Tree;
use crate::load::workspace::{self, Workspace};
use crate::load::{Problem, Severity, tree};
use crate::rule::Finding;
use crate::settle::{SetAside, settle};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Everything a run found out, sorted by file and place.
#[derive(Debug, Default)]
pub struct Report {
    /// The directory files are relative to in JSON.
    pub root: PathBuf,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What may be wrong; the reason says why it cannot be told.
    pub unknowns: Vec<Finding>,
    /// Findings and unknowns that do not count, because somebody said so.
    pub set_aside: Vec<SetAside>,
    /// What was not linted, and why.
    pub problems: Vec<Problem>,
    /// Packages linted.
    pub packages: usize,
    /// Files linted.
    pub files: usize,
    /// Lines in them.
    pub lines: usize,
}

impl Report {
    /// Whether everything that should be linted was.
    pub fn is_complete(&self) -> bool {
        self.problems.iter().all(|p| p.severity != Severity::Error)
    }
}

/// Lints what `path` stands for.
///
/// # Errors
///
/// If there is nothing to lint; lesser failures are part of the report.
pub fn check(path: &Path) -> Result<Report, Problem> {
    let workspace = workspace::load(path)?;
    let names = Interner::default();
    let mut tree = tree::walk(&workspace, &names).map_err(|e| Problem {
        file: path.to_path_buf(),
        place: None,
        severity: Severity::Error,
        message: format!(
            "no thread to parse on could be started: {e}; raise the limits on memory or threads"
        ),
    })?;
    let linted = linted_files(&workspace, &tree);
    let settled = settle(judge(&workspace, &tree, &names), &tree, &names, &linted);
    let mut problems = std::mem::take(&mut tree.problems);
    problems.extend(workspace.problems);
    problems.sort();
    problems.dedup();
    Ok(Report {
        findings: settled.findings,
        unknowns: settled.unknowns,
        set_aside: settled.set_aside,
        problems,
        packages: workspace.packages.iter().filter(|p| p.reported).count(),
        files: linted.len(),
        lines: linted.iter().map(|&file| tree.files[file as usize].text.lines().count()).sum(),
        root: workspace.root,
    })
}

fn linted_files(workspace: &Workspace, tree: &Tree) -> BTreeSet<u32> {
    let reported =
        tree.instances.iter().filter(|i| workspace.packages[tree.crates[i.krate as usize].package].reported);
    reported.map(|i| i.file).collect()
}
