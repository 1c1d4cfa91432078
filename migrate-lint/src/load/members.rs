//! The packages of a workspace: members by pattern, and path dependencies.
//!
//! Each package is added once, by its canonical directory, so links and
//! dependency cycles end here.

use super::ignored::ignored;
use super::manifest::{Dependency, Manifest, strings};
use super::source::{canonical, tidy};
use super::targets::{Target, TargetKind, targets};
use super::{Problem, Severity};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A package and how its code names other packages.
#[derive(Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its directory, as reached from the path that was given.
    pub dir: PathBuf,
    /// The name of its library in code.
    pub lib_name: String,
    /// Its targets.
    pub targets: Vec<Target>,
    /// Dependencies by the name in code.
    pub dependencies: BTreeMap<String, Dependency>,
    /// Paths start at the crate root.
    pub edition_2015: bool,
    /// Findings in it are asked for.
    pub reported: bool,
    /// There is no manifest: any first segment may be a crate.
    pub bare: bool,
    /// It is none of the disk: this is all that is known of it.
    pub outline: Option<&'static str>,
}

/// The directories `exclude` names.
pub(super) fn excluded(manifest: &Manifest) -> Vec<PathBuf> {
    let list = strings(manifest.workspace().and_then(|w| w.get("exclude")));
    list.iter().map(|path| canonical(&manifest.dir().join(path))).collect()
}

/// Packages as they are found.
pub(super) struct Loader {
    pub(super) found: BTreeMap<PathBuf, Package>,
    pub(super) problems: Vec<Problem>,
    /// Root files that no manifest names.
    pub(super) walked: Vec<PathBuf>,
}

impl Loader {
    /// The directories `members` names, globs expanded.
    pub(super) fn members(&mut self, manifest: &Manifest) -> Vec<PathBuf> {
        let mut out = Vec::new();
        let excluded = excluded(manifest);
        for member in strings(manifest.workspace().and_then(|w| w.get("members"))) {
            let is_glob = member.contains(['*', '?', '[']);
            if !is_glob {
                out.push(manifest.dir().join(member));
                continue;
            }
            let base = glob::Pattern::escape(&manifest.dir().to_string_lossy());
            let pattern = if base.is_empty() { member.to_string() } else { format!("{base}/{member}") };
            let Ok(paths) = glob::glob(&pattern) else {
                self.problems.push(Problem::error(
                    &manifest.path,
                    format!("`{member}` in workspace.members is not a valid pattern"),
                ));
                continue;
            };
            let dirs = paths.flatten().filter(|p| p.join("Cargo.toml").is_file());
            let dirs = dirs.filter(|p| {
                let real = canonical(p);
                !excluded.iter().any(|e| real.starts_with(e))
            });
            let dirs: Vec<PathBuf> = dirs.collect();
            let ignored = ignored(manifest.dir(), dirs.iter().map(PathBuf::as_path));
            out.extend(dirs.into_iter().filter(|dir| !ignored.contains(dir)));
        }
        out
    }

    /// Packages that lie in the workspace without being part of it are easily
    /// taken for linted; those one level down are mentioned.
    pub(super) fn mention_strangers(&mut self, dir: &Path) {
        let entries = fs::read_dir(if dir.as_os_str().is_empty() { Path::new(".") } else { dir });
        let below = entries.into_iter().flatten().flatten().map(|entry| dir.join(entry.file_name()));
        let is_stranger =
            |dir: &PathBuf| dir.join("Cargo.toml").is_file() && !self.found.contains_key(&canonical(dir));
        let strangers: Vec<PathBuf> = below.filter(is_stranger).collect();
        let ignored = ignored(dir, strangers.iter().map(PathBuf::as_path));
        for stranger in strangers {
            if !ignored.contains(&stranger) {
                let manifest = stranger.join("Cargo.toml");
                self.problems.push(Problem {
                    file: manifest,
                    place: None,
                    severity: Severity::Warning,
                    message: "not part of this workspace, and not linted; pass its own path".into(),
                });
            }
        }
    }

    /// Takes away the targets that were only found by listing, and that Git
    /// ignores.
    pub(super) fn drop_ignored(&mut self, dir: &Path) {
        let ignored = ignored(dir, self.walked.iter().map(PathBuf::as_path));
        for package in self.found.values_mut() {
            package.targets.retain(|target| !ignored.contains(&target.root));
        }
    }

    /// The manifest a package inherits from.
    pub(super) fn workspace_root(&mut self, manifest: &Manifest) -> Option<Manifest> {
        let pointed = manifest.workspace_pointer().map(|dir| dir.join("Cargo.toml"));
        if let Some(path) = pointed {
            return Manifest::read(&path).map_err(|e| self.problems.push(e)).ok();
        }
        let dir = canonical(manifest.dir());
        for above in dir.ancestors().skip(1).map(|d| d.join("Cargo.toml")) {
            if !above.is_file() {
                continue;
            }
            match Manifest::read(&above) {
                Ok(found) if found.workspace().is_some() => return Some(found),
                Ok(_) => {}
                Err(mut problem) => {
                    problem.message.push_str("; what is inherited from it is not known");
                    self.problems.push(problem);
                }
            }
        }
        None
    }

    pub(super) fn visit(&mut self, dir: &Path, root: Option<&Manifest>, asked: &dyn Fn(&Path) -> bool) {
        if self.found.contains_key(&canonical(dir)) {
            return;
        }
        match Manifest::read(&tidy(&dir.join("Cargo.toml"))) {
            Ok(manifest) => self.add(manifest, root, asked),
            Err(mut problem) => {
                problem.message.push_str(" (it is a member or path dependency)");
                self.problems.push(problem);
            }
        }
    }

    pub(super) fn add(&mut self, manifest: Manifest, root: Option<&Manifest>, asked: &dyn Fn(&Path) -> bool) {
        let real = canonical(manifest.dir());
        if self.found.contains_key(&real) {
            return;
        }
        let Some(name) =
            manifest.package().and_then(|p| p.get("name")).and_then(|n| n.as_str()).map(str::to_string)
        else {
            self.problems.push(Problem::error(&manifest.path, "[package] has no `name`; add one".into()));
            return;
        };
        let reported = asked(&real);
        // problems of packages nobody asked about are theirs
        let mut theirs = Vec::new();
        let problems = if reported { &mut self.problems } else { &mut theirs };
        let targets = targets(&manifest, &name, problems, &mut self.walked);
        let lib = targets.iter().find(|t| t.kind == TargetKind::Lib);
        let own_root;
        let root = match root {
            Some(root) if real.starts_with(canonical(root.dir())) => Some(root),
            _ => {
                own_root = self.workspace_root(&manifest);
                own_root.as_ref()
            }
        };
        let dependencies = manifest.dependencies(root);
        let paths: Vec<PathBuf> = dependencies.values().filter_map(|d| d.path.clone()).collect();
        self.found.insert(
            real,
            Package {
                lib_name: lib.map_or_else(|| name.replace('-', "_"), |t| t.name.clone()),
                name,
                dir: manifest.dir().to_path_buf(),
                targets,
                dependencies,
                edition_2015: manifest.is_edition_2015(root),
                reported,
                bare: false,
                outline: None,
            },
        );
        for path in paths {
            // a missing one is cargo's complaint to make; its names stay unknown
            if path.join("Cargo.toml").is_file() {
                self.visit(&path, root, asked);
            }
        }
    }
}
