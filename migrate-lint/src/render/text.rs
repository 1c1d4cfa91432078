//! The text form: one block per finding, unknowns after findings, a summary.
//!
//! The first line of a block, `path:line:column: severity[rule]: message`, is
//! the form editors and CI jump by. Problems are not part of it; they go to
//! standard error as they would for any tool.

use super::shown;
use crate::check::Report;
use crate::load::{Problem, Severity};
use crate::rule::{Finding, Level};
use std::io::{self, Write};

/// Longer lines (minified, generated) are cut around the place.
const MAX_SNIPPET: usize = 160;

/// Writes the whole report.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        block(finding, finding.level.severity(), out)?;
    }
    for unknown in &report.unknowns {
        block(unknown, "unknown", out)?;
    }
    writeln!(out, "{}", summary(report))
}

fn block(finding: &Finding, severity: &str, out: &mut dyn Write) -> io::Result<()> {
    let span = finding.span;
    let file = shown(&finding.file);
    let Finding { rule, diagnosis, .. } = finding;
    writeln!(out, "{file}:{}:{}: {severity}[{rule}]: {}", span.line, span.column, diagnosis.message)?;
    let number = span.line.to_string();
    let gutter = " ".repeat(number.len());
    let from = span.column as usize - 1;
    let to = if span.end_line == span.line { span.end_column as usize - 1 } else { usize::MAX };
    let (line, pad, carets) = underline(&finding.snippet, from, to);
    writeln!(out, "{gutter} |")?;
    writeln!(out, "{number} | {line}")?;
    writeln!(out, "{gutter} | {pad}{carets}")?;
    writeln!(out, "{gutter} = why: {}", diagnosis.reason)?;
    writeln!(out, "{gutter} = try: {}", diagnosis.suggestion)?;
    if !finding.cfg.is_empty() {
        writeln!(out, "{gutter} = cfg: {}", finding.cfg.join(", "))?;
    }
    writeln!(out)
}

/// The line as shown, and padding and carets to go below it. Tabs become
/// spaces, control characters a mark, and wide characters count twice.
fn underline(snippet: &str, from: usize, to: usize) -> (String, String, String) {
    let chars: Vec<char> = snippet.trim_end().chars().collect();
    let to = to.clamp(from + 1, chars.len().max(from + 1));
    let skip = if chars.len() > MAX_SNIPPET { from.saturating_sub(MAX_SNIPPET / 4) } else { 0 };
    let (mut line, mut pad, mut carets) = (String::new(), String::new(), String::new());
    if skip > 0 {
        line.push_str("..");
        pad.push_str("  ");
    }
    for (i, &c) in chars.iter().enumerate().skip(skip).take(MAX_SNIPPET) {
        let width = match c {
            '\t' => 4,
            c => width(c),
        };
        match c {
            '\t' => line.push_str("    "),
            c if c.is_control() || is_bidi(c) => line.push('\u{fffd}'),
            c => line.push(c),
        }
        if i < from {
            pad.push_str(&" ".repeat(width));
        } else if i < to {
            carets.push_str(&"^".repeat(width));
        }
    }
    if skip + MAX_SNIPPET < chars.len() {
        line.push_str("..");
    }
    if carets.is_empty() {
        carets.push('^');
    }
    (line, pad, carets)
}

/// Columns a character takes in a terminal, nearly.
fn width(c: char) -> usize {
    match c as u32 {
        0x300..=0x36f | 0x200b..=0x200d | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
        0xfe30..=0xfe6f | 0xff00..=0xff60 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Characters that would reorder the line around them.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `1 finding (1 warning), ..`
pub fn summary(report: &Report) -> String {
    let mut text = count(report.findings.len(), "finding");
    let levels: Vec<String> = [Level::Deny, Level::Warn, Level::Info]
        .into_iter()
        .map(|level| (level, report.findings.iter().filter(|f| f.level == level).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(level, n)| count(n, level.severity()))
        .collect();
    let tests = report.findings.iter().filter(|f| f.in_test).count();
    let mut notes = levels;
    if tests > 0 {
        notes.push(format!("{tests} in tests"));
    }
    if !notes.is_empty() {
        text.push_str(&format!(" ({})", notes.join(", ")));
    }
    text.push_str(&format!(
        ", {} unknown, {} suppressed; {} in {}",
        report.unknowns.len(),
        report.set_aside.len(),
        count(report.files, "file"),
        count(report.packages, "package"),
    ));
    let errors = report.problems.iter().filter(|p| p.severity == Severity::Error).count();
    if errors > 0 {
        text.push_str(&format!("; incomplete: {}", count(errors, "error")));
    }
    text
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_below_the_span() {
        let (line, pad, carets) = underline("\tx(spawn)", 3, 8);
        assert_eq!(line, "    x(spawn)");
        assert_eq!(pad.len(), 6);
        assert_eq!(carets, "^^^^^");
        let (_, pad, _) = underline("\"日本\"; go()", 6, 8);
        assert_eq!(pad.len(), 8);
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let (line, pad, carets) =
            underline(&format!("{}spawn{}", "x".repeat(1000), "y".repeat(1000)), 1000, 1005);
        assert!(line.chars().count() <= MAX_SNIPPET + 4, "{line}");
        assert_eq!(&line[pad.len()..][..5], "spawn");
        assert_eq!(carets, "^^^^^");
    }

    #[test]
    fn any_span_is_shown() {
        for (from, to) in [(0, 0), (9, 3), (50, 60), (0, usize::MAX)] {
            let (.., carets) = underline("abc", from, to);
            assert!(!carets.is_empty());
        }
    }
}
