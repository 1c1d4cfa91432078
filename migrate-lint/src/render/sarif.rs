//! SARIF 2.1.0 (OASIS, 2020), as code scanning services take it.
//!
//! Findings are results; what cannot be told and what was not linted are
//! notifications, for they are no statement about the code. What a comment, a
//! scope or the baseline sets aside is left out: GitHub shows suppressed
//! results as open alerts. Nothing depends on the machine: files are relative
//! to the top of the repository, and a fingerprint says which result is the
//! same as one before.

use super::severity;
use crate::check::Report;
use crate::identity::Hash;
use crate::load::index::Span;
use crate::load::{Problem, Severity};
use crate::place::Relative;
use crate::rule::Finding;
use crate::rules;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Component, Path};

/// The name of the fingerprint; another way to compute it is another name.
const FINGERPRINT: &str = "migrateLint/v1";

/// Writes the document.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let relative = Relative::new(&report.repository, &report.root);
    let uri = |file: &Path| uri(&relative.path(file));
    let mut seen = BTreeMap::new();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            let uri = uri(&finding.file);
            let fingerprint = fingerprint(finding, &uri, &mut seen);
            result(finding, &uri, &fingerprint)
        })
        .collect();
    let unknowns = report.unknowns.iter().map(|f| unknown(f, &uri(&f.file)));
    let problems = report.problems.iter().map(|p| problem(p, &uri(&p.file)));
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": descriptors(),
            }},
            "invocations": [{
                "executionSuccessful": report.is_complete(),
                "toolExecutionNotifications": problems.chain(unknowns).collect::<Vec<_>>(),
            }],
            "originalUriBaseIds": {
                "%SRCROOT%": { "description": { "text": "The top of the repository." } },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn descriptors() -> Vec<Value> {
    let descriptor = |rule: &&crate::rule::Rule| {
        json!({
            "id": rule.name,
            "shortDescription": { "text": rule.summary },
            "fullDescription": { "text": rule.summary },
            "help": { "text": rule.page, "markdown": rule.page },
            "defaultConfiguration": { "level": severity(rule.level) },
        })
    };
    rules::ALL.iter().map(descriptor).collect()
}

fn rule_index(name: &str) -> Option<usize> {
    rules::ALL.iter().position(|rule| rule.name == name)
}

fn result(finding: &Finding, uri: &str, fingerprint: &str) -> Value {
    let words = &finding.diagnosis;
    let targets = finding.targets.iter().map(|t| format!("{} {} {}", t.package, t.kind, t.name));
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": rule_index(finding.rule),
        "level": severity(finding.level),
        "message": { "text": format!("{}: {}. Instead: {}", words.message, words.reason, words.suggestion) },
        "locations": [location(finding, uri)],
        "partialFingerprints": { FINGERPRINT: fingerprint },
        "properties": {
            "fate": finding.fate.map(|fate| fate.name()),
            "cfg": finding.cfg,
            "inTest": finding.in_test,
            "targets": targets.collect::<Vec<_>>(),
        },
    });
    if let Some(fix) = &finding.fix {
        let replacements = fix.edits.iter().map(
            |edit| json!({ "deletedRegion": region(edit.span), "insertedContent": { "text": edit.text } }),
        );
        result["fixes"] = json!([{
            "description": { "text": words.suggestion },
            "artifactChanges": [{
                "artifactLocation": artifact(uri),
                "replacements": replacements.collect::<Vec<_>>(),
            }],
        }]);
    }
    result
}

fn region(span: Span) -> Value {
    json!({
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    })
}

fn location(finding: &Finding, uri: &str) -> Value {
    let mut place = region(finding.span);
    place["snippet"] = json!({ "text": finding.snippet });
    let mut location = json!({
        "physicalLocation": { "artifactLocation": artifact(uri), "region": place },
    });
    if !finding.item.is_empty() {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": finding.item }]);
    }
    location
}

fn artifact(uri: &str) -> Value {
    json!({ "uri": uri, "uriBaseId": "%SRCROOT%" })
}

fn unknown(finding: &Finding, uri: &str) -> Value {
    json!({
        "level": "note",
        "message": { "text": format!("{}: {}", finding.diagnosis.message, finding.diagnosis.reason) },
        "associatedRule": { "id": finding.rule, "index": rule_index(finding.rule) },
        "locations": [location(finding, uri)],
    })
}

fn problem(problem: &Problem, uri: &str) -> Value {
    let mut place = json!({ "artifactLocation": artifact(uri) });
    if let Some((line, column)) = problem.place {
        place["region"] = json!({ "startLine": line, "startColumn": column });
    }
    json!({
        "level": match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": { "text": problem.message },
        "locations": [{ "physicalLocation": place }],
    })
}

/// The same for as long as rule, file, item and offence are, and another one
/// for each of several alike.
fn fingerprint(finding: &Finding, uri: &str, seen: &mut BTreeMap<u64, usize>) -> String {
    let mut hash = Hash::default();
    for word in [finding.rule, uri, &finding.item, &format!("{:08x}", finding.identity.head)] {
        hash.add(word);
    }
    let ordinal = seen.entry(hash.whole()).or_default();
    *ordinal += 1;
    format!("{:016x}:{ordinal}", hash.whole())
}

/// A path as a relative reference (RFC 3986, section 4.2).
fn uri(path: &Path) -> String {
    let mut out = String::new();
    for part in path.components().filter(|part| *part != Component::CurDir) {
        if !out.is_empty() {
            out.push('/');
        }
        for byte in part.as_os_str().to_string_lossy().bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
                byte => out.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    // the top of the repository itself
    if out.is_empty() { ".".into() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references() {
        assert_eq!(uri(Path::new("./src/a b/日.rs")), "src/a%20b/%E6%97%A5.rs");
        assert_eq!(uri(Path::new("c:d?e#f%g.rs")), "c%3Ad%3Fe%23f%25g.rs");
        assert_eq!(uri(Path::new("")), ".");
    }
}
