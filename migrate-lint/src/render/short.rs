//! The short form: one line for each finding, as rustc's `short` messages:
//! `path:line:column: severity[rule]: message`. Editors jump by it.

use super::{severity, shown, summary};
use crate::check::Report;
use crate::load::{Problem, Severity};
use crate::rule::Finding;
use std::io::{self, Write};

/// Writes findings, and unless `is_quiet` unknowns and a summary.
pub fn render(report: &Report, is_quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        line(finding, severity(finding.level), out)?;
    }
    if is_quiet {
        return Ok(());
    }
    for unknown in &report.unknowns {
        line(unknown, "unknown", out)?;
    }
    writeln!(out, "{}", summary(report))
}

fn line(finding: &Finding, severity: &str, out: &mut dyn Write) -> io::Result<()> {
    let Finding { rule, file, span, diagnosis, .. } = finding;
    let file = shown(file);
    writeln!(out, "{file}:{}:{}: {severity}[{rule}]: {}", span.line, span.column, diagnosis.message)
}

/// A problem on one line.
pub fn problem(problem: &Problem) -> String {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let file = shown(&problem.file);
    match problem.place {
        Some((line, column)) => format!("{file}:{line}:{column}: {severity}: {}", problem.message),
        None => format!("{file}: {severity}: {}", problem.message),
    }
}
