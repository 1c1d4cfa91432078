//! Reading and changing the directory of a baseline.

use super::Entry;
use crate::load::{Problem, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Explains the directory to whoever finds it.
const README: &str = "\
Each empty file here is a finding of `cargo migrate-lint` that was there when the
lint came, and is accepted until somebody mends it. The path says where it is:
the file, the function, the rule, and two hashes.

Do not edit these by hand. `cargo migrate-lint baseline` accepts what is found
now; with `--prune` it only removes what is mended. Merges need no care.
";

const README_NAME: &str = "README.md";

/// What a change of the directory did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Change {
    /// Entries that came.
    pub added: usize,
    /// Entries that went.
    pub removed: usize,
    /// Entries that stayed.
    pub kept: usize,
}

/// All entries of a directory, in order; none if there is no such directory.
///
/// # Errors
///
/// If it cannot be listed. What is in it and no entry is a warning, added to
/// `problems`.
pub fn read(dir: &Path, problems: &mut Vec<Problem>) -> Result<Vec<Entry>, Problem> {
    let found = list(dir, problems).map_err(|e| cannot(dir, "be read", &e))?;
    Ok(found.into_iter().map(|(entry, _)| entry).collect())
}

/// Entries with their paths below `dir`, sorted.
fn list(dir: &Path, problems: &mut Vec<Problem>) -> io::Result<Vec<(Entry, PathBuf)>> {
    let mut found = Vec::new();
    if dir.exists() {
        walk(dir, Path::new(""), &mut found, problems)?;
    }
    found.sort();
    Ok(found)
}

fn walk(
    dir: &Path,
    below: &Path,
    found: &mut Vec<(Entry, PathBuf)>,
    problems: &mut Vec<Problem>,
) -> io::Result<()> {
    for item in fs::read_dir(dir.join(below))? {
        let item = item?;
        let path = below.join(item.file_name());
        if item.file_type()?.is_dir() {
            walk(dir, &path, found, problems)?;
        } else if let Some(entry) = Entry::from_path(&path) {
            found.push((entry, path));
        } else if path != Path::new(README_NAME) {
            problems.push(Problem {
                file: dir.join(path),
                place: None,
                severity: Severity::Warning,
                message: "no entry of a baseline, by its name; remove the file".into(),
            });
        }
    }
    Ok(())
}

/// Makes the directory hold `entries` and no others.
///
/// # Errors
///
/// If a file cannot be made or removed; running it again goes on from there.
pub fn write(dir: &Path, entries: &[Entry]) -> Result<Change, Problem> {
    replace(dir, entries).map_err(|e| cannot(dir, "be written", &e))
}

fn replace(dir: &Path, entries: &[Entry]) -> io::Result<Change> {
    let mut change = Change::default();
    let mut there: BTreeMap<Entry, Vec<PathBuf>> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for (entry, path) in list(dir, &mut Vec::new())? {
        taken.insert(path.clone());
        there.entry(entry).or_default().push(path);
    }
    for entry in entries {
        if there.get_mut(entry).and_then(Vec::pop).is_some() {
            change.kept += 1;
            continue;
        }
        let path = (1..).map(|n| entry.path(n)).find(|path| taken.insert(path.clone()));
        let path = dir.join(path.expect("there are more numbers than files"));
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        fs::write(path, "")?;
        change.added += 1;
    }
    for path in there.values().flatten() {
        remove(dir, path)?;
        change.removed += 1;
    }
    let readme = dir.join(README_NAME);
    if entries.is_empty() {
        if dir.exists() {
            remove(dir, Path::new(README_NAME))?;
        }
    } else if !fs::read_to_string(&readme).is_ok_and(|text| text == README) {
        fs::write(readme, README)?;
    }
    Ok(change)
}

/// Removes a file, and the directories that are empty without it.
fn remove(dir: &Path, path: &Path) -> io::Result<()> {
    match fs::remove_file(dir.join(path)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    for above in path.ancestors().skip(1) {
        if fs::remove_dir(dir.join(above)).is_err() {
            break; // not empty
        }
    }
    Ok(())
}

fn cannot(dir: &Path, what: &str, e: &io::Error) -> Problem {
    Problem::error(dir, format!("this baseline cannot {what}: {e}"))
}
