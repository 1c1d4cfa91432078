//! Annotations of a GitHub workflow: a command on standard output for each
//! finding, which the runner shows beside the code and in the log.

use super::{severity, shown, summary};
use crate::check::Report;
use crate::place::Relative;
use std::io::{self, Write};

/// Writes findings, and unless `is_quiet` a summary.
pub fn render(report: &Report, is_quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    let relative = Relative::new(&report.repository, &report.root);
    for finding in &report.findings {
        let command = match severity(finding.level) {
            "note" => "notice",
            word => word,
        };
        let (span, words) = (finding.span, &finding.diagnosis);
        let file = property(&shown(&relative.path(&finding.file)));
        write!(out, "::{command} file={file},line={},endLine={}", span.line, span.end_line)?;
        // columns are only for what is on one line
        if span.line == span.end_line {
            write!(out, ",col={},endColumn={}", span.column, span.end_column)?;
        }
        let text = format!("{}\n{}\nInstead: {}", words.message, words.reason, words.suggestion);
        writeln!(out, ",title=migrate-lint {}::{}", property(finding.rule), data(&text))?;
    }
    if is_quiet { Ok(()) } else { writeln!(out, "{}", summary(report)) }
}

/// Text after `::`, as the runner reads it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(data("100%\r\na:b,c"), "100%25%0D%0Aa:b,c");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }
}
