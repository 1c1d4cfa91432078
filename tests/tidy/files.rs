//! The repository as a list of text files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::lex;

/// One text file.
pub(crate) struct File {
    /// From the repository's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// For Rust: the text with comments and literals blanked, line for line.
    pub(crate) code: String,
}

impl File {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let code = if path.ends_with(".rs") { lex::blank(&text) } else { String::new() };
        File { path, text, code }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(crate) fn is_manifest(&self) -> bool {
        self.path == "Cargo.toml" || self.path.ends_with("/Cargo.toml")
    }

    /// The first line (counted from 0) that belongs to tests: the whole file under `tests`, what
    /// follows `#[cfg(test)]` on a module elsewhere.
    pub(crate) fn tests_from(&self) -> usize {
        let whole = self.path.split('/').any(|part| ["tests", "tests.rs", "loom.rs"].contains(&part));
        let lines: Vec<&str> = self.code.lines().collect();
        let module = |at: usize| lines.get(at + 1).is_some_and(|line| line.starts_with("mod "));
        let inner = || (0..lines.len()).find(|&at| lines[at].trim() == "#[cfg(test)]" && module(at));
        if whole { 0 } else { inner().unwrap_or(usize::MAX) }
    }

    /// Code outside tests, by line from 1.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.code.lines())
    }
}

/// Where the repository is: as cargo says now, for a build may have been moved or shared since.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let now = std::env::var_os("CARGO_MANIFEST_DIR");
        now.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
    })
}

/// Every text file of the repository: no version control, and nothing that cargo builds.
pub(crate) fn all() -> &'static [File] {
    static ALL: OnceLock<Vec<File>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut files = Vec::new();
        walk(root(), &mut files);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        assert!(files.iter().any(|file| file.path == "core/src/lib.rs"), "the walk found no core");
        files
    })
}

/// The Rust files.
pub(crate) fn rust() -> impl Iterator<Item = &'static File> {
    all().iter().filter(|file| file.is_rust())
}

/// Rust that tests take as their input. It is not code of the house: it may be wrong on purpose.
const INPUTS: &[(&str, &str)] = &[
    ("migrate-lint/tests/fixtures/", "programs that the lint is to judge"),
    ("migrate-lint/tests/fixes/", "programs that the lint is to mend"),
    ("scheduler/macros/tests/ui/", "programs that must not compile"),
    ("core/tests/ui/", "programs that must not compile"),
];

/// The Rust files that are the house's own code.
pub(crate) fn house() -> impl Iterator<Item = &'static File> {
    rust().filter(|file| !INPUTS.iter().any(|(folder, _)| file.path.starts_with(folder)))
}

/// The text of one file that must be there.
pub(crate) fn text(path: &str) -> &'static str {
    let file = all().iter().find(|file| file.path == path);
    &file.unwrap_or_else(|| panic!("{path} is missing")).text
}

fn walk(dir: &Path, files: &mut Vec<File>) {
    let built = |path: &PathBuf| path.ends_with("target") || path.join("CACHEDIR.TAG").exists();
    for entry in fs::read_dir(dir).expect("a readable directory") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            if !path.ends_with(".git") && !built(&path) {
                walk(&path, files);
            }
        } else if !path.ends_with(".git")
            && let Ok(text) = fs::read_to_string(&path)
        {
            let name =
                path.strip_prefix(root()).expect("within the root").to_string_lossy().replace('\\', "/");
            files.push(File::new(name, text));
        }
    }
}

#[test]
fn tests_are_told_from_code() {
    let file = File::new("a/src/x.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n}\n");
    assert_eq!(file.tests_from(), 1);
    assert_eq!(File::new("a/tests/x.rs", "fn a() {}").tests_from(), 0);
    assert_eq!(File::new("a/src/x/tests.rs", "fn a() {}").tests_from(), 0);
    assert_eq!(File::new("a/src/x/loom.rs", "fn a() {}").tests_from(), 0);
    assert_eq!(File::new("a/src/x.rs", "#[cfg(test)]\nuse a::b;").tests_from(), usize::MAX);
}
