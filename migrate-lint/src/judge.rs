//! From sites to findings: what each rule says of the uses it watches.
//!
//! Everything that is wrong, or may be, becomes a [`Hit`], in order of rule,
//! file and place; what a person or a configuration decided about it is left
//! to [`settle`](crate::settle).

use crate::identity::{Identity, Places};
use crate::load::index::{Argument, Form, OwnerId};
use crate::load::names::Interner;
use crate::load::tree::Tree;
use crate::load::workspace::Workspace;
use crate::resolve::{Site, Verdict, sites};
use crate::rule::{Diagnosis, Finding, InTarget, Level, Rule, Subject};
use crate::rules;
use std::collections::BTreeMap;

/// A finding or an unknown, before anybody's decisions about it.
pub(crate) struct Hit {
    /// The file, an index into [`Tree::files`].
    pub(crate) file: u32,
    /// The item it stands in.
    pub(crate) owner: OwnerId,
    /// First line of the statement around it.
    pub(crate) statement_line: u32,
    /// It cannot be told.
    pub(crate) is_unknown: bool,
    /// What is shown.
    pub(crate) finding: Finding,
}

/// Applies all rules.
pub(crate) fn judge(workspace: &Workspace, tree: &Tree, names: &Interner) -> Vec<Hit> {
    let mut lines = Lines::default();
    let mut hits = Vec::new();
    for rule in rules::ALL.iter().filter(|rule| !rule.watched.is_empty()) {
        for site in sites(workspace, tree, names, rule.watched) {
            let snippet = lines.line(tree, site.file, site.at.span.line);
            hits.push(Hit {
                file: site.file,
                owner: site.at.owner,
                statement_line: site.at.statement_line,
                is_unknown: matches!(site.verdict, Verdict::Unknown(_)),
                finding: finding(workspace, tree, names, rule, &site, snippet),
            });
        }
    }
    identify(&mut hits, tree);
    hits
}

fn identify(hits: &mut [Hit], tree: &Tree) {
    let mut places = BTreeMap::new();
    for Hit { file, owner, finding, .. } in hits {
        let source = &tree.files[*file as usize];
        let places = places.entry(*file).or_insert_with(|| Places::of(&source.text));
        finding.identity = places.identity(finding.span, source.index.body_of(*owner));
    }
}

/// The lines of files that have something to show, split once a file.
#[derive(Default)]
pub(crate) struct Lines<'a>(BTreeMap<u32, Vec<&'a str>>);

impl<'a> Lines<'a> {
    /// One line, 1-based.
    pub(crate) fn line(&mut self, tree: &'a Tree, file: u32, line: u32) -> String {
        let lines = self.0.entry(file).or_insert_with(|| {
            let text = tree.files[file as usize].text.as_str();
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            text.lines().collect()
        });
        let found = (line as usize).checked_sub(1).and_then(|i| lines.get(i));
        found.copied().unwrap_or("").to_string()
    }
}

fn finding(
    workspace: &Workspace,
    tree: &Tree,
    names: &Interner,
    rule: &Rule,
    site: &Site,
    snippet: String,
) -> Finding {
    let source = &tree.files[site.file as usize];
    let callee = match site.at.form {
        Form::Call(Argument::CallOf(name)) => Some(names.text(name)),
        _ => None,
    };
    let subject = |function| Subject {
        function,
        written: &site.written,
        form: site.at.form,
        callee: callee.as_deref().filter(|name| name.starts_with(char::is_lowercase)),
    };
    let (level, diagnosis) = match &site.verdict {
        Verdict::Yes(watched) => (rule.level, (rule.diagnose)(&subject(rule.watched[*watched]))),
        Verdict::Unknown(reason) => {
            let function = rule.watched.first().copied().unwrap_or_default();
            let diagnosis = Diagnosis {
                message: format!("`{}` may be `{function}`", site.written),
                reason: reason.clone(),
                suggestion: format!(
                    "if it is not, or if that is meant: // migrate-lint: allow({}) reason",
                    rule.name
                ),
            };
            (Level::Info, diagnosis)
        }
    };
    let targets = site.targets.iter().map(|&(p, t)| {
        let package = &workspace.packages[p];
        InTarget {
            package: package.name.clone(),
            kind: package.targets[t].kind.name(),
            name: package.targets[t].name.clone(),
        }
    });
    Finding {
        rule: rule.name,
        level,
        file: source.path.clone(),
        span: site.at.span,
        item: names.path(&source.index.item_path(site.at.owner)),
        identity: Identity::default(),
        fate: None,
        diagnosis,
        fix: None,
        snippet,
        cfg: site.cfg.clone(),
        in_test: site.in_test,
        targets: targets.collect(),
    }
}
