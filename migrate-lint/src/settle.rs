//! What was decided about the hits: suppression comments take some away, and
//! comments that take nothing away are findings themselves.

use crate::identity::Places;
use crate::judge::{Hit, Lines};
use crate::load::index::Span;
use crate::load::names::Interner;
use crate::load::tree::{SourceFile, Tree};
use crate::rule::{Diagnosis, Finding};
use crate::rules::{self, SUPPRESSION};
use crate::suppress::{Comment, Content, Suppressions};
use std::collections::{BTreeMap, BTreeSet};

/// A finding or an unknown that does not count, because somebody said so.
#[derive(Debug)]
pub struct SetAside {
    /// The finding.
    pub finding: Finding,
    /// It was an unknown.
    pub is_unknown: bool,
    /// Who said so, and why.
    pub by: By,
}

/// Why a finding does not count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum By {
    /// A comment beside it, for this reason.
    Comment(String),
}

/// All hits, sorted by what becomes of them.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) findings: Vec<Finding>,
    pub(crate) unknowns: Vec<Finding>,
    pub(crate) set_aside: Vec<SetAside>,
}

/// Settles the hits of a run over the files `linted`.
pub(crate) fn settle(hits: Vec<Hit>, tree: &Tree, names: &Interner, linted: &BTreeSet<u32>) -> Settled {
    let mut suppressions: BTreeMap<u32, Suppressions> = BTreeMap::new();
    for &file in linted {
        let source = &tree.files[file as usize];
        // a file that did not parse may hold what its comments speak for
        if !source.index.scopes.is_empty() {
            suppressions.insert(file, Suppressions::of(&source.text));
        }
    }
    let mut settled = Settled::default();
    for Hit { file, statement_line, is_unknown, finding, .. } in hits {
        let lines = [finding.span.line, statement_line];
        let of_file = suppressions.get_mut(&file);
        if let Some(reason) = of_file.and_then(|found| found.suppress(finding.rule, lines)) {
            settled.set_aside.push(SetAside { finding, is_unknown, by: By::Comment(reason) });
        } else if is_unknown {
            settled.unknowns.push(finding);
        } else {
            settled.findings.push(finding);
        }
    }
    let mut lines = Lines::default();
    for (file, found) in &suppressions {
        let SourceFile { path, index, text } = &tree.files[*file as usize];
        let complaints = found.comments().iter().flat_map(|(comment, used)| {
            complaints(comment, used).into_iter().map(move |diagnosis| (comment, diagnosis))
        });
        let mut places = None;
        for (comment, diagnosis) in complaints {
            let span = Span {
                line: comment.line,
                column: comment.column,
                end_line: comment.line,
                end_column: comment.end_column,
            };
            let places = places.get_or_insert_with(|| Places::of(text));
            settled.findings.push(Finding {
                rule: SUPPRESSION.name,
                level: SUPPRESSION.level,
                file: path.clone(),
                span,
                item: names.path(&index.item_path(index.owner_at(comment.line, comment.column))),
                identity: places.identity(span, Span::default()),
                fate: None,
                diagnosis,
                snippet: lines.line(tree, *file, comment.line),
                cfg: Vec::new(),
                in_test: false,
                targets: Vec::new(),
            });
        }
    }
    let place = |f: &Finding| (f.file.clone(), f.span, f.rule);
    settled.findings.sort_by_key(place);
    settled.unknowns.sort_by_key(place);
    settled.set_aside.sort_by_key(|aside| place(&aside.finding));
    settled
}

fn complaints(comment: &Comment, used: &BTreeSet<String>) -> Vec<Diagnosis> {
    match &comment.content {
        Content::NoReason => vec![rules::no_reason()],
        Content::Malformed => vec![rules::malformed()],
        Content::Allow { rules: names, .. } => names
            .iter()
            .filter(|name| !used.contains(*name))
            .map(|name| match rules::find(name) {
                Some(_) => rules::unused(name),
                None => rules::unknown_rule(name),
            })
            .collect(),
    }
}
