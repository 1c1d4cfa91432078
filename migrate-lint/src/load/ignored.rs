//! What Git ignores, of what was found by listing directories.
//!
//! Cargo takes every file in `examples/`, and every directory that a member
//! pattern matches; some of those are only on this machine. Git itself is
//! asked, once for many paths: its rules are many, and it is there where a
//! `.gitignore` matters. Without Git or a repository nothing is ignored. What
//! a manifest or a `mod` names is linted whatever Git says.

use super::source::canonical;
use std::collections::HashSet;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Those of `paths` that Git ignores in the repository around `dir`.
pub(super) fn ignored<'p>(dir: &Path, paths: impl Iterator<Item = &'p Path>) -> HashSet<PathBuf> {
    // relative ones are asked for by their real directories, so that links do not lead outside
    let asked: Vec<(PathBuf, &Path)> =
        paths.filter_map(|path| Some((canonical(path.parent()?).join(path.file_name()?), path))).collect();
    let real = canonical(dir);
    if asked.is_empty() || !real.ancestors().any(|dir| dir.join(".git").exists()) {
        return HashSet::new();
    }
    let found: HashSet<OsString> = ask(&real, asked.iter().map(|(real, _)| real)).unwrap_or_default();
    let is_ignored = |(real, _): &(PathBuf, &Path)| found.contains(real.as_os_str());
    asked.into_iter().filter(is_ignored).map(|(_, path)| path.to_path_buf()).collect()
}

fn ask<'p>(dir: &Path, paths: impl Iterator<Item = &'p PathBuf>) -> Option<HashSet<OsString>> {
    let mut input = Vec::new();
    for path in paths {
        input.extend_from_slice(path.as_os_str().as_encoded_bytes());
        input.push(0);
    }
    let mut git = Command::new("git");
    // a hook's variables speak of another directory
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        git.env_remove(name);
    }
    git.arg("-C").arg(dir).args(["check-ignore", "-z", "--stdin"]);
    let mut git = git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut stdin = git.stdin.take()?;
    // beside the reading, for either side may wait for the other
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(&input));
        git.wait_with_output()
    });
    let listed = output.ok()?.stdout;
    Some(listed.split(|&byte| byte == 0).filter_map(path_of).collect())
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;
    Some(OsString::from_vec(bytes.to_vec()))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> Option<OsString> {
    std::str::from_utf8(bytes).ok().map(OsString::from)
}
