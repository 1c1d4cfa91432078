//! Where the files of `mod` items and inclusions are, by rustc's rules.
//!
//! `mod x;` looks in the module directory of its file: beside it for a crate
//! root, a `mod.rs` or a file reached by `#[path]`, else in the directory
//! named after it; inline modules around it add theirs. `#[path]` is relative
//! to the file's own directory unless inline modules are around it.

use super::index::{FileIndex, Include, ModuleBody, NO_CFG, Scope};
use super::source::tidy;
use super::tree::{Link, NodeId, Pending, Walk};
use super::{Problem, Severity};
use std::path::{Path, PathBuf};

/// The files a `mod` may mean, each with whether its modules lie beside it.
struct Files {
    found: Vec<(PathBuf, bool)>,
    /// Where it was looked for in vain.
    missing: Option<(PathBuf, PathBuf)>,
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
                if let Some((flat, nested)) = files.missing {
                    let (flat, nested) = (flat.display(), nested.display());
                    problems.push(Problem {
                        file: path.clone(),
                        place: Some(place),
                        severity: severity(conditional || is_conditional),
                        message: format!("file of module `{name}` not found: neither {flat} nor {nested}"),
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
    let mut inside = directory.to_path_buf();
    inside.extend(&scope.directory);
    let beside = file.parent().unwrap_or(Path::new(""));
    let base = if scope.directory.is_empty() { beside } else { &inside };
    let mut found: Vec<(PathBuf, bool)> = paths
        .iter()
        .map(|path| (tidy(&base.join(path)), true))
        // one that holds under a condition may be absent
        .filter(|(path, _)| path.exists() || !conventional)
        .collect();
    let mut missing = None;
    if conventional {
        let flat = inside.join(format!("{name}.rs"));
        let nested = inside.join(name).join("mod.rs");
        if exists(&flat) {
            found.push((flat, false));
        } else if exists(&nested) {
            found.push((nested, true));
        } else if found.is_empty() {
            missing = Some((flat, nested));
        }
    }
    Files { found, missing }
}

/// Whether there is something of this name, be it a link that leads nowhere:
/// reading it then says what is wrong.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
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
