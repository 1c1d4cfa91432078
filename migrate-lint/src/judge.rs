//! From sites to findings: what each rule says of the uses it watches.
//!
//! Everything that is wrong, or may be, becomes a [`Hit`], in order of rule,
//! file and place; what a person or a configuration decided about it is left
//! to [`settle`](crate::settle).

use crate::facts::{Facts, Offence, Task};
use crate::fate::Fate;
use crate::kin;
use crate::load::index::Span;
use crate::load::names::Interner;
use crate::load::tree::Tree;
use crate::load::workspace::Workspace;
use crate::precise::Said;
use crate::rule::{Finding, InTarget, Level, Rule};
use crate::rules;
use crate::sites::{Verdict, sites};
use crate::types::World;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A task that is started, or may be, whatever the rules say of it.
#[derive(Clone, Debug)]
pub struct Started {
    /// The file, as reached from the path that was given.
    pub file: PathBuf,
    /// The package it is part of.
    pub package: String,
    /// The path or method that starts it.
    pub span: Span,
    /// The item around it.
    pub item: String,
    /// The function that starts it, by its public path, if that is known.
    pub by: Option<&'static str>,
    /// What becomes of its handle, or why that cannot be told.
    pub fate: Result<Fate, String>,
    /// It only exists in tests.
    pub in_test: bool,
}

/// What came of the rules.
pub(crate) struct Judged {
    pub(crate) hits: Vec<Hit>,
    pub(crate) tasks: Vec<Started>,
}

/// A finding or an unknown, before anybody's decisions about it.
pub(crate) struct Hit {
    /// The file, an index into [`Tree::files`].
    pub(crate) file: u32,
    /// First line of the statement around it.
    pub(crate) statement_line: u32,
    /// It cannot be told.
    pub(crate) is_unknown: bool,
    /// What is shown.
    pub(crate) finding: Finding,
}

/// Applies all rules.
pub(crate) fn judge(workspace: &Workspace, tree: &Tree, names: &Interner, said: Option<&Said>) -> Judged {
    let world = World::new(workspace, tree, names);
    let kin = kin::ALL.iter().map(|kin| kin.path);
    let watched: BTreeSet<&str> =
        kin.chain(rules::ALL.iter().flat_map(|r| r.watched.iter().copied())).collect();
    let facts = Facts::new(&world, sites(&world, &watched.into_iter().collect::<Vec<_>>(), said));
    let mut hits = Vec::new();
    for rule in rules::ALL {
        let mut offences = Vec::new();
        (rule.check)(&facts, &mut offences);
        for offence in merged(offences) {
            hits.push(hit(&facts, rule, offence));
        }
    }
    Judged { tasks: facts.tasks.iter().map(|task| started(workspace, tree, names, task)).collect(), hits }
}

/// The offences of one rule, each place once, in order of file and place.
fn merged(offences: Vec<Offence>) -> Vec<Offence> {
    let mut by_place: BTreeMap<(u32, Span), Offence> = BTreeMap::new();
    for offence in offences {
        match by_place.entry((offence.file, offence.span)) {
            Entry::Vacant(place) => {
                place.insert(offence);
            }
            Entry::Occupied(mut place) => {
                let known = place.get_mut();
                known.in_test &= offence.in_test;
                known.targets.extend(offence.targets);
                if known.level.is_none() && offence.level.is_some() {
                    (known.level, known.diagnosis, known.fate, known.fix) =
                        (offence.level, offence.diagnosis, offence.fate, offence.fix);
                }
            }
        }
    }
    by_place.into_values().collect()
}

fn started(workspace: &Workspace, tree: &Tree, names: &Interner, task: &Task) -> Started {
    let source = &tree.files[task.site.file as usize];
    let owner = source.index.bodies.contexts[task.site.context as usize].owner;
    Started {
        file: source.path.clone(),
        package: task.site.targets.first().map_or(String::new(), |t| workspace.packages[t.0].name.clone()),
        span: task.site.span,
        item: names.path(&source.index.item_path(owner)),
        by: task.kin.map(|kin| kin::shown(kin.path)),
        fate: match (&task.fate, &task.site.verdict) {
            (_, Verdict::Unknown(why)) => Err(why.clone()),
            (Ok(found), _) => Ok(found.fate),
            (Err(why), _) => Err(why.clone()),
        },
        in_test: task.site.in_test,
    }
}

fn hit(facts: &Facts<'_, '_>, rule: &Rule, offence: Offence) -> Hit {
    let World { workspace, tree, names, .. } = facts.world;
    let Offence { file, span, context, level, diagnosis, fate, fix, in_test, targets } = offence;
    let source = &tree.files[file as usize];
    let around = &source.index.bodies.contexts[context as usize];
    let places = facts.places(file);
    let (snippet, snippet_start) = places.snippet(span);
    let targets = targets.into_iter().map(|(p, t)| {
        let package = &workspace.packages[p];
        InTarget {
            package: package.name.clone(),
            kind: package.targets[t].kind.name(),
            name: package.targets[t].name.clone(),
        }
    });
    let instance = tree.instances.iter().find(|i| i.file == file);
    let cfg = instance.map_or(Vec::new(), |i| tree.conditions(i, around.cfg));
    Hit {
        file,
        statement_line: around.statement_line,
        is_unknown: level.is_none(),
        finding: Finding {
            rule: rule.name,
            level: level.unwrap_or(Level::Info),
            file: source.path.clone(),
            span,
            item: names.path(&source.index.item_path(around.owner)),
            identity: places.identity(span, source.index.body_of(around.owner)),
            fate,
            diagnosis,
            fix,
            snippet,
            snippet_start,
            cfg: cfg.iter().map(|c| c.text.clone()).collect(),
            in_test,
            targets: targets.collect(),
        },
    }
}
