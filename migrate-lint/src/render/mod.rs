//! Showing a report: for people ([`text`], [`short`]), for programs ([`json`],
//! [`sarif`]) and for workflows ([`github`]).

pub mod github;
pub mod json;
mod records;
pub mod sarif;
pub mod short;
pub mod text;

use crate::check::Report;
use crate::load::Severity;
use crate::rule::Level;
use crate::settle::By;
use std::path::{Component, Path};

/// A path with `/` between its parts on every platform, and without `./`.
pub(crate) fn shown(path: &Path) -> String {
    let mut out = String::new();
    for part in path.components() {
        if matches!(part, Component::CurDir) {
            continue;
        }
        if !out.is_empty() && !out.ends_with('/') {
            out.push('/');
        }
        match part {
            Component::RootDir => out.push('/'),
            part => out.push_str(&part.as_os_str().to_string_lossy()),
        }
    }
    if out.is_empty() { ".".into() } else { out }
}

/// The word in front of a finding.
pub(crate) fn severity(level: Level) -> &'static str {
    match level {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Info => "note",
    }
}

/// `1 file`, `2 files`
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// `1 finding (1 warning), ..`
pub(crate) fn summary(report: &Report) -> String {
    let mut text = count(report.findings.len(), "finding", "findings");
    let mut notes = Vec::new();
    for level in [Level::Deny, Level::Warn, Level::Info] {
        let n = report.findings.iter().filter(|f| f.level == level).count();
        if n > 0 {
            notes.push(count(n, severity(level), &format!("{}s", severity(level))));
        }
    }
    let tests = report.findings.iter().filter(|f| f.in_test).count();
    if tests > 0 {
        notes.push(format!("{tests} in tests"));
    }
    if !notes.is_empty() {
        text.push_str(&format!(" ({})", notes.join(", ")));
    }
    let accepted = report.set_aside.iter().filter(|aside| aside.by == By::Baseline).count();
    text.push_str(&format!(", {} unknown", report.unknowns.len()));
    text.push_str(&format!(", {} suppressed", report.set_aside.len() - accepted));
    if accepted > 0 {
        text.push_str(&format!(", {accepted} in the baseline"));
    }
    text.push_str(&format!(
        "; {} in {}",
        count(report.files, "file", "files"),
        count(report.packages, "package", "packages")
    ));
    let errors = report.problems.iter().filter(|p| p.severity == Severity::Error).count();
    if errors > 0 {
        text.push_str(&format!("; incomplete: {}", count(errors, "error", "errors")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_well() {
        assert_eq!(shown(Path::new("./src/./a.rs")), "src/a.rs");
        assert_eq!(shown(Path::new("/x/y")), "/x/y");
        assert_eq!(shown(Path::new("../x")), "../x");
        assert_eq!(shown(Path::new(".")), ".");
    }
}
