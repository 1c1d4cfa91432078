//! Runs the binary on files made for the purpose.

#![allow(dead_code)] // each test crate uses its part

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// The manifest of a package that depends on Tokio, for [`Dir::with`].
pub(crate) const APP: &str = "
== Cargo.toml
[package]
name = \"app\"
version = \"0.1.0\"
edition = \"2024\"
[dependencies]
tokio = \"1\"
";

/// The binary under test.
pub(crate) fn lint() -> Command {
    let mut lint = Command::new(env!("CARGO_BIN_EXE_cargo-migrate-lint"));
    // what clippy builds goes with the files it is made of
    lint.env_remove("CARGO_TARGET_DIR");
    lint
}

/// What a run left behind, as text.
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn ran(output: Output) -> Ran {
    Ran {
        status: output.status.code().expect("ended by itself"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

pub(crate) fn run(args: &[&str]) -> Ran {
    ran(lint().args(args).output().expect("runs"))
}

/// A directory of its own, removed in the end.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Dir {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lint-{}-{n}", std::process::id());
        // not below the target directory, for that may be in a repository and a workspace
        let dir = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("directory");
        Dir(dir)
    }

    /// Files from one text: `== path` starts each.
    pub(crate) fn with(files: &str) -> Dir {
        let dir = Dir::new();
        for part in files.split("\n== ").skip(1) {
            let (path, text) = part.split_once('\n').unwrap_or((part, ""));
            dir.write(path.trim(), text);
        }
        dir
    }

    /// A package that depends on Tokio, with these files.
    pub(crate) fn app(files: &str) -> Dir {
        Dir::with(&format!("{APP}{files}"))
    }

    /// It becomes a repository, with all that is there in a commit.
    pub(crate) fn committed(self) -> Dir {
        self.git(&["init", "--quiet"]);
        self.commit();
        self
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("parent")).expect("directory");
        fs::write(path, text).expect("write");
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn at(&self, path: &str) -> String {
        self.0.join(path).to_str().expect("UTF-8").to_string()
    }

    /// Runs the binary in this directory.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(lint().current_dir(&self.0).args(args).output().expect("runs"))
    }

    /// Runs git in this directory; it must succeed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let ran = self.try_git(args);
        assert_eq!(ran.status, 0, "git {args:?}: {}{}", ran.out, ran.err);
        ran.out
    }

    /// Runs git in this directory, without anybody's configuration.
    pub(crate) fn try_git(&self, args: &[&str]) -> Ran {
        let mut git = Command::new("git");
        git.env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE");
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        git.args(["-c", "user.name=x", "-c", "user.email=x@x", "-c", "init.defaultBranch=main"]);
        ran(git.current_dir(&self.0).args(args).output().expect("git runs"))
    }

    /// All that is there becomes a commit.
    pub(crate) fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", "x"]);
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.0.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    }

    /// All files below, relative and sorted.
    pub(crate) fn files(&self, below: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut dirs = vec![self.0.join(below)];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    let path = path.strip_prefix(self.0.join(below)).expect("below");
                    found.push(path.to_str().expect("UTF-8").replace('\\', "/"));
                }
            }
        }
        found.sort();
        found
    }

    pub(crate) fn check(&self, path: &str) -> Ran {
        run(&["check", &self.at(path)])
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        json(&self.at(path))
    }

    /// `file:line` of all findings, `?file:line` of all unknowns.
    pub(crate) fn found(&self, path: &str) -> Vec<String> {
        let document = self.json(path);
        let mut out = Vec::new();
        for (list, mark) in [("findings", ""), ("unknowns", "?")] {
            for entry in document[list].as_array().expect("a list") {
                let file = entry["file"].as_str().expect("file");
                out.push(format!("{mark}{file}:{}", entry["line"]));
            }
        }
        out
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn json(path: &str) -> Value {
    let ran = run(&["check", path, "--format", "json"]);
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}\n{}", ran.out, ran.err))
}
