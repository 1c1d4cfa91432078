//! From a path on the command line to packages with their targets.
//!
//! A workspace root stands for all its members, a package for itself. Path
//! dependencies are loaded as well, for names resolve through them; they are
//! reported on only if they belong to what was asked for. A single `.rs` file
//! is a package of one target.

use super::manifest::{Dependency, Manifest, strings};
use super::targets::{Target, TargetKind, targets};
use super::{Problem, Severity};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

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
}

/// All packages that matter to a run.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Sorted by directory.
    pub packages: Vec<Package>,
    /// Package by canonical directory.
    pub by_dir: BTreeMap<PathBuf, usize>,
    /// What could not be read on the way.
    pub problems: Vec<Problem>,
    /// The directory findings are relative to.
    pub root: PathBuf,
}

/// Loads what `path` stands for; an error means there is nothing to lint.
pub fn load(path: &Path) -> Result<Workspace, Problem> {
    let meta =
        fs::metadata(path).map_err(|e| fatal(path, super::source::ReadError::Io(e).explain()))?;
    if meta.is_dir() {
        let manifest = path.join("Cargo.toml");
        if !manifest.exists() {
            return Err(fatal(path, no_manifest(path)));
        }
        return packages(&manifest);
    }
    if path.file_name().is_some_and(|n| n == "Cargo.toml") {
        return packages(path);
    }
    if path.extension().is_some_and(|e| e == "rs") {
        return Ok(single_file(path));
    }
    Err(fatal(
        path,
        "neither a directory, a Cargo.toml nor a .rs file; pass one of these".into(),
    ))
}

fn fatal(file: &Path, message: String) -> Problem {
    Problem {
        file: file.to_path_buf(),
        place: None,
        severity: Severity::Error,
        message,
    }
}

/// What to do about a directory without manifest.
fn no_manifest(dir: &Path) -> String {
    let mut text = String::from("no Cargo.toml here; pass the directory of a package or workspace");
    let above = fs::canonicalize(dir).ok().and_then(|dir| {
        let found = dir
            .ancestors()
            .skip(1)
            .find(|d| d.join("Cargo.toml").is_file());
        found.map(Path::to_path_buf)
    });
    if let Some(above) = above {
        text.push_str(&format!(" (there is one above, in {})", above.display()));
    }
    let mut below: Vec<PathBuf> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|p| p.join("Cargo.toml").is_file())
        .collect();
    below.sort();
    if let Some(first) = below.first() {
        text.push_str(&format!(
            " ({} of its directories have one, such as {})",
            below.len(),
            first.display()
        ));
    }
    text
}

fn single_file(path: &Path) -> Workspace {
    let name = path
        .file_stem()
        .map_or("file".into(), |s| s.to_string_lossy().into_owned());
    let dir = path.parent().unwrap_or(Path::new("")).to_path_buf();
    let package = Package {
        lib_name: name.replace('-', "_"),
        dir: dir.clone(),
        targets: vec![Target {
            kind: TargetKind::Bin,
            name: name.clone(),
            root: path.to_path_buf(),
        }],
        name,
        dependencies: BTreeMap::new(),
        edition_2015: false,
        reported: true,
        bare: true,
    };
    Workspace {
        packages: vec![package],
        by_dir: BTreeMap::new(),
        problems: Vec::new(),
        root: dir,
    }
}

fn packages(path: &Path) -> Result<Workspace, Problem> {
    let manifest = Manifest::read(path)?;
    let dir = manifest.dir().to_path_buf();
    let mut loader = Loader {
        found: BTreeMap::new(),
        problems: Vec::new(),
    };
    if manifest.workspace().is_some() {
        let members = loader.members(&manifest);
        let excluded = excluded(&manifest);
        let inside = |dir: &Path| {
            let asked = canonical(manifest.dir());
            dir.starts_with(&asked) && !excluded.iter().any(|e| dir.starts_with(e))
        };
        if manifest.package().is_some() {
            loader.add(manifest.clone(), Some(&manifest), &inside);
        }
        for member in members {
            loader.visit(&member, Some(&manifest), &inside);
        }
        loader.mention_strangers(manifest.dir());
        // a member named by its path is asked for wherever it lies
        for member in loader.members(&manifest) {
            if let Some(package) = loader.found.get_mut(&canonical(&member)) {
                package.reported = true;
            }
        }
    } else {
        if manifest.package().is_none() {
            let message = "neither [package] nor [workspace]; cargo could not build this either";
            return Err(fatal(path, message.into()));
        }
        let asked = canonical(&dir);
        let root = loader.workspace_root(&manifest);
        loader.add(manifest, root.as_ref(), &|dir| dir == asked);
    }
    let (by_dir, packages): (Vec<_>, Vec<_>) = loader.found.into_iter().unzip();
    Ok(Workspace {
        by_dir: by_dir
            .into_iter()
            .enumerate()
            .map(|(i, dir)| (dir, i))
            .collect(),
        packages,
        problems: loader.problems,
        root: dir,
    })
}

/// The real path, or the given one where that is not to be had.
pub fn canonical(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Drops `a/..` pairs, so that paths read well, unless `a` is a symbolic link
/// and they mean something.
pub(super) fn tidy(path: &Path) -> PathBuf {
    let plain = without_detours(path);
    if canonical(&plain) == canonical(path) {
        plain
    } else {
        path.to_path_buf()
    }
}

fn without_detours(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

fn excluded(manifest: &Manifest) -> Vec<PathBuf> {
    let list = strings(manifest.workspace().and_then(|w| w.get("exclude")));
    list.iter()
        .map(|path| canonical(&manifest.dir().join(path)))
        .collect()
}

struct Loader {
    found: BTreeMap<PathBuf, Package>,
    problems: Vec<Problem>,
}

impl Loader {
    /// The directories `members` names, globs expanded.
    fn members(&mut self, manifest: &Manifest) -> Vec<PathBuf> {
        let mut out = Vec::new();
        let excluded = excluded(manifest);
        for member in strings(manifest.workspace().and_then(|w| w.get("members"))) {
            let is_glob = member.contains(['*', '?', '[']);
            if !is_glob {
                out.push(manifest.dir().join(member));
                continue;
            }
            let base = glob::Pattern::escape(&manifest.dir().to_string_lossy());
            let pattern = if base.is_empty() {
                member.to_string()
            } else {
                format!("{base}/{member}")
            };
            let Ok(paths) = glob::glob(&pattern) else {
                self.problems.push(fatal(
                    &manifest.path,
                    format!("`{member}` in workspace.members is not a valid pattern"),
                ));
                continue;
            };
            let dirs = paths.flatten().filter(|p| p.join("Cargo.toml").is_file());
            out.extend(dirs.filter(|p| {
                let real = canonical(p);
                !excluded.iter().any(|e| real.starts_with(e))
            }));
        }
        out
    }

    /// Packages that lie in the workspace without being part of it are easily
    /// taken for linted; those one level down are mentioned.
    fn mention_strangers(&mut self, dir: &Path) {
        let entries = fs::read_dir(if dir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            dir
        });
        for entry in entries.into_iter().flatten().flatten() {
            let below = dir.join(entry.file_name());
            let manifest = below.join("Cargo.toml");
            if manifest.is_file() && !self.found.contains_key(&canonical(&below)) {
                self.problems.push(Problem {
                    file: manifest,
                    place: None,
                    severity: Severity::Warning,
                    message: "not part of this workspace, and not linted; pass its own path".into(),
                });
            }
        }
    }

    /// The manifest a package inherits from.
    fn workspace_root(&mut self, manifest: &Manifest) -> Option<Manifest> {
        let pointed = manifest
            .workspace_pointer()
            .map(|dir| dir.join("Cargo.toml"));
        if let Some(path) = pointed {
            return Manifest::read(&path)
                .map_err(|e| self.problems.push(e))
                .ok();
        }
        let dir = canonical(manifest.dir());
        let mut above = dir.ancestors().skip(1).map(|d| d.join("Cargo.toml"));
        above.find_map(|path| {
            let found = path.is_file().then(|| Manifest::read(&path).ok())??;
            found.workspace().is_some().then_some(found)
        })
    }

    fn visit(&mut self, dir: &Path, root: Option<&Manifest>, asked: &dyn Fn(&Path) -> bool) {
        if self.found.contains_key(&canonical(dir)) {
            return;
        }
        match Manifest::read(&tidy(&dir.join("Cargo.toml"))) {
            Ok(manifest) => self.add(manifest, root, asked),
            Err(mut problem) => {
                problem
                    .message
                    .push_str(" (it is a member or path dependency)");
                self.problems.push(problem);
            }
        }
    }

    fn add(&mut self, manifest: Manifest, root: Option<&Manifest>, asked: &dyn Fn(&Path) -> bool) {
        let real = canonical(manifest.dir());
        if self.found.contains_key(&real) {
            return;
        }
        let Some(name) = manifest
            .package()
            .and_then(|p| p.get("name"))
            .and_then(|n| n.as_str())
            .map(str::to_string)
        else {
            self.problems.push(fatal(
                &manifest.path,
                "[package] has no `name`; add one".into(),
            ));
            return;
        };
        let reported = asked(&real);
        // problems of packages nobody asked about are theirs
        let mut theirs = Vec::new();
        let problems = if reported {
            &mut self.problems
        } else {
            &mut theirs
        };
        let targets = targets(&manifest, &name, problems);
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
        let paths: Vec<PathBuf> = dependencies
            .values()
            .filter_map(|d| d.path.clone())
            .collect();
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
