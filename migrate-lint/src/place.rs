//! Where a run belongs: its repository, and the directory that its
//! configuration and baseline are relative to.
//!
//! Both are found upwards from what is linted, so that a package is judged
//! alike whether it is linted alone, with its workspace, or from elsewhere.
//! The search ends at the top of the repository (the directory with `.git`).
//! The base is the nearest directory with a `migrate-lint.toml` or a baseline;
//! without these, that of the Cargo workspace.

use crate::load::source::{canonical, exists, without_detours};
use crate::load::workspace::is_root;
use std::path::{Component, Path, PathBuf};

/// The name of the configuration file.
pub const CONFIG: &str = "migrate-lint.toml";

/// The baseline's directory, unless the configuration names another.
pub const BASELINE: &str = "migrate-lint-baseline";

/// Where a run belongs.
#[derive(Clone, Debug)]
pub struct Place {
    /// The directory that patterns and baseline entries are relative to.
    pub base: PathBuf,
    /// The configuration file, if there is one.
    pub config: Option<PathBuf>,
    /// The top of the repository; the base outside of one.
    pub repository: PathBuf,
}

impl Place {
    /// Of what `path` stands for on the command line.
    pub fn of(path: &Path) -> Place {
        let real = canonical(path);
        let start = if real.is_dir() { real.as_path() } else { real.parent().unwrap_or(&real) };
        let top = start.ancestors().find(|dir| dir.join(".git").exists());
        let within = || start.ancestors().take_while(|dir| top.is_none_or(|top| dir.starts_with(top)));
        let marked = within().find(|dir| exists(&dir.join(CONFIG)) || dir.join(BASELINE).is_dir());
        let base = marked.or_else(|| within().find(|dir| is_root(dir))).unwrap_or(start);
        let config = base.join(CONFIG);
        Place {
            base: base.to_path_buf(),
            config: exists(&config).then_some(config),
            repository: top.unwrap_or(base).to_path_buf(),
        }
    }

    /// The place whose configuration is this file, wherever it lies.
    pub fn configured_by(path: &Path, config: &Path) -> Place {
        let real = canonical(config);
        let base = real.parent().unwrap_or(Path::new("/")).to_path_buf();
        Place { config: Some(real), base, ..Place::of(path) }
    }
}

/// Makes paths relative to one directory.
pub struct Relative {
    from: PathBuf,
    root: PathBuf,
    real_root: PathBuf,
}

impl Relative {
    /// Relative to `from`, for files that were reached through `root`. Links
    /// below `root` are left as they are.
    pub fn new(from: &Path, root: &Path) -> Relative {
        Relative { from: from.to_path_buf(), root: root.to_path_buf(), real_root: canonical(root) }
    }

    /// The path of `file` from there; with `..` where it is not below.
    pub fn path(&self, file: &Path) -> PathBuf {
        let full = match file.strip_prefix(&self.root) {
            Ok(below) => self.real_root.join(below),
            Err(_) => std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf()),
        };
        let full = without_detours(&full);
        let common = full.components().zip(self.from.components()).take_while(|(a, b)| a == b).count();
        let up = self.from.components().skip(common).map(|_| Component::ParentDir);
        up.chain(full.components().skip(common)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_below_and_beside() {
        let relative = Relative { from: "/r/a".into(), root: "x".into(), real_root: "/r/a/x".into() };
        assert_eq!(relative.path(Path::new("x/src/lib.rs")), Path::new("x/src/lib.rs"));
        assert_eq!(relative.path(Path::new("x/../y/./b.rs")), Path::new("y/b.rs"));
        assert_eq!(relative.path(Path::new("x/../../c.rs")), Path::new("../c.rs"));
        assert_eq!(relative.path(Path::new("/r/d/e.rs")), Path::new("../d/e.rs"));
    }
}
