//! The module trees of all targets.
//!
//! Files are read in waves: all files a wave names are read and indexed in
//! parallel, each once, and their `mod` items name the next wave. A file is
//! *instantiated* for every place in a module tree it is named at: a
//! [`Node`] per scope, linked to the scope around it. Invariants: a file
//! never stands below itself (reported as a cycle), and one crate holds at
//! most `MAX_INSTANCES` instances of a file, so that the walk ends.

use super::extract::index_file;
use super::index::*;
use super::names::{Interner, Names, Symbol};
use super::pool::{Outcome, read_all};
use super::source::{ReadError, canonical};
use super::workspace::Workspace;
use super::{Problem, Severity};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

const MAX_INSTANCES: usize = 64;

/// Index of a [`Node`].
pub type NodeId = u32;

/// A file that was read.
#[derive(Debug)]
pub struct SourceFile {
    /// As first reached.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// What was kept of its syntax; empty if it did not parse.
    pub index: FileIndex,
}

/// A file at one place of a module tree.
#[derive(Debug)]
pub struct Instance {
    /// The crate, an index into [`Tree::crates`].
    pub krate: u32,
    /// The file, an index into [`Tree::files`].
    pub file: u32,
    /// The node of its scope 0.
    pub base: NodeId,
    /// The node and conditions of the `mod` that names it.
    pub outer: Option<(NodeId, CfgId)>,
    /// Its items belong to the scope that includes it.
    pub is_included: bool,
    /// Where `mod x;` in it looks for files.
    pub(super) directory: PathBuf,
}

/// A scope at one place of a module tree.
#[derive(Debug)]
pub struct Node {
    /// The instance it is part of.
    pub instance: u32,
    /// Its scope in the file.
    pub scope: ScopeId,
    /// The node around it.
    pub parent: Option<NodeId>,
    /// Child modules.
    pub modules: Vec<(Symbol, Visibility, NodeId)>,
    /// Files included into this scope.
    pub included: Vec<NodeId>,
}

/// One target of one package.
#[derive(Debug)]
pub struct Crate {
    /// The package, an index into [`Workspace::packages`].
    pub package: usize,
    /// The target, an index into its targets.
    pub target: usize,
    /// Its root module, if the file was read.
    pub root: Option<NodeId>,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Tree {
    /// Files, each once.
    pub files: Vec<SourceFile>,
    /// Targets.
    pub crates: Vec<Crate>,
    /// Files at their places.
    pub instances: Vec<Instance>,
    /// Scopes at their places.
    pub nodes: Vec<Node>,
    /// What went wrong.
    pub problems: Vec<Problem>,
}

impl Tree {
    /// The scope behind a node.
    pub fn scope(&self, node: NodeId) -> &Scope {
        let node = &self.nodes[node as usize];
        let file = self.instances[node.instance as usize].file;
        &self.files[file as usize].index.scopes[node.scope as usize]
    }

    /// All conditions a use stands under, outermost first.
    pub fn conditions(&self, instance: &Instance, cfg: CfgId) -> Vec<&Cfg> {
        let mut parts = vec![self.files[instance.file as usize].index.conditions(cfg)];
        let mut outer = instance.outer;
        while let Some((node, cfg)) = outer {
            let instance = &self.instances[self.nodes[node as usize].instance as usize];
            parts.push(self.files[instance.file as usize].index.conditions(cfg));
            outer = instance.outer;
        }
        parts.into_iter().rev().flatten().collect()
    }
}

/// How a file comes to be at its place.
pub(super) enum Link {
    Root,
    Module(Symbol, Visibility),
    Include,
}

/// A place a file is named at.
pub(super) struct Pending {
    pub(super) path: PathBuf,
    pub(super) krate: u32,
    pub(super) outer: Option<(NodeId, CfgId)>,
    pub(super) link: Link,
    /// Its modules lie beside it (`mod.rs`, roots, `#[path]`).
    pub(super) owns_directory: bool,
    /// The `mod` that names it, for messages.
    pub(super) from: Option<(PathBuf, (u32, u32))>,
    pub(super) optional: bool,
}

pub(super) struct Walk<'a> {
    pub(super) tree: Tree,
    pub(super) names: &'a Interner,
    files: HashMap<PathBuf, Option<u32>>,
    counts: HashMap<(u32, u32), usize>,
    pub(super) next: Vec<Pending>,
    /// Per crate: problems in it are asked for.
    pub(super) reports: Vec<bool>,
}

/// Walks the module trees of all targets of all packages.
///
/// # Errors
///
/// Only if no thread with the stack the parser needs can be started.
pub fn walk(workspace: &Workspace, names: &Interner) -> io::Result<Tree> {
    let mut walk = Walk {
        tree: Tree::default(),
        names,
        files: HashMap::new(),
        counts: HashMap::new(),
        next: Vec::new(),
        reports: Vec::new(),
    };
    for (p, package) in workspace.packages.iter().enumerate() {
        for (t, target) in package.targets.iter().enumerate() {
            // of the packages around, only libraries can be named
            if !package.reported && target.kind != super::targets::TargetKind::Lib {
                continue;
            }
            let pending = Pending {
                path: target.root.clone(),
                krate: walk.tree.crates.len() as u32,
                outer: None,
                link: Link::Root,
                owns_directory: true,
                from: None,
                optional: !package.reported,
            };
            walk.reports.push(package.reported);
            walk.tree.crates.push(Crate { package: p, target: t, root: None });
            match package.outline {
                Some(outline) => walk.outline(pending, outline),
                None => walk.next.push(pending),
            }
        }
    }
    while !walk.next.is_empty() {
        walk.wave()?;
    }
    walk.tree.problems.sort();
    walk.tree.problems.dedup();
    Ok(walk.tree)
}

impl Walk<'_> {
    /// The root of a crate that is only known by an outline.
    fn outline(&mut self, pending: Pending, outline: &str) {
        // that they parse is tested
        if let Ok(index) = index_file(outline, &mut Names::new(self.names)) {
            let file = self.tree.files.len() as u32;
            self.tree.files.push(SourceFile { path: pending.path.clone(), text: String::new(), index });
            self.instantiate(pending, file);
        }
    }

    fn wave(&mut self) -> io::Result<()> {
        let wave = std::mem::take(&mut self.next);
        let mut keys = Vec::with_capacity(wave.len());
        let mut unread: Vec<(PathBuf, PathBuf)> = Vec::new();
        for pending in &wave {
            let key = canonical(&pending.path);
            if !self.files.contains_key(&key) {
                self.files.insert(key.clone(), None);
                unread.push((key.clone(), pending.path.clone()));
            }
            keys.push(key);
        }
        let paths: Vec<&Path> = unread.iter().map(|(_, path)| path.as_path()).collect();
        let outcomes = read_all(&paths, self.names)?;
        let mut failed: HashMap<PathBuf, ReadError> = HashMap::new();
        for ((key, path), outcome) in unread.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Unread(e) => {
                    failed.insert(key, e);
                }
                Outcome::Read(text, index, error) => {
                    let reported = wave
                        .iter()
                        .zip(&keys)
                        .any(|(pending, k)| *k == key && self.reports[pending.krate as usize]);
                    if let (Some((place, message)), true) = (error, reported) {
                        self.problem(path.clone(), Some(place), Severity::Error, message);
                    }
                    self.files.insert(key, Some(self.tree.files.len() as u32));
                    self.tree.files.push(SourceFile { path, text, index: *index });
                }
            }
        }
        for (pending, key) in wave.into_iter().zip(keys) {
            match self.files.get(&key) {
                Some(Some(file)) => self.instantiate(pending, *file),
                _ => {
                    if self.reports[pending.krate as usize] {
                        self.unreadable(&pending, failed.get(&key));
                    }
                }
            }
        }
        Ok(())
    }

    fn problem(&mut self, file: PathBuf, place: Option<(u32, u32)>, severity: Severity, message: String) {
        self.tree.problems.push(Problem { file, place, severity, message });
    }

    fn unreadable(&mut self, pending: &Pending, error: Option<&ReadError>) {
        let severity = if pending.optional { Severity::Warning } else { Severity::Error };
        let reason = error.map_or_else(|| "cannot be read".into(), ReadError::explain);
        self.problem(pending.path.clone(), None, severity, reason);
    }

    fn is_cycle(&self, pending: &Pending, file: u32) -> bool {
        let mut outer = pending.outer;
        while let Some((node, _)) = outer {
            let instance = &self.tree.instances[self.tree.nodes[node as usize].instance as usize];
            if instance.file == file {
                return true;
            }
            outer = instance.outer;
        }
        false
    }

    fn instantiate(&mut self, pending: Pending, file: u32) {
        let from = pending.from.clone().unwrap_or_else(|| (pending.path.clone(), (1, 1)));
        if self.is_cycle(&pending, file) {
            let message = format!("circular module: {} contains itself", pending.path.display());
            return self.problem(from.0, Some(from.1), Severity::Error, message);
        }
        let count = self.counts.entry((pending.krate, file)).or_default();
        *count += 1;
        if *count > MAX_INSTANCES {
            let message = format!(
                "{} is a module of this crate more than {MAX_INSTANCES} times; the rest is left out",
                pending.path.display()
            );
            return self.problem(from.0, Some(from.1), Severity::Error, message);
        }
        let instance = self.tree.instances.len() as u32;
        let base = self.tree.nodes.len() as NodeId;
        let dir = pending.path.parent().unwrap_or(Path::new(""));
        let directory = match pending.path.file_stem() {
            Some(stem) if !pending.owns_directory => dir.join(stem),
            _ => dir.to_path_buf(),
        };
        self.tree.instances.push(Instance {
            krate: pending.krate,
            file,
            base,
            outer: pending.outer,
            is_included: matches!(pending.link, Link::Include),
            directory,
        });
        let index = &self.tree.files[file as usize].index;
        for (i, scope) in index.scopes.iter().enumerate() {
            self.tree.nodes.push(Node {
                instance,
                scope: i as ScopeId,
                parent: match scope.parent {
                    Some(parent) => Some(base + parent),
                    None => pending.outer.map(|(node, _)| node),
                },
                modules: Vec::new(),
                included: Vec::new(),
            });
        }
        if index.scopes.is_empty() {
            return; // it did not parse
        }
        match (&pending.link, pending.outer) {
            (Link::Root, _) => self.tree.crates[pending.krate as usize].root = Some(base),
            (Link::Module(name, visibility), Some((outer, _))) => {
                let entry = (*name, *visibility, base);
                self.tree.nodes[outer as usize].modules.push(entry);
            }
            (Link::Include, Some((outer, _))) => self.tree.nodes[outer as usize].included.push(base),
            _ => {}
        }
        self.follow(instance);
    }
}
