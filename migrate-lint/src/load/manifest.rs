//! One `Cargo.toml`: what the linter needs of it, with inheritance applied.

use super::source::read_text;
use super::{Problem, Severity};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// A parsed manifest and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Manifest {
    pub(super) path: PathBuf,
    pub(super) table: Table,
}

/// What a crate of this package may name, and by which name.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// The package's name in its registry.
    pub package: String,
    /// The directory of a path dependency.
    pub path: Option<PathBuf>,
    /// The name used in code was chosen by this manifest.
    pub renamed: bool,
}

impl Manifest {
    /// Reads and parses; the problem says what is wrong and where.
    pub(super) fn read(path: &Path) -> Result<Manifest, Problem> {
        let problem =
            |place, message| Problem { file: path.to_path_buf(), place, severity: Severity::Error, message };
        let text = read_text(path).map_err(|e| problem(None, e.explain()))?;
        let table = text.parse::<Table>().map_err(|e| {
            let place = e.span().map(|span| {
                let before = text.get(..span.start).unwrap_or("");
                let line = before.matches('\n').count() as u32 + 1;
                let column = before.chars().rev().take_while(|&c| c != '\n').count() as u32 + 1;
                (line, column)
            });
            problem(place, format!("not valid TOML: {}", e.message()))
        })?;
        Ok(Manifest { path: path.to_path_buf(), table })
    }

    pub(super) fn dir(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    pub(super) fn workspace(&self) -> Option<&Table> {
        self.table.get("workspace")?.as_table()
    }

    pub(super) fn package(&self) -> Option<&Table> {
        let found = self.table.get("package").or_else(|| self.table.get("project"));
        found?.as_table()
    }

    /// The directory `[package] workspace = ".."` names.
    pub(super) fn workspace_pointer(&self) -> Option<PathBuf> {
        let pointer = self.package()?.get("workspace")?.as_str()?;
        Some(self.dir().join(pointer))
    }

    /// Whether paths start at the crate root (edition 2015).
    pub(super) fn is_edition_2015(&self, root: Option<&Manifest>) -> bool {
        let edition = self.package().and_then(|p| p.get("edition"));
        match edition {
            None => true,
            Some(Value::String(year)) => year == "2015",
            Some(_) => {
                let inherited = root
                    .and_then(Manifest::workspace)
                    .and_then(|w| w.get("package")?.get("edition")?.as_str());
                inherited == Some("2015")
            }
        }
    }

    /// All dependencies by the name code uses, `-` turned into `_`.
    pub(super) fn dependencies(&self, root: Option<&Manifest>) -> BTreeMap<String, Dependency> {
        let mut out = BTreeMap::new();
        let mut sections: Vec<&Table> = vec![&self.table];
        if let Some(targets) = self.table.get("target").and_then(Value::as_table) {
            sections.extend(targets.values().filter_map(Value::as_table));
        }
        // an earlier kind wins should one name mean two packages
        for kind in [
            "dependencies",
            "dev-dependencies",
            "dev_dependencies",
            "build-dependencies",
            "build_dependencies",
        ] {
            for section in &sections {
                let Some(table) = section.get(kind).and_then(Value::as_table) else {
                    continue;
                };
                for (key, value) in table {
                    let found = self.dependency(key, value, root);
                    out.entry(key.replace('-', "_")).or_insert(found);
                }
            }
        }
        out
    }

    fn dependency(&self, key: &str, value: &Value, root: Option<&Manifest>) -> Dependency {
        let table = value.as_table();
        let inherits = table.and_then(|t| t.get("workspace")).and_then(Value::as_bool).unwrap_or(false);
        let (owner, table) = match root {
            Some(root) if inherits => {
                let inherited = root.workspace().and_then(|w| w.get("dependencies")?.get(key)?.as_table());
                (root, inherited)
            }
            _ => (self, table),
        };
        let text = |name: &str| table.and_then(|t| t.get(name)).and_then(Value::as_str);
        let package = text("package").unwrap_or(key).to_string();
        let patched = || {
            let patches = root.unwrap_or(self).table.get("patch")?.as_table()?;
            patches.values().find_map(|registry| {
                let path = registry.get(&package)?.get("path")?.as_str()?;
                Some(root.unwrap_or(self).dir().join(path))
            })
        };
        let path = text("path").map(|path| owner.dir().join(path)).or_else(patched);
        Dependency { renamed: text("package").is_some(), package, path }
    }
}

/// The strings of an array.
pub(super) fn strings(value: Option<&Value>) -> Vec<&str> {
    let array = value.and_then(Value::as_array);
    array.into_iter().flatten().filter_map(Value::as_str).collect()
}
