//! Which uses of paths in the workspace mean a function that rules watch.
//!
//! Each use gets a [`Verdict`]: yes, no, or unknown with the reason. A use
//! that is reached through several targets or configurations is one site; a
//! yes outweighs an unknown, an unknown a no. Only paths whose last segment
//! is a watched name, or a rename of one somewhere in the workspace, are
//! resolved at all.

mod crates;
mod externs;
mod names;

use crate::load::index::PathUse;
use crate::load::names::{Interner, Symbol, kw};
use crate::load::tree::{NodeId, Tree};
use crate::load::workspace::Workspace;
use names::{Meaning, Resolver};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Whether a use means a watched function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It means this one, an index into the watched paths.
    Yes(usize),
    /// It may; this is why it cannot be told.
    Unknown(String),
}

/// A use with its verdict; uses that mean something else are left out.
#[derive(Debug)]
pub struct Site {
    /// The file, an index into [`Tree::files`].
    pub file: u32,
    /// The use.
    pub at: PathUse,
    /// The path as written.
    pub written: String,
    /// What was decided.
    pub verdict: Verdict,
    /// Conditions it stands under, outermost first.
    pub cfg: Vec<String>,
    /// It only exists in tests.
    pub in_test: bool,
    /// The targets it is part of, as (package, target) indices.
    pub targets: BTreeSet<(usize, usize)>,
}

/// Finds all sites of `watched` paths (such as `tokio::task::spawn`) in the
/// packages asked for, in order of file and place.
pub fn sites(workspace: &Workspace, tree: &Tree, names: &Interner, watched: &[&str]) -> Vec<Site> {
    let candidates = Candidates::new(tree, names, watched);
    let mut resolver = Resolver::new(workspace, tree, names);
    let mut found: BTreeMap<(u32, u32, u32), Site> = BTreeMap::new();
    for instance in &tree.instances {
        let krate = &tree.crates[instance.krate as usize];
        let package = &workspace.packages[krate.package];
        if !package.reported {
            continue;
        }
        let kind = package.targets[krate.target].kind;
        let index = &tree.files[instance.file as usize].index;
        for at in &index.uses {
            let path = index.path_of(at);
            let Some(&last) = path.last() else { continue };
            if !candidates.names.contains(&last) {
                continue;
            }
            let node: NodeId = instance.base + at.scope;
            let meanings = resolver.resolve(node, path);
            let Some(verdict) = candidates.verdict(&meanings, path, at, names) else {
                continue;
            };
            let key = (instance.file, at.span.line, at.span.column);
            let conditions = tree.conditions(instance, at.cfg);
            let in_test = kind.is_test() || conditions.iter().any(|c| c.is_test);
            let target = (krate.package, krate.target);
            if let Some(site) = found.get_mut(&key) {
                if matches!((&site.verdict, &verdict), (Verdict::Unknown(_), Verdict::Yes(_))) {
                    site.verdict = verdict;
                }
                site.in_test &= in_test;
                site.targets.insert(target);
                continue;
            }
            found.insert(
                key,
                Site {
                    file: instance.file,
                    at: *at,
                    written: names.path(path),
                    verdict,
                    cfg: conditions.iter().map(|c| c.text.clone()).collect(),
                    in_test,
                    targets: BTreeSet::from([target]),
                },
            );
        }
    }
    found.into_values().collect()
}

/// Names that may lead to a watched function.
struct Candidates<'a> {
    watched: &'a [&'a str],
    /// Their own last segments.
    plain: HashSet<Symbol>,
    /// Those, and all renames of them.
    names: HashSet<Symbol>,
}

impl<'a> Candidates<'a> {
    fn new(tree: &Tree, names: &Interner, watched: &'a [&'a str]) -> Self {
        let last = |path: &&str| names.intern(path.rsplit("::").next().unwrap_or(path));
        let plain: HashSet<Symbol> = watched.iter().map(last).collect();
        let renames: Vec<(Symbol, Symbol)> = tree
            .files
            .iter()
            .flat_map(|f| &f.index.scopes)
            .flat_map(|s| &s.imports)
            .filter_map(|i| Some((*i.path.last()?, i.name?)))
            .filter(|(source, name)| source != name)
            .collect();
        let mut all = plain.clone();
        loop {
            let before = all.len();
            all.extend(renames.iter().filter(|(s, _)| all.contains(s)).map(|(_, n)| *n).collect::<Vec<_>>());
            if all.len() == before {
                break;
            }
        }
        Candidates { watched, plain, names: all }
    }

    fn verdict(
        &self,
        meanings: &[Meaning],
        path: &[Symbol],
        at: &PathUse,
        names: &Interner,
    ) -> Option<Verdict> {
        let hit = meanings.iter().find_map(|m| match m {
            Meaning::Outside(found) => {
                let found = found.join("::");
                self.watched.iter().position(|w| *w == found)
            }
            _ => None,
        });
        if let Some(hit) = hit {
            return Some(match at.quoted {
                true => Verdict::Unknown("it is code that a macro generates for another crate".into()),
                false => Verdict::Yes(hit),
            });
        }
        let is_plain = path.last().is_some_and(|last| self.plain.contains(last));
        for meaning in meanings {
            match meaning {
                Meaning::Lost(reason) if is_plain && self.may_be_function(path, names) => {
                    return Some(Verdict::Unknown(reason.to_string()));
                }
                Meaning::Outside(found) => {
                    if let Some(reason) = self.may_re_export(found) {
                        return Some(Verdict::Unknown(reason));
                    }
                }
                _ => {}
            }
        }
        let nowhere = meanings.is_empty() && is_plain && self.may_be_function(path, names);
        nowhere.then(|| {
            let subject = names.text(path.iter().copied().find(|s| *s != kw::ROOT).unwrap_or(path[0]));
            Verdict::Unknown(match path.len() {
                1 => format!("nothing named `{subject}` is in sight"),
                _ => "its path leads to nothing that was read".to_string(),
            })
        })
    }

    /// Not an associated function: those are never a watched path.
    fn may_be_function(&self, path: &[Symbol], names: &Interner) -> bool {
        let before = path.len().checked_sub(2).map(|i| names.text(path[i]));
        !before.is_some_and(|segment| segment.starts_with(char::is_uppercase))
    }

    fn may_re_export(&self, found: &[String]) -> Option<String> {
        let [krate, .., last] = found else {
            return None;
        };
        let is_plain = self.watched.iter().any(|w| w.rsplit("::").next() == Some(last));
        let in_type = found[..found.len() - 1].iter().any(|s| s.starts_with(char::is_uppercase));
        (is_plain && !in_type && !externs::is_settled(krate))
            .then(|| format!("`{}` is in a crate that was not read", found.join("::")))
    }
}
