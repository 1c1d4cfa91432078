//! The text form, as rustc and cargo show diagnostics: a block per finding
//! with its line of code, unknowns after findings, a summary.
//!
//! Problems are not part of it; they go to standard error as they would for
//! any tool. annotate-snippets does the drawing, and takes care of wide,
//! control and reordering characters and of overlong lines.

use super::{severity, shown, summary};
use crate::check::Report;
use crate::rule::{Finding, Level};
use annotate_snippets::{AnnotationKind, Level as Title, Renderer, Snippet};
use std::io::{self, Write};

/// Writes findings, and unless `is_quiet` unknowns and a summary.
pub fn render(report: &Report, is_colored: bool, is_quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    let renderer = if is_colored { Renderer::styled() } else { Renderer::plain() };
    for finding in &report.findings {
        block(finding, severity(finding.level), &renderer, out)?;
    }
    if is_quiet {
        return Ok(());
    }
    for unknown in &report.unknowns {
        block(unknown, "unknown", &renderer, out)?;
    }
    writeln!(out, "{}", summary(report))?;
    match report.findings.iter().filter(|finding| finding.fix.is_some()).count() {
        0 => Ok(()),
        n => writeln!(out, "`cargo migrate-lint fix` mends {n} of them"),
    }
}

fn block(finding: &Finding, severity: &str, renderer: &Renderer, out: &mut dyn Write) -> io::Result<()> {
    let Finding { rule, level, span, diagnosis, snippet, snippet_start, .. } = finding;
    let title = match level {
        Level::Deny => Title::ERROR,
        Level::Warn => Title::WARNING,
        Level::Info => Title::NOTE,
    };
    let byte = |column: u32| {
        let before = column.saturating_sub(snippet_start + 1) as usize;
        snippet.char_indices().nth(before).map_or(snippet.len(), |(i, _)| i)
    };
    let from = byte(span.column);
    let to = if span.end_line == span.line { byte(span.end_column) } else { snippet.trim_end().len() };
    let code = Snippet::source(snippet.as_str())
        .line_start(span.line as usize)
        .path(shown(&finding.file))
        .annotation(AnnotationKind::Primary.span(from..to.max(from)));
    let mut group = title
        .with_name(severity)
        .primary_title(diagnosis.message.as_str())
        .id(*rule)
        .element(code)
        .element(Title::NOTE.message(diagnosis.reason.as_str()))
        .element(Title::HELP.message(diagnosis.suggestion.as_str()));
    if !finding.cfg.is_empty() {
        group = group.element(Title::NOTE.with_name("cfg").message(finding.cfg.join(", ")));
    }
    writeln!(out, "{}\n", renderer.render(&[group]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::index::Span;
    use crate::rule::Diagnosis;

    fn shown(snippet: &str, from: u32, to: u32) -> String {
        let finding = Finding {
            rule: "rule",
            level: Level::Warn,
            file: "a.rs".into(),
            span: Span { line: 7, column: from, end_line: 7, end_column: to },
            item: String::new(),
            identity: Default::default(),
            fate: None,
            diagnosis: Diagnosis { message: "what".into(), reason: "why".into(), suggestion: "try".into() },
            fix: None,
            snippet: snippet.into(),
            snippet_start: 0,
            cfg: Vec::new(),
            in_test: false,
            targets: Vec::new(),
        };
        let mut out = Vec::new();
        block(&finding, "warning", &Renderer::plain(), &mut out).expect("written");
        String::from_utf8(out).expect("UTF-8")
    }

    fn lines(snippet: &str, from: u32, to: u32) -> (String, String) {
        let text = shown(snippet, from, to);
        let mut lines = text.lines().skip_while(|line| !line.starts_with("7 |"));
        let mut next = || lines.next().unwrap_or_default()[3..].to_string();
        (next(), next())
    }

    #[test]
    fn carets_stand_below_the_span() {
        assert_eq!(lines("\tx(spawn)", 4, 9), ("     x(spawn)".into(), "       ^^^^^".into()));
        // two columns each
        assert_eq!(lines("\"日本\"; go()", 7, 9), (" \"日本\"; go()".into(), "         ^^".into()));
        assert!(shown("\tx(spawn)", 4, 9).contains("--> a.rs:7:4"));
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let (line, carets) = lines(&format!("{}spawn{}", "x".repeat(1000), "y".repeat(1000)), 1001, 1006);
        assert!(line.chars().count() < 200, "{line}");
        let at = carets.find('^').expect("carets");
        assert_eq!((&line[at..][..5], carets.trim()), ("spawn", "^^^^^"));
    }

    #[test]
    fn any_span_and_any_character_is_shown() {
        for (from, to) in [(1, 1), (10, 4), (51, 61), (1, u32::MAX)] {
            assert!(lines("abc", from, to).1.contains('^'), "{from}..{to}");
        }
        let text = shown("a\u{202e}b\u{1b}[31m c\u{7}", 1, 2);
        assert!(!text.contains(['\u{202e}', '\u{1b}', '\u{7}']), "{text:?}");
    }
}
