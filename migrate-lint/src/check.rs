//! One run: from a path and options to a [`Report`].

use crate::baseline::{self, Comparison, Entry};
use crate::config::{Config, Setting};
pub use crate::judge::Started;
use crate::judge::{Judged, judge};
use crate::load::names::Interner;
use crate::load::tree::Tree;
use crate::load::workspace::{self, Workspace};
use crate::load::{Problem, Severity, tree};
use crate::place::{Place, Relative};
use crate::precise::Said;
use crate::reach::Reach;
use crate::rule::Finding;
use crate::rules;
use crate::settle::{By, SetAside, settle};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a run goes by, besides the code.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it belongs.
    pub place: Place,
    /// What was decided about rules and paths.
    pub config: Config,
    /// What was accepted; `None` to report everything.
    pub baseline: Option<Vec<Entry>>,
    /// What clippy says, in precise mode.
    pub said: Option<Said>,
}

/// Everything a run found out, sorted by file and place.
#[derive(Debug, Default)]
pub struct Report {
    /// The directory files are relative to in JSON.
    pub root: PathBuf,
    /// The top of the repository.
    pub repository: PathBuf,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What may be wrong; the reason says why it cannot be told.
    pub unknowns: Vec<Finding>,
    /// Findings and unknowns that do not count, because somebody said so.
    pub set_aside: Vec<SetAside>,
    /// Decisions that nothing needs any more: scopes, entries of the baseline.
    pub stale: Vec<Problem>,
    /// Every task that is started, or may be, whatever is said of it.
    pub tasks: Vec<Started>,
    /// What was not linted, and why.
    pub problems: Vec<Problem>,
    /// What the baseline has that is still found, or out of this run's reach.
    pub accepted: Vec<Entry>,
    /// What it would have to accept for the run not to fail.
    pub new: Vec<Entry>,
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

    /// Whether something that was found fails the run.
    pub fn fails(&self) -> bool {
        self.findings.iter().any(|f| f.level.fails())
    }
}

/// Lints what `path` stands for.
///
/// # Errors
///
/// If there is nothing to lint; lesser failures are part of the report.
pub fn check(path: &Path, options: &Options) -> Result<Report, Problem> {
    let Options { place, config, baseline, said } = options;
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
    let relative = Relative::new(&place.base, &workspace.root);
    let is_excluded = |file: &Path| config.exclude.matches(&relative.path(file));
    let mut linted = linted_files(&workspace, &tree);
    linted.retain(|&file| !is_excluded(&tree.files[file as usize].path));
    let mut problems = std::mem::take(&mut tree.problems);
    problems.retain(|problem| !is_excluded(&problem.file));
    problems.extend_from_slice(&workspace.problems);
    problems.sort();
    problems.dedup();
    let Judged { hits, mut tasks } = judge(&workspace, &tree, &names, said.as_ref());
    tasks.retain(|task| !is_excluded(&task.file));
    let settled = settle(hits, &workspace, &tree, &names, &linted, config, &relative);
    let mut report = Report {
        findings: settled.findings,
        unknowns: settled.unknowns,
        set_aside: settled.set_aside,
        tasks,
        problems,
        packages: workspace.packages.iter().filter(|p| p.reported).count(),
        files: linted.len(),
        lines: linted.iter().map(|&file| tree.files[file as usize].text.lines().count()).sum(),
        root: workspace.root.clone(),
        repository: place.repository.clone(),
        ..Report::default()
    };
    let reach = Reach::new(&workspace, &tree, &names, &linted, place);
    if reach.is_whole() {
        report.stale.extend(unused_scopes(place, config, &settled.used_scopes));
    }
    accept(&mut report, baseline.as_deref(), config, &relative, &reach);
    Ok(report)
}

fn linted_files(workspace: &Workspace, tree: &Tree) -> BTreeSet<u32> {
    let reported =
        tree.instances.iter().filter(|i| workspace.packages[tree.crates[i.krate as usize].package].reported);
    reported.map(|i| i.file).collect()
}

fn unused_scopes(place: &Place, config: &Config, used: &BTreeSet<usize>) -> Vec<Problem> {
    let unused = config.scopes.iter().enumerate().filter(|(i, _)| !used.contains(i));
    unused
        .map(|(_, scope)| Problem {
            file: place.config.clone().unwrap_or_default(),
            place: Some((scope.line, 1)),
            severity: Severity::Warning,
            message: "nothing is found in this scope; remove it".into(),
        })
        .collect()
}

/// Sets aside the findings that the baseline has, and says which of its
/// entries no finding needs.
fn accept(
    report: &mut Report,
    accepted: Option<&[Entry]>,
    config: &Config,
    relative: &Relative,
    reach: &Reach<'_>,
) {
    let (failing, lesser): (Vec<_>, Vec<_>) =
        std::mem::take(&mut report.findings).into_iter().partition(|f| f.level.fails());
    let now: Vec<Entry> = failing.iter().map(|f| Entry::of(f, relative.path(&f.file))).collect();
    let accepted = accepted.unwrap_or_default();
    let level = |rule: &str| match config.levels.get(rule) {
        Some(Setting::At(level)) => Some(*level),
        _ => rules::find(rule).map(|rule| rule.level),
    };
    let is_there = |file: &Path, item: &str| reach.has(file, item) || !reach.covers(file);
    let Comparison { uses, unused } = baseline::compare(&now, accepted, &is_there, &level);
    for i in unused {
        let entry = &accepted[i];
        if !reach.covers(&entry.file) {
            report.accepted.push(entry.clone());
            continue;
        }
        report.stale.push(Problem {
            file: reach.shown(&entry.file),
            place: None,
            severity: Severity::Warning,
            message: format!(
                "`{}` in `{}` is not found any more; the baseline still has it",
                entry.rule, entry.item
            ),
        });
    }
    report.findings = lesser;
    for ((finding, entry), used) in failing.into_iter().zip(now).zip(uses) {
        let Some(used) = used else {
            report.new.push(entry);
            report.findings.push(finding);
            continue;
        };
        let old = &accepted[used];
        // an entry keeps its words as long as it stands where it stood
        let stays = (&old.file, &old.item, &old.rule) == (&entry.file, &entry.item, &entry.rule);
        report.accepted.push(if stays { old.clone() } else { entry });
        report.set_aside.push(SetAside { finding, is_unknown: false, by: By::Baseline });
    }
    report.findings.sort_by(|a, b| a.place().cmp(&b.place()));
    report.set_aside.sort_by(|a, b| a.finding.place().cmp(&b.finding.place()));
}
