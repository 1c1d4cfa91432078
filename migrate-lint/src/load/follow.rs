//! Where the files of `mod` items and inclusions are, by rustc's rules.
//!
//! `mod x;` looks in the module directory of its file: beside it for a crate
//! root, a `mod.rs` or a file reached by `#[path]`, else in the directory
//! named after it; inline modules around it add theirs. `#[path]` is relative
//! to the file's own directory unless inline modules are around it; on an inline
//! module, it is the directory of what is inside.

use super::index::{FileIndex, Include, ModuleBody, NO_CFG, Scope};
use super::source::{exists, tidy};
use super::tree::{Link, NodeId, Pending, Walk};
use super::{Problem, Severity};
use std::path::{Path, PathBuf};

/// The files a `mod` may mean, each with whether its modules lie beside it.
struct Files {
    found: Vec<(PathBuf, bool)>,
    /// If there are none, where they were looked for.
    missing: Vec<PathBuf>,
}

impl Walk<'_> {
    /// Links an instance's inline modules, and queues the files that its
    /// `mod` items and inclusions name.
    pub(super) fn follow(&mut self, instance: u32) {
        let at = &self.tree.instances[instance as usize];
        let (krate, base, outer) = (at.krate, at.base, at.outer);
        let directory = at.directory.clone();
        let file = &self.tree.files[at.file as usize];
        let path = file.path.clone();
        let is_conditional = outer.is_some_and(|(_, cfg)| cfg != NO_CFG);
        let mut inline = Vec::new();
        let mut problems = Vec::new();
        let FileIndex { scopes, includes, .. } = &file.index;
        for (s, scope) in scopes.iter().enumerate() {
            let node = base + s as NodeId;
            for module in &scope.modules {
                let (paths, conventional) = match &module.body {
                    ModuleBody::Inline(child) => {
                        inline.push((node, (module.name, module.visibility, base + child)));
                        continue;
                    }
                    ModuleBody::File { paths, conventional } => (paths, *conventional),
                };
                let name = self.names.text(module.name);
                let place = (module.span.line, module.span.column);
                let conditional = module.cfg != NO_CFG;
                let files = files(&path, &directory, scope, &name, paths, conventional);
                if let Some((last, others)) = files.missing.split_last() {
                    let others: Vec<_> = others.iter().map(|path| path.display().to_string()).collect();
                    let looked = format!("neither {} nor {}", others.join(", "), last.display());
                    problems.push(Problem {
                        file: path.clone(),
                        place: Some(place),
                        severity: severity(conditional || is_conditional),
                        message: format!("file of module `{name}` not found: {looked}"),
                    });
                }
                for (found, owns_directory) in files.found {
                    self.next.push(Pending {
                        path: found,
                        krate,
                        outer: Some((node, module.cfg)),
                        link: Link::Module(module.name, module.visibility),
                        owns_directory,
                        from: Some((path.clone(), place)),
                        optional: conditional,
                    });
                }
            }
        }
        for include in includes {
            match included(&path, include) {
                Ok(found) => self.next.push(Pending {
                    path: found,
                    krate,
                    outer: Some((base + include.scope, include.cfg)),
                    link: Link::Include,
                    owns_directory: true,
                    from: Some((path.clone(), (include.span.line, include.span.column))),
                    optional: true,
                }),
                Err(problem) => problems.push(problem),
            }
        }
        for (node, entry) in inline {
            self.tree.nodes[node as usize].modules.push(entry);
        }
        if self.reports[krate as usize] {
            self.tree.problems.append(&mut problems);
        }
    }
}

fn severity(conditional: bool) -> Severity {
    if conditional { Severity::Warning } else { Severity::Error }
}

fn files(
    file: &Path,
    directory: &Path,
    scope: &Scope,
    name: &str,
    paths: &[String],
    conventional: bool,
) -> Files {
    let beside = file.parent().unwrap_or(Path::new(""));
    let mut inside = if scope.beside { beside } else { directory }.to_path_buf();
    inside.extend(&scope.directory);
    let base = if scope.directory.is_empty() { beside } else { &inside };
    let named = paths.iter().map(|path| tidy(&base.join(path)));
    // one that holds under a condition may be absent
    let (there, mut missing): (Vec<_>, Vec<_>) = named.partition(|path| path.exists() || !conventional);
    let mut found: Vec<(PathBuf, bool)> = there.into_iter().map(|path| (path, true)).collect();
    if conventional {
        let flat = inside.join(format!("{name}.rs"));
        let nested = inside.join(name).join("mod.rs");
        if exists(&flat) {
            found.push((flat, false));
        } else if exists(&nested) {
            found.push((nested, true));
        } else {
            missing.extend([flat, nested]);
        }
    }
    if !found.is_empty() {
        missing.clear();
    }
    Files { found, missing }
}

fn included(file: &Path, include: &Include) -> Result<PathBuf, Problem> {
    match &include.path {
        Some(path) => Ok(tidy(&file.parent().unwrap_or(Path::new("")).join(path))),
        None => Err(Problem {
            file: file.to_path_buf(),
            place: Some((include.span.line, include.span.column)),
            severity: Severity::Warning,
            message: "generated code is included here and was not linted".into(),
        }),
    }
}
