//! One run: from a path to a [`Report`].

use crate::load::index::{Argument, Form, Span};
use crate::load::names::Interner;
use crate::load::tree::Tree;
use crate::load::workspace::{self, Workspace};
use crate::load::{Problem, Severity, tree};
use crate::resolve::{Site, Verdict, sites};
use crate::rule::{Diagnosis, Finding, InTarget, Level, Rule, Subject};
use crate::rules;
use crate::rules::SUPPRESSION;
use crate::suppress::{Comment, Content, Suppressions};
use std::collections::{BTreeMap, BTreeSet};
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
    /// What was not linted, and why.
    pub problems: Vec<Problem>,
    /// Findings and unknowns that a comment suppresses.
    pub suppressed: usize,
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
    let tree = tree::walk(&workspace, &names).map_err(|e| Problem {
        file: path.to_path_buf(),
        place: None,
        severity: Severity::Error,
        message: format!(
            "no thread to parse on could be started: {e}; raise the limits on memory or threads"
        ),
    })?;
    let mut report = Report {
        root: workspace.root.clone(),
        packages: workspace.packages.iter().filter(|p| p.reported).count(),
        ..Report::default()
    };
    let linted = linted_files(&workspace, &tree);
    report.files = linted.len();
    for file in &linted {
        report.lines += tree.files[*file as usize].text.lines().count();
    }
    let mut lines = Lines::default();
    let mut suppressions: BTreeMap<u32, Suppressions> = BTreeMap::new();
    for &file in &linted {
        let source = &tree.files[file as usize];
        // a file that did not parse may hold what its comments speak for
        if !source.index.scopes.is_empty() {
            suppressions.insert(file, Suppressions::of(&source.text));
        }
    }
    for rule in rules::ALL.iter().filter(|rule| !rule.watched.is_empty()) {
        for site in sites(&workspace, &tree, &names, rule.watched) {
            let targets = [site.at.span.line, site.at.statement_line];
            let of_file = suppressions.get_mut(&site.file);
            if of_file.is_some_and(|found| found.suppress(rule.name, targets)) {
                report.suppressed += 1;
                continue;
            }
            let snippet = lines.line(&tree, site.file, site.at.span.line);
            let finding = finding(&workspace, &tree, &names, rule, &site, snippet);
            match site.verdict {
                Verdict::Yes(_) => report.findings.push(finding),
                Verdict::Unknown(_) => report.unknowns.push(finding),
            }
        }
    }
    for (file, found) in &suppressions {
        for (comment, used) in found.comments() {
            for diagnosis in complaints(comment, used) {
                let path = &tree.files[*file as usize].path;
                let snippet = lines.line(&tree, *file, comment.line);
                report.findings.push(complaint(path, snippet, comment, diagnosis));
            }
        }
    }
    report.problems = workspace.problems;
    report.problems.extend(tree.problems);
    report.problems.sort();
    report.problems.dedup();
    for list in [&mut report.findings, &mut report.unknowns] {
        list.sort_by(|a, b| (&a.file, a.span, a.rule).cmp(&(&b.file, b.span, b.rule)));
    }
    Ok(report)
}

fn linted_files(workspace: &Workspace, tree: &Tree) -> BTreeSet<u32> {
    let reported =
        tree.instances.iter().filter(|i| workspace.packages[tree.crates[i.krate as usize].package].reported);
    reported.map(|i| i.file).collect()
}

fn complaints(comment: &Comment, used: &BTreeSet<String>) -> Vec<Diagnosis> {
    match &comment.content {
        Content::NoReason => vec![rules::no_reason()],
        Content::Malformed => vec![rules::malformed()],
        Content::Allow(names) => names
            .iter()
            .filter(|name| !used.contains(*name))
            .map(|name| match rules::find(name) {
                Some(_) => rules::unused(name),
                None => rules::unknown_rule(name),
            })
            .collect(),
    }
}

fn complaint(path: &Path, snippet: String, comment: &Comment, diagnosis: Diagnosis) -> Finding {
    Finding {
        rule: SUPPRESSION.name,
        level: SUPPRESSION.level,
        file: path.to_path_buf(),
        span: Span {
            line: comment.line,
            column: comment.column,
            end_line: comment.line,
            end_column: comment.end_column,
        },
        item: String::new(),
        fate: None,
        diagnosis,
        snippet,
        cfg: Vec::new(),
        in_test: false,
        targets: Vec::new(),
    }
}

/// The lines of files that have something to show, split once a file.
#[derive(Default)]
struct Lines<'a>(BTreeMap<u32, Vec<&'a str>>);

impl<'a> Lines<'a> {
    fn line(&mut self, tree: &'a Tree, file: u32, line: u32) -> String {
        let lines = self.0.entry(file).or_insert_with(|| {
            let text = tree.files[file as usize].text.as_str();
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            text.lines().collect()
        });
        let found = (line as usize).checked_sub(1).and_then(|i| lines.get(i));
        found.copied().unwrap_or("").to_string()
    }
}

fn finding(
    workspace: &Workspace,
    tree: &Tree,
    names: &Interner,
    rule: &Rule,
    site: &Site,
    snippet: String,
) -> Finding {
    let source = &tree.files[site.file as usize];
    let callee = match site.at.form {
        Form::Call(Argument::CallOf(name)) => Some(names.text(name)),
        _ => None,
    };
    let subject = |function| Subject {
        function,
        written: &site.written,
        form: site.at.form,
        callee: callee.as_deref().filter(|name| name.starts_with(char::is_lowercase)),
    };
    let (level, diagnosis) = match &site.verdict {
        Verdict::Yes(watched) => (rule.level, (rule.diagnose)(&subject(rule.watched[*watched]))),
        Verdict::Unknown(reason) => {
            let function = rule.watched.first().copied().unwrap_or_default();
            let diagnosis = Diagnosis {
                message: format!("`{}` may be `{function}`", site.written),
                reason: reason.clone(),
                suggestion: format!(
                    "if it is not, or if that is meant: // migrate-lint: allow({}) reason",
                    rule.name
                ),
            };
            (Level::Info, diagnosis)
        }
    };
    let targets = site.targets.iter().map(|&(p, t)| {
        let package = &workspace.packages[p];
        InTarget {
            package: package.name.clone(),
            kind: package.targets[t].kind.name(),
            name: package.targets[t].name.clone(),
        }
    });
    Finding {
        rule: rule.name,
        level,
        file: source.path.clone(),
        span: site.at.span,
        item: names.path(&source.index.item_path(site.at.owner)),
        fate: None,
        diagnosis,
        snippet,
        cfg: site.cfg.clone(),
        in_test: site.in_test,
        targets: targets.collect(),
    }
}
