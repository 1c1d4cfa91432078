//! The JSON form: one document. The structs below are its schema.
//!
//! Within one value of `schema`, fields are only ever added. `file` is
//! relative to `root`, with `/` between its parts; lines and columns are
//! 1-based, columns count characters, and `end_column` is just past the end.

use super::shown;
use crate::check::Report;
use crate::fate::Fate;
use crate::load::{Problem, Severity};
use crate::rule::Finding;
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;

/// The version of this schema.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document {
    schema: u32,
    tool: Tool,
    /// The directory files are relative to, as given.
    root: String,
    findings: Vec<Entry>,
    /// Uses that may be findings; `reason` says why it cannot be told.
    unknowns: Vec<Entry>,
    problems: Vec<ProblemEntry>,
    summary: Summary,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Entry {
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
    /// The line the span starts on.
    snippet: String,
    /// Conditions around it, outermost first: what stands in `#[cfg(..)]`, or
    /// a whole test attribute.
    cfg: Vec<String>,
    /// Whether it only exists in tests.
    in_test: bool,
    targets: Vec<TargetEntry>,
}

#[derive(Serialize)]
struct TargetEntry {
    package: String,
    kind: &'static str,
    name: String,
}

#[derive(Serialize)]
struct ProblemEntry {
    /// `error`: something was not linted; `warning`: worth knowing.
    severity: &'static str,
    file: String,
    line: Option<u32>,
    column: Option<u32>,
    message: String,
}

#[derive(Serialize)]
struct Summary {
    findings: usize,
    unknowns: usize,
    suppressed: usize,
    packages: usize,
    files: usize,
    lines: usize,
    /// Whether everything that should be linted was.
    complete: bool,
}

/// Writes the document.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        root: shown(&report.root),
        findings: report.findings.iter().map(|f| entry(&report.root, f, f.level.name())).collect(),
        unknowns: report.unknowns.iter().map(|f| entry(&report.root, f, "unknown")).collect(),
        problems: report.problems.iter().map(|p| problem(&report.root, p)).collect(),
        summary: Summary {
            findings: report.findings.len(),
            unknowns: report.unknowns.len(),
            suppressed: report.set_aside.len(),
            packages: report.packages,
            files: report.files,
            lines: report.lines,
            complete: report.is_complete(),
        },
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
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
