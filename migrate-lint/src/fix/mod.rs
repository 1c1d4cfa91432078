//! Mending what can be mended without a change of what the code does.
//!
//! A finding may carry a [`Fix`](crate::rule::Fix). All fixes of a file that do not meet are
//! made at once; the file is written only if it still parses, and as a whole
//! (a new file that takes the old one's place). Then the run begins anew, for
//! one fix can make room for the next, until nothing is left to do. Nothing is
//! changed that is not committed, unless the user says so ([`vcs`]).

mod edits;
pub mod vcs;

pub use edits::apply;

use crate::check::{Options, Report, check};
use crate::load::Problem;
use crate::load::source::{canonical, read_text};
use crate::rule::Finding;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// One fix can make room for another, but not for ever.
const ROUNDS: usize = 10;

/// What `fix` did.
#[derive(Debug, Default)]
pub struct Fixed {
    /// Files and how many findings were mended in each.
    pub files: BTreeMap<PathBuf, usize>,
    /// Files that were left as they were, and why.
    pub problems: Vec<Problem>,
}

/// The findings with a fix, by file.
pub fn fixable(report: &Report) -> BTreeMap<&Path, Vec<&Finding>> {
    let mut by_file: BTreeMap<&Path, Vec<&Finding>> = BTreeMap::new();
    for finding in report.findings.iter().filter(|f| f.fix.is_some()) {
        by_file.entry(&finding.file).or_default().push(finding);
    }
    by_file
}

/// Mends what `report` found, and what is found then.
///
/// # Errors
///
/// If a later round has nothing to lint any more.
pub fn fix(path: &Path, options: &Options, report: Report) -> Result<Fixed, Problem> {
    let mut fixed = Fixed::default();
    let mut report = report;
    for _ in 0..ROUNDS {
        let mut changed = false;
        for (file, findings) in fixable(&report) {
            if fixed.problems.iter().any(|problem| problem.file == file) {
                continue;
            }
            match fix_file(file, &findings) {
                Ok(0) => {}
                Ok(n) => {
                    *fixed.files.entry(file.to_path_buf()).or_default() += n;
                    changed = true;
                }
                Err(message) => fixed.problems.push(Problem::error(file, message)),
            }
        }
        if !changed {
            break;
        }
        report = check(path, options)?;
    }
    Ok(fixed)
}

fn fix_file(file: &Path, findings: &[&Finding]) -> Result<usize, String> {
    let text = read_text(file).map_err(|e| e.explain())?;
    let fixes = findings.iter().filter_map(|finding| finding.fix.as_ref());
    let (mended, n) = apply(&text, fixes);
    if n == 0 {
        return Ok(0);
    }
    crate::load::parses(&mended)
        .map_err(|message| format!("left as it is, for with its fixes it would not parse: {message}"))?;
    replace(&canonical(file), &mended).map_err(|e| format!("cannot be written: {e}"))?;
    Ok(n)
}

/// Puts a new file with this text in the place of `file`.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = file.with_file_name(name);
    let write = || {
        let permissions = fs::metadata(file)?.permissions();
        let mut new = fs::File::create_new(&beside)?;
        new.write_all(text.as_bytes())?;
        new.set_permissions(permissions)?;
        new.sync_all()?;
        fs::rename(&beside, file)
    };
    write().inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}
