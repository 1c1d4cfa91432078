//! The repositories of `oracle/repositories.tsv`, and their checkouts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One of them.
pub(crate) struct Repository {
    pub(crate) name: String,
    url: String,
    commit: String,
    /// Directories of the workspaces in it.
    pub(crate) workspaces: Vec<String>,
    /// How clippy builds it.
    pub(crate) flags: Vec<String>,
}

/// A file of `oracle`, its comments left out.
pub(crate) fn lines(file: &str) -> Result<Vec<Vec<String>>, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle").join(file);
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    Ok(lines.map(|line| line.split('\t').map(str::to_string).collect()).collect())
}

pub(crate) fn all() -> Result<Vec<Repository>, String> {
    let of = |line: Vec<String>| match line.as_slice() {
        [name, url, commit, workspaces, flags] => Ok(Repository {
            name: name.clone(),
            url: url.clone(),
            commit: commit.clone(),
            workspaces: workspaces.split_whitespace().map(str::to_string).collect(),
            flags: flags.split_whitespace().map(str::to_string).collect(),
        }),
        other => Err(format!("repositories.tsv: five fields are wanted, not {other:?}")),
    };
    lines("repositories.tsv")?.into_iter().map(of).collect()
}

impl Repository {
    /// Its checkout, at the commit that the figures are about.
    pub(crate) fn checkout(&self, dir: &Path) -> Result<PathBuf, String> {
        let path = dir.join(&self.name);
        let head = git(&path, &["rev-parse", "HEAD"])?;
        if head.trim() != self.commit {
            return Err(format!("{} is at {}, not at {}", path.display(), head.trim(), self.commit));
        }
        Ok(path)
    }
}

/// A file of a checkout, as labels name it.
pub(crate) fn relative(checkout: &Path, file: &Path) -> String {
    // `./src` and `src` are one
    let file: PathBuf = file.strip_prefix(checkout).unwrap_or(file).components().collect();
    file.display().to_string()
}

fn git(dir: &Path, args: &[&str]) -> Result<String, String> {
    let output = Command::new("git").current_dir(dir).args(args).output();
    let output = output.map_err(|e| format!("git in {}: {e}; run `clone` first", dir.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("git {} in {}: {}", args.join(" "), dir.display(), said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `clone DIR`
pub(crate) fn clone(dir: &Path) -> Result<(), String> {
    for repository in all()? {
        let path = dir.join(&repository.name);
        if path.exists() {
            println!("{}: there already", path.display());
            continue;
        }
        fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        git(&path, &["init", "-q"])?;
        git(&path, &["fetch", "-q", "--depth", "1", &repository.url, &repository.commit])?;
        git(&path, &["checkout", "-q", "FETCH_HEAD"])?;
        println!("{}: {}", path.display(), repository.commit);
    }
    Ok(())
}
