//! Rust files that say themselves what is to be found in them.
//!
//! `//~ WORD` at the end of a line marks that line, `//~ ^WORD` the one above;
//! what the words are is the affair of each test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// How often a word is said of a line.
pub(crate) type Marks = BTreeMap<(u32, String), usize>;

/// The files of a directory below `tests`, in order.
pub(crate) fn files(below: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(below);
    let mut files: Vec<_> = fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).collect();
    files.sort();
    files
}

/// The marks that a file wants.
pub(crate) fn expected(file: &Path) -> Marks {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut marks = Marks::new();
    for (line, text) in (1..).zip(text.lines()) {
        for mark in text.split("//~ ").skip(1).map(str::trim) {
            let (line, word) = mark.strip_prefix('^').map_or((line, mark), |word| (line - 1, word));
            *marks.entry((line, word.to_string())).or_default() += 1;
        }
    }
    marks
}

/// What a file has and does not want, and the other way round.
pub(crate) fn objections(file: &Path, actual: &Marks) -> Vec<String> {
    let expected = expected(file);
    let lacks =
        expected.iter().filter(|(mark, n)| actual.get(*mark) != Some(*n)).map(|found| ("lacks", found));
    let has = actual.iter().filter(|(mark, _)| !expected.contains_key(*mark)).map(|found| ("has", found));
    let all = lacks.chain(has);
    all.map(|(what, ((line, word), n))| format!("{}:{line}: {what} {n} {word}", file.display())).collect()
}
