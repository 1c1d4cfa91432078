//! What was decided about the hits: suppression comments and the configuration
//! take some away or weigh them anew, and the baseline accepts what it knows.
//!
//! Comments come first, so that a comment that speaks for a finding is used
//! whatever the configuration says. Comments without effect are findings
//! themselves; scopes and entries without effect are stale.

use crate::config::{Config, Setting};
use crate::identity::Places;
use crate::judge::Hit;
use crate::load::index::Span;
use crate::load::names::Interner;
use crate::load::tree::{SourceFile, Tree};
use crate::load::workspace::Workspace;
use crate::place::Relative;
use crate::rule::{Diagnosis, Finding, Fix, InTarget};
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
    /// A scope of the configuration, for this reason.
    Scope(String),
    /// It was accepted when the baseline was written.
    Baseline,
}

/// All hits, sorted by what becomes of them.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) findings: Vec<Finding>,
    pub(crate) unknowns: Vec<Finding>,
    pub(crate) set_aside: Vec<SetAside>,
    /// The scopes that a hit was in.
    pub(crate) used_scopes: BTreeSet<usize>,
}

/// Settles the hits of a run over the files `linted`, by their comments and
/// the configuration.
pub(crate) fn settle(
    hits: Vec<Hit>,
    workspace: &Workspace,
    tree: &Tree,
    names: &Interner,
    linted: &BTreeSet<u32>,
    config: &Config,
    relative: &Relative,
) -> Settled {
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
        if !linted.contains(&file) {
            continue;
        }
        let lines = [finding.span.line, statement_line];
        let of_file = suppressions.get_mut(&file);
        match of_file.and_then(|found| found.suppress(finding.rule, lines)) {
            Some(reason) => settled.set_aside.push(SetAside { finding, is_unknown, by: By::Comment(reason) }),
            None => settled.configure(finding, is_unknown, config, relative),
        }
    }
    for (&file, found) in &suppressions {
        for finding in complaints(workspace, tree, names, file, found) {
            settled.configure(finding, false, config, relative);
        }
    }
    settled.findings.sort_by(|a, b| a.place().cmp(&b.place()));
    settled.unknowns.sort_by(|a, b| a.place().cmp(&b.place()));
    settled.set_aside.sort_by(|a, b| a.finding.place().cmp(&b.finding.place()));
    settled
}

impl Settled {
    fn configure(&mut self, mut finding: Finding, is_unknown: bool, config: &Config, relative: &Relative) {
        let (setting, scope) = config.setting(finding.rule, &relative.path(&finding.file));
        self.used_scopes.extend(scope);
        match (setting, scope) {
            (Some(Setting::Allow), None) => return,
            (Some(Setting::Allow), Some(scope)) => {
                let by = By::Scope(config.scopes[scope].reason.clone());
                return self.set_aside.push(SetAside { finding, is_unknown, by });
            }
            (Some(Setting::At(level)), _) if !is_unknown => finding.level = level,
            _ => {}
        }
        if is_unknown { self.unknowns.push(finding) } else { self.findings.push(finding) }
    }
}

/// Findings about the comments of a file that have no effect.
fn complaints(
    workspace: &Workspace,
    tree: &Tree,
    names: &Interner,
    file: u32,
    found: &Suppressions,
) -> Vec<Finding> {
    let SourceFile { path, index, text } = &tree.files[file as usize];
    let places = Places::of(text);
    let mut targets = None;
    let mut out = Vec::new();
    for (comment, used) in found.comments() {
        for (diagnosis, fix) in diagnoses(comment, used) {
            let span = Span {
                line: comment.line,
                column: comment.column,
                end_line: comment.line,
                end_column: comment.end_column,
            };
            let (snippet, snippet_start) = places.snippet(span);
            out.push(Finding {
                rule: SUPPRESSION.name,
                level: SUPPRESSION.level,
                file: path.clone(),
                span,
                item: names.path(&index.item_path(index.owner_at(comment.line, comment.column))),
                identity: places.identity(span, Span::default()),
                fate: None,
                diagnosis,
                fix,
                snippet,
                snippet_start,
                cfg: Vec::new(),
                in_test: false,
                targets: targets.get_or_insert_with(|| targets_of(workspace, tree, file)).clone(),
            });
        }
    }
    out
}

/// The targets a file is part of.
fn targets_of(workspace: &Workspace, tree: &Tree, file: u32) -> Vec<InTarget> {
    let instances = tree.instances.iter().filter(|instance| instance.file == file);
    let targets = instances.map(|instance| {
        let krate = &tree.crates[instance.krate as usize];
        let package = &workspace.packages[krate.package];
        let target = &package.targets[krate.target];
        InTarget { package: package.name.clone(), kind: target.kind.name(), name: target.name.clone() }
    });
    targets.collect::<BTreeSet<_>>().into_iter().collect()
}

fn diagnoses(comment: &Comment, used: &BTreeSet<String>) -> Vec<(Diagnosis, Option<Fix>)> {
    match &comment.content {
        Content::NoReason => vec![(rules::no_reason(), None)],
        Content::Malformed => vec![(rules::malformed(), None)],
        Content::Allow { rules: names, .. } => names
            .iter()
            .filter(|name| !used.contains(*name))
            .map(|name| match rules::find(name) {
                Some(_) => (rules::unused(name), comment.without(name)),
                None => (rules::unknown_rule(name), None),
            })
            .collect(),
    }
}
