//! The module trees of all targets.
//!
//! Files are read in waves: all files a wave names are read and indexed in
//! parallel, each once, and their `mod` items name the next wave. A file is
//! *instantiated* for every place in a module tree it is named at: a
//! [`Node`] per scope, linked to the scope around it. Invariants: a file
//! never stands below itself (reported as a cycle), and one crate holds at
//! most [`MAX_INSTANCES`] instances of a file, so that the walk ends.

use super::extract::index_file;
use super::index::*;
use super::names::{Interner, Names, Symbol};
use super::nesting::STACK;
use super::source::{ReadError, read_text};
use super::workspace::{Workspace, canonical, tidy};
use super::{Problem, Severity};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{io, thread};

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
    directory: PathBuf,
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
enum Link {
    Root,
    Module(Symbol, Visibility),
    Include,
}

/// A place a file is named at.
struct Pending {
    path: PathBuf,
    krate: u32,
    outer: Option<(NodeId, CfgId)>,
    link: Link,
    /// Its modules lie beside it (`mod.rs`, roots, `#[path]`).
    owns_directory: bool,
    /// The `mod` that names it, for messages.
    from: Option<(PathBuf, (u32, u32))>,
    optional: bool,
}

struct Walk<'a> {
    tree: Tree,
    names: &'a Interner,
    files: HashMap<PathBuf, Option<u32>>,
    counts: HashMap<(u32, u32), usize>,
    next: Vec<Pending>,
    /// Per crate: problems in it are asked for.
    reports: Vec<bool>,
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
            walk.next.push(Pending {
                path: target.root.clone(),
                krate: walk.tree.crates.len() as u32,
                outer: None,
                link: Link::Root,
                owns_directory: true,
                from: None,
                optional: !package.reported,
            });
            walk.reports.push(package.reported);
            walk.tree.crates.push(Crate {
                package: p,
                target: t,
                root: None,
            });
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
                    self.tree.files.push(SourceFile { path, text, index });
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

    fn problem(
        &mut self,
        file: PathBuf,
        place: Option<(u32, u32)>,
        severity: Severity,
        message: String,
    ) {
        self.tree.problems.push(Problem {
            file,
            place,
            severity,
            message,
        });
    }

    fn unreadable(&mut self, pending: &Pending, error: Option<&ReadError>) {
        let severity = if pending.optional {
            Severity::Warning
        } else {
            Severity::Error
        };
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
        let from = pending
            .from
            .clone()
            .unwrap_or_else(|| (pending.path.clone(), (1, 1)));
        if self.is_cycle(&pending, file) {
            let message = format!(
                "circular module: {} contains itself",
                pending.path.display()
            );
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
            (Link::Include, Some((outer, _))) => {
                self.tree.nodes[outer as usize].included.push(base)
            }
            _ => {}
        }
        let reported = self.reports[pending.krate as usize];
        self.follow(instance, reported);
    }

    /// Queues the files that an instance's `mod` items and inclusions name.
    fn follow(&mut self, instance: u32, reported: bool) {
        let Walk {
            tree, names, next, ..
        } = self;
        let at = &tree.instances[instance as usize];
        let file = &tree.files[at.file as usize];
        let beside = file.path.parent().unwrap_or(Path::new("")).to_path_buf();
        let mut problems = Vec::new();
        for (s, scope) in file.index.scopes.iter().enumerate() {
            let node = at.base + s as NodeId;
            let mut inside = at.directory.clone();
            inside.extend(&scope.directory);
            for module in &scope.modules {
                let (paths, conventional) = match &module.body {
                    ModuleBody::Inline(scope) => {
                        let entry = (module.name, module.visibility, at.base + scope);
                        tree.nodes[node as usize].modules.push(entry);
                        continue;
                    }
                    ModuleBody::File {
                        paths,
                        conventional,
                    } => (paths, *conventional),
                };
                let base = if scope.directory.is_empty() {
                    &beside
                } else {
                    &inside
                };
                let mut found: Vec<(PathBuf, bool)> = paths
                    .iter()
                    .map(|path| (tidy(&base.join(path)), true))
                    .filter(|(path, _)| path.exists() || !conventional)
                    .collect();
                if conventional {
                    let name = names.text(module.name);
                    let flat = inside.join(format!("{name}.rs"));
                    let nested = inside.join(&*name).join("mod.rs");
                    if flat.exists() {
                        found.push((flat, false));
                    } else if nested.exists() {
                        found.push((nested, true));
                    } else if found.is_empty() {
                        // a name that cannot be looked at is worth an error of its own
                        let conditional =
                            module.cfg != NO_CFG || at.outer.is_some_and(|o| o.1 != NO_CFG);
                        problems.push(Problem {
                            file: file.path.clone(),
                            place: Some((module.span.line, module.span.column)),
                            severity: if conditional {
                                Severity::Warning
                            } else {
                                Severity::Error
                            },
                            message: format!(
                                "file of module `{name}` not found: neither {} nor {}",
                                flat.display(),
                                nested.display()
                            ),
                        });
                    }
                }
                for (path, owns_directory) in found {
                    next.push(Pending {
                        path,
                        krate: at.krate,
                        outer: Some((node, module.cfg)),
                        link: Link::Module(module.name, module.visibility),
                        owns_directory,
                        from: Some((file.path.clone(), (module.span.line, module.span.column))),
                        optional: module.cfg != NO_CFG,
                    });
                }
            }
        }
        for include in &file.index.includes {
            let place = (include.span.line, include.span.column);
            let Some(path) = &include.path else {
                problems.push(Problem {
                    file: file.path.clone(),
                    place: Some(place),
                    severity: Severity::Warning,
                    message: "generated code is included here and was not linted".into(),
                });
                continue;
            };
            next.push(Pending {
                path: tidy(&beside.join(path)),
                krate: at.krate,
                outer: Some((at.base + include.scope, include.cfg)),
                link: Link::Include,
                owns_directory: true,
                from: Some((file.path.clone(), place)),
                optional: true,
            });
        }
        if reported {
            tree.problems.append(&mut problems);
        }
    }
}

enum Outcome {
    Unread(ReadError),
    /// Text, index, and where the syntax failed.
    Read(String, FileIndex, Option<((u32, u32), String)>),
}

fn read_one(path: &Path, names: &mut Names<'_>) -> Outcome {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(e) => return Outcome::Unread(e),
    };
    match index_file(&text, names) {
        Ok(index) => Outcome::Read(text, index, None),
        Err(e) => {
            let message = format!("syntax error: {} (the rest of the run goes on)", e.message);
            Outcome::Read(text, FileIndex::default(), Some((e.place, message)))
        }
    }
}

/// Reads files on threads with a stack for deep nesting; results in order.
fn read_all(paths: &[&Path], names: &Interner) -> io::Result<Vec<Outcome>> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(paths.len().div_ceil(8)).clamp(1, 16);
    let cursor = AtomicUsize::new(0);
    let work = || {
        let mut names = Names::new(names);
        let mut done = Vec::new();
        loop {
            let i = cursor.fetch_add(1, Ordering::Relaxed);
            let Some(path) = paths.get(i) else {
                return done;
            };
            done.push((i, read_one(path, &mut names)));
        }
    };
    let mut all: Vec<(usize, Outcome)> = Vec::with_capacity(paths.len());
    thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                thread::Builder::new()
                    .stack_size(STACK)
                    .spawn_scoped(scope, work)
            })
            .collect();
        let mut started = Ok(());
        let mut worked = false;
        for handle in handles {
            match handle {
                Ok(handle) => {
                    worked = true;
                    match handle.join() {
                        Ok(done) => all.extend(done),
                        Err(panic) => std::panic::resume_unwind(panic),
                    }
                }
                Err(e) => started = Err(e),
            }
        }
        // fewer threads than planned do the same work
        if worked { Ok(()) } else { started }
    })?;
    all.sort_by_key(|(i, _)| *i);
    Ok(all.into_iter().map(|(_, outcome)| outcome).collect())
}
