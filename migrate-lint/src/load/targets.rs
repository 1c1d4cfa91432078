//! The targets of a package: those its manifest declares, and those Cargo
//! finds by convention.

use super::manifest::Manifest;
use super::{Problem, Severity};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What a target is built as.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TargetKind {
    /// The library.
    Lib,
    /// A program.
    Bin,
    /// An example.
    Example,
    /// An integration test.
    Test,
    /// A benchmark.
    Bench,
    /// The build script.
    Build,
}

impl TargetKind {
    /// Whether it only runs under `cargo test` or `cargo bench`.
    pub fn is_test(self) -> bool {
        matches!(self, TargetKind::Test | TargetKind::Bench)
    }

    /// As Cargo names it.
    pub fn name(self) -> &'static str {
        match self {
            TargetKind::Lib => "lib",
            TargetKind::Bin => "bin",
            TargetKind::Example => "example",
            TargetKind::Test => "test",
            TargetKind::Bench => "bench",
            TargetKind::Build => "build",
        }
    }
}

/// One crate to be built.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Target {
    /// What it is built as.
    pub kind: TargetKind,
    /// Its name.
    pub name: String,
    /// The root of its module tree.
    pub root: PathBuf,
}

/// All targets of a package, sorted; problems are appended, and so are to
/// `walked` the roots of targets that only a listing found.
pub(super) fn targets(
    manifest: &Manifest,
    name: &str,
    problems: &mut Vec<Problem>,
    walked: &mut Vec<PathBuf>,
) -> Vec<Target> {
    let mut found = BTreeSet::new();
    let mut finder = Finder { manifest, problems, walked };
    finder.lib(name, &mut found);
    for (kind, table, auto, dir) in [
        (TargetKind::Bin, "bin", "autobins", "src/bin"),
        (TargetKind::Example, "example", "autoexamples", "examples"),
        (TargetKind::Test, "test", "autotests", "tests"),
        (TargetKind::Bench, "bench", "autobenches", "benches"),
    ] {
        finder.declared(kind, table, dir, name, &mut found);
        if finder.flag(auto) {
            finder.conventional(kind, dir, name, &mut found);
        }
    }
    finder.build(&mut found);
    if found.is_empty() {
        finder.problem(
            &manifest.path,
            "no targets: neither src/lib.rs, src/main.rs nor a declared target exists".into(),
        );
    }
    found.into_iter().collect()
}

struct Finder<'a> {
    manifest: &'a Manifest,
    problems: &'a mut Vec<Problem>,
    walked: &'a mut Vec<PathBuf>,
}

impl Finder<'_> {
    fn problem(&mut self, file: &Path, message: String) {
        self.problems.push(Problem {
            file: file.to_path_buf(),
            place: None,
            severity: Severity::Error,
            message,
        });
    }

    fn flag(&self, name: &str) -> bool {
        let value = self.manifest.package().and_then(|p| p.get(name));
        value.and_then(Value::as_bool).unwrap_or(true)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.manifest.dir().join(path)
    }

    fn lib(&mut self, package: &str, found: &mut BTreeSet<Target>) {
        let table = self.manifest.table.get("lib").and_then(Value::as_table);
        let text = |name: &str| table.and_then(|t| t.get(name)).and_then(Value::as_str);
        let declared = text("path").map(|path| self.at(path));
        let name = text("name").unwrap_or(package).replace('-', "_");
        let root = match (declared, table) {
            (Some(root), _) => root,
            (None, Some(_)) => self.at("src/lib.rs"),
            (None, None) => {
                let root = self.at("src/lib.rs");
                if !root.exists() || !self.flag("autolib") {
                    return;
                }
                root
            }
        };
        found.insert(Target { kind: TargetKind::Lib, name, root });
    }

    fn declared(
        &mut self,
        kind: TargetKind,
        key: &str,
        dir: &str,
        package: &str,
        found: &mut BTreeSet<Target>,
    ) {
        let manifest = self.manifest;
        let tables = manifest.table.get(key).and_then(Value::as_array);
        for table in tables.into_iter().flatten().filter_map(Value::as_table) {
            let text = |name: &str| table.get(name).and_then(Value::as_str);
            let name = text("name").unwrap_or(package).to_string();
            let candidates = match text("path") {
                Some(path) => vec![self.at(path)],
                None => self.inferred(kind, dir, &name, package),
            };
            match candidates.iter().find(|c| c.exists()) {
                Some(root) => {
                    found.insert(Target { kind, name, root: root.clone() });
                }
                None => {
                    let places: Vec<_> = candidates.iter().map(|c| c.display().to_string()).collect();
                    let message = format!(
                        "the root file of [[{key}]] `{name}` is missing (looked for {}); add it or correct `path`",
                        places.join(", ")
                    );
                    self.problem(&manifest.path, message);
                }
            }
        }
    }

    fn inferred(&self, kind: TargetKind, dir: &str, name: &str, package: &str) -> Vec<PathBuf> {
        let mut out = vec![self.at(&format!("{dir}/{name}.rs")), self.at(&format!("{dir}/{name}/main.rs"))];
        if kind == TargetKind::Bin && (name == package || !out.iter().any(|p| p.exists())) {
            out.push(self.at("src/main.rs"));
        }
        out
    }

    fn conventional(&mut self, kind: TargetKind, dir: &str, package: &str, found: &mut BTreeSet<Target>) {
        let known: BTreeSet<PathBuf> = found.iter().map(|t| t.root.clone()).collect();
        let mut add = |name: &str, root: PathBuf| {
            if !known.contains(&root) {
                found.insert(Target { kind, name: name.to_string(), root });
            }
        };
        if kind == TargetKind::Bin {
            let main = self.at("src/main.rs");
            if main.exists() {
                add(package, main);
            }
        }
        let dir = self.at(dir);
        let mut walked = Vec::new();
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return;
            }
            Err(e) => return self.problem(&dir, format!("cannot be listed: {e}")),
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let Some(name) = path.file_name().and_then(|n| n.to_str()) else {
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                let main = path.join("main.rs");
                if main.is_file() {
                    walked.push(main.clone());
                    add(name, main);
                }
            } else if let Some(stem) = name.strip_suffix(".rs") {
                walked.push(path.clone());
                add(stem, path.clone());
            }
        }
        self.walked.append(&mut walked);
    }

    fn build(&mut self, found: &mut BTreeSet<Target>) {
        let declared = self.manifest.package().and_then(|p: &Table| p.get("build"));
        let roots: Vec<PathBuf> = match declared {
            Some(Value::Boolean(false)) => return,
            Some(Value::String(path)) => vec![self.at(path)],
            Some(Value::Array(paths)) => paths.iter().filter_map(Value::as_str).map(|p| self.at(p)).collect(),
            _ => {
                let root = self.at("build.rs");
                if !root.is_file() {
                    return;
                }
                vec![root]
            }
        };
        for root in roots {
            found.insert(Target { kind: TargetKind::Build, name: "build-script".into(), root });
        }
    }
}
