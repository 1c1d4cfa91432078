//! Precise mode: what clippy's resolver says of the functions that start
//! tasks.
//!
//! clippy is run as a subprocess with a configuration of ours: that of the
//! repository, to which our list of disallowed methods is added, so that its
//! own settings stay in force, in a target directory of its own, so that the
//! ordinary one stays warm. The lint is forced (`--force-warn`), for
//! `#![allow(clippy::all)]` would hide it. Its hits are deduplicated by place;
//! those that are of the repository's own list are left out. It only sees
//! what it builds: code under other features and conditions, or in packages
//! that fail to build, stays with the default engine.

mod clippy;
mod config;

use crate::kin;
use crate::load::source::canonical;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A use of a function that starts tasks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Hit {
    /// The file, by its canonical path.
    pub file: PathBuf,
    /// Where the path, or the name of the method, starts.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
    /// The function, by its public path.
    pub function: String,
}

/// What a run of clippy says.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The hits, each place once, in order.
    pub hits: BTreeSet<Hit>,
    /// Roots of targets that were compiled, by their canonical paths: what is
    /// not hit in their modules, and not left out by a condition, is none.
    pub compiled: BTreeSet<PathBuf>,
    /// Packages that could not be built, with the first error.
    pub failed: BTreeMap<String, String>,
}

impl Said {
    /// The function that is hit at a place.
    pub fn at(&self, file: &Path, line: u32, column: u32) -> Option<&str> {
        let first = Hit { file: file.to_path_buf(), line, column, function: String::new() };
        let found = self.hits.range(first..).next()?;
        (found.file == file && (found.line, found.column) == (line, column)).then_some(&*found.function)
    }
}

/// Flags of cargo that choose what is built.
#[derive(Clone, Debug, Default)]
pub struct Build {
    /// Such as `--all-features`.
    pub flags: Vec<String>,
    /// Where to build; `None` for `migrate-lint` in the target directory.
    pub target_dir: Option<PathBuf>,
}

/// Runs clippy on what `path`, a workspace or package, stands for.
///
/// # Errors
///
/// If cargo or clippy cannot be run, or say nothing that can be read.
pub fn run(path: &Path, build: &Build) -> Result<Said, String> {
    let real = canonical(path);
    let (dir, manifest) = match real.is_dir() {
        true => (real.clone(), real.join("Cargo.toml")),
        false => (real.parent().unwrap_or(Path::new("/")).to_path_buf(), real.clone()),
    };
    if manifest.extension().is_none_or(|e| e != "toml") {
        return Err(format!("{}: clippy needs a package or workspace, not a single file", path.display()));
    }
    let watched: Vec<&str> = kin::ALL.iter().map(|kin| kin.path).collect();
    let target = match &build.target_dir {
        Some(dir) => dir.clone(),
        None => clippy::target_directory(&manifest)?.join("migrate-lint"),
    };
    let settings = config::write(&dir, &watched, &target)?;
    clippy::run(&manifest, &settings, &target, &build.flags)
}
