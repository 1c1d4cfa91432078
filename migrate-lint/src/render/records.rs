//! What the JSON forms are made of. These structs are their schema.
//!
//! Within one value of [`SCHEMA`], fields are only ever added. `file` is
//! relative to `root`, with `/` between its parts; lines and columns are
//! 1-based, columns count characters, and `end_column` is just past the end.

use super::shown;
use crate::check::Report;
use crate::fate::Fate;
use crate::load::{Problem, Severity};
use crate::rule::{Edit, Finding};
use crate::settle::{By, SetAside};
use serde::Serialize;
use std::path::Path;

/// The version of this schema.
pub(super) const SCHEMA: u32 = 1;

/// What wrote it, and about what.
#[derive(Serialize)]
pub(super) struct Run {
    schema: u32,
    tool: Tool,
    /// The directory files are relative to, as given.
    root: String,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// A finding or an unknown; `reason` says why it cannot be told.
#[derive(Serialize)]
pub(super) struct Entry {
    rule: &'static str,
    /// `deny`, `warn` or `info`; `unknown` for unknowns.
    level: &'static str,
    file: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    /// Names of the modules, types and functions of the file around it.
    item: String,
    /// If it is about a task, what becomes of its handle; else null.
    fate: Option<&'static str>,
    message: String,
    reason: String,
    suggestion: String,
    /// Replacements that mend it and change nothing else; else null.
    fix: Option<Vec<EditEntry>>,
    /// The line the span starts on; of a line of more than 1,000 characters,
    /// what is around the span.
    snippet: String,
    /// Conditions around it, outermost first: what stands in `#[cfg(..)]`, or
    /// a whole test attribute.
    cfg: Vec<String>,
    /// Whether it only exists in tests.
    in_test: bool,
    targets: Vec<TargetEntry>,
}

/// What stands there becomes `text`.
#[derive(Serialize)]
struct EditEntry {
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    text: String,
}

#[derive(Serialize)]
struct TargetEntry {
    package: String,
    kind: &'static str,
    name: String,
}

/// A finding or an unknown that somebody decided about.
#[derive(Serialize)]
pub(super) struct SetAsideEntry {
    /// `comment`, `scope` or `baseline`.
    by: &'static str,
    /// The reason that the comment or the scope gives; null for the baseline.
    because: Option<String>,
    #[serde(flatten)]
    entry: Entry,
}

/// Something that was not linted, or is not needed any more.
#[derive(Serialize)]
pub(super) struct ProblemEntry {
    /// `error`: something was not linted; `warning`: worth knowing.
    severity: &'static str,
    file: String,
    line: Option<u32>,
    column: Option<u32>,
    message: String,
}

/// Numbers of it all.
#[derive(Serialize)]
pub(super) struct Summary {
    findings: usize,
    unknowns: usize,
    /// By comments and scopes.
    suppressed: usize,
    /// By the baseline.
    accepted: usize,
    packages: usize,
    files: usize,
    lines: usize,
    /// Whether everything that should be linted was.
    complete: bool,
}

impl Run {
    pub(super) fn of(report: &Report) -> Run {
        Run {
            schema: SCHEMA,
            tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            root: shown(&report.root),
        }
    }
}

impl Summary {
    pub(super) fn of(report: &Report) -> Summary {
        let accepted = report.set_aside.iter().filter(|aside| aside.by == By::Baseline).count();
        Summary {
            findings: report.findings.len(),
            unknowns: report.unknowns.len(),
            suppressed: report.set_aside.len() - accepted,
            accepted,
            packages: report.packages,
            files: report.files,
            lines: report.lines,
            complete: report.is_complete(),
        }
    }
}

pub(super) fn findings(report: &Report) -> impl Iterator<Item = Entry> {
    report.findings.iter().map(|f| entry(&report.root, f, f.level.name()))
}

pub(super) fn unknowns(report: &Report) -> impl Iterator<Item = Entry> {
    report.unknowns.iter().map(|f| entry(&report.root, f, "unknown"))
}

pub(super) fn set_aside(report: &Report) -> impl Iterator<Item = SetAsideEntry> {
    report.set_aside.iter().map(|SetAside { finding, is_unknown, by }| {
        let (by, because) = match by {
            By::Comment(reason) => ("comment", Some(reason.clone())),
            By::Scope(reason) => ("scope", Some(reason.clone())),
            By::Baseline => ("baseline", None),
        };
        let level = if *is_unknown { "unknown" } else { finding.level.name() };
        SetAsideEntry { by, because, entry: entry(&report.root, finding, level) }
    })
}

pub(super) fn problems(report: &Report) -> impl Iterator<Item = ProblemEntry> {
    report.problems.iter().map(|p| problem(&report.root, p))
}

pub(super) fn stale(report: &Report) -> impl Iterator<Item = ProblemEntry> {
    report.stale.iter().map(|p| problem(&report.root, p))
}

fn relative(root: &Path, file: &Path) -> String {
    shown(file.strip_prefix(root).unwrap_or(file))
}

fn entry(root: &Path, finding: &Finding, level: &'static str) -> Entry {
    Entry {
        rule: finding.rule,
        level,
        file: relative(root, &finding.file),
        line: finding.span.line,
        column: finding.span.column,
        end_line: finding.span.end_line,
        end_column: finding.span.end_column,
        item: finding.item.clone(),
        fate: finding.fate.map(Fate::name),
        message: finding.diagnosis.message.clone(),
        reason: finding.diagnosis.reason.clone(),
        suggestion: finding.diagnosis.suggestion.clone(),
        fix: finding.fix.as_ref().map(|fix| fix.edits.iter().map(edit).collect()),
        snippet: finding.snippet.clone(),
        cfg: finding.cfg.clone(),
        in_test: finding.in_test,
        targets: finding
            .targets
            .iter()
            .map(|t| TargetEntry { package: t.package.clone(), kind: t.kind, name: t.name.clone() })
            .collect(),
    }
}

fn edit(edit: &Edit) -> EditEntry {
    EditEntry {
        line: edit.span.line,
        column: edit.span.column,
        end_line: edit.span.end_line,
        end_column: edit.span.end_column,
        text: edit.text.clone(),
    }
}

fn problem(root: &Path, problem: &Problem) -> ProblemEntry {
    ProblemEntry {
        severity: match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        file: relative(root, &problem.file),
        line: problem.place.map(|p| p.0),
        column: problem.place.map(|p| p.1),
        message: problem.message.clone(),
    }
}
