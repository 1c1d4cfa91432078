//! Whether files may be changed: as `cargo fix`, only where the user can see
//! and undo it.

use std::path::Path;
use std::process::Command;

/// What the user allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Allowed {
    /// Changes that are not committed, staged or not.
    pub dirty: bool,
    /// Changes that are only staged.
    pub staged: bool,
    /// No repository at all.
    pub no_vcs: bool,
}

/// How many files an error names.
const SHOWN: usize = 10;

/// Whether files of the repository at `top` may be changed.
///
/// # Errors
///
/// In words, with what to do.
pub fn may_change(top: &Path, allowed: Allowed) -> Result<(), String> {
    if allowed.dirty && (allowed.no_vcs || top.join(".git").exists()) {
        return Ok(());
    }
    if !top.join(".git").exists() {
        let message = "this is no Git repository, so changes could not be undone; --allow-no-vcs makes them all the same";
        return if allowed.no_vcs { Ok(()) } else { Err(message.into()) };
    }
    let mut git = Command::new("git");
    git.arg("-C").arg(top).args(["status", "--porcelain=v1", "-z", "--no-renames"]);
    let output = git.output().map_err(|e| unasked(&e.to_string()))?;
    if !output.status.success() {
        return Err(unasked(String::from_utf8_lossy(&output.stderr).trim()));
    }
    let status = String::from_utf8_lossy(&output.stdout);
    let (mut files, mut is_dirty) = (Vec::new(), false);
    for entry in status.split('\0').filter(|entry| entry.len() > 3) {
        let staged_only = entry.as_bytes()[1] == b' ';
        if !(staged_only && allowed.staged) {
            is_dirty |= !staged_only;
            files.push(format!("  {} ({})", &entry[3..], if staged_only { "staged" } else { "dirty" }));
        }
    }
    if files.is_empty() {
        return Ok(());
    }
    let flag = if is_dirty { "--allow-dirty" } else { "--allow-staged" };
    let more = files.len().saturating_sub(SHOWN);
    files.truncate(SHOWN);
    if more > 0 {
        files.push(format!("  and {more} more"));
    }
    Err(format!(
        "there are changes that are not committed; commit them, or pass {flag}:\n{}",
        files.join("\n")
    ))
}

fn unasked(why: &str) -> String {
    format!("git cannot be asked whether all is committed ({why}); --allow-dirty goes on without")
}
