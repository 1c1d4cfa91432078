//! From a path on the command line to packages with their targets.
//!
//! A workspace root stands for all its members, a package for itself. Path
//! dependencies are loaded as well, for names resolve through them; they are
//! reported on only if they belong to what was asked for. A single `.rs` file
//! is a package of one target.

use super::Problem;
use super::known;
use super::manifest::Manifest;
use super::members::{Loader, Package, excluded};
use super::source::canonical;
use super::targets::{Target, TargetKind};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// All packages that matter to a run.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Sorted by directory; then those that are only known by an outline.
    pub packages: Vec<Package>,
    /// Package by canonical directory.
    pub by_dir: BTreeMap<PathBuf, usize>,
    /// What could not be read on the way.
    pub problems: Vec<Problem>,
    /// The directory findings are relative to.
    pub root: PathBuf,
}

/// Whether a workspace starts in this directory.
pub(crate) fn is_root(dir: &Path) -> bool {
    let manifest = dir.join("Cargo.toml");
    manifest.is_file() && Manifest::read(&manifest).is_ok_and(|m| m.workspace().is_some())
}

/// Loads what `path` stands for; an error means there is nothing to lint.
pub fn load(path: &Path) -> Result<Workspace, Problem> {
    let meta =
        fs::metadata(path).map_err(|e| Problem::error(path, super::source::ReadError::Io(e).explain()))?;
    if meta.is_dir() {
        let manifest = path.join("Cargo.toml");
        if !manifest.exists() {
            return Err(Problem::error(path, no_manifest(path)));
        }
        return packages(&manifest);
    }
    if path.file_name().is_some_and(|n| n == "Cargo.toml") {
        return packages(path);
    }
    if path.extension().is_some_and(|e| e == "rs") {
        return Ok(single_file(path));
    }
    Err(Problem::error(path, "neither a directory, a Cargo.toml nor a .rs file; pass one of these".into()))
}

/// What to do about a directory without manifest.
fn no_manifest(dir: &Path) -> String {
    let mut text = String::from("no Cargo.toml here; pass the directory of a package or workspace");
    let above = fs::canonicalize(dir).ok().and_then(|dir| {
        let found = dir.ancestors().skip(1).find(|d| d.join("Cargo.toml").is_file());
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
    let name = path.file_stem().map_or("file".into(), |s| s.to_string_lossy().into_owned());
    let dir = path.parent().unwrap_or(Path::new("")).to_path_buf();
    let package = Package {
        lib_name: name.replace('-', "_"),
        dir: dir.clone(),
        targets: vec![Target { kind: TargetKind::Bin, name: name.clone(), root: path.to_path_buf() }],
        name,
        dependencies: BTreeMap::new(),
        edition_2015: false,
        reported: true,
        bare: true,
        outline: None,
    };
    let packages = std::iter::once(package).chain(known::packages()).collect();
    Workspace { packages, by_dir: BTreeMap::new(), problems: Vec::new(), root: dir }
}

fn packages(path: &Path) -> Result<Workspace, Problem> {
    let manifest = Manifest::read(path)?;
    let dir = manifest.dir().to_path_buf();
    let mut loader = Loader { found: BTreeMap::new(), problems: Vec::new(), walked: Vec::new() };
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
            return Err(Problem::error(path, message.into()));
        }
        let asked = canonical(&dir);
        let root = loader.workspace_root(&manifest);
        loader.add(manifest, root.as_ref(), &|dir| dir == asked);
    }
    loader.drop_ignored(&dir);
    let (by_dir, mut packages): (Vec<_>, Vec<_>) = loader.found.into_iter().unzip();
    packages.extend(known::packages());
    Ok(Workspace {
        by_dir: by_dir.into_iter().enumerate().map(|(i, dir)| (dir, i)).collect(),
        packages,
        problems: loader.problems,
        root: dir,
    })
}
