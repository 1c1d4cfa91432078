//! The GitHub action's step and the Git hook, run as their hosts run them.

mod common;

use common::{Dir, Ran, ran};
use std::path::Path;
use std::process::Command;

const FILES: &str = "
== src/main.rs
fn main() { tokio::spawn(serve()); }
== .gitignore
/out
";

fn script(name: &str) -> String {
    format!("{}/ci/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The step of the action, with its inputs.
fn step(dir: &Dir, inputs: &[(&str, &str)]) -> Ran {
    let mut bash = Command::new("bash");
    bash.arg(script("lint")).current_dir(dir.path());
    bash.env("LINT", env!("CARGO_BIN_EXE_cargo-migrate-lint")).env("LINT_PATH", ".");
    bash.env("GITHUB_STEP_SUMMARY", dir.at("out/summary.md")).envs(inputs.iter().copied());
    ran(bash.output().expect("bash runs"))
}

#[test]
fn the_step_annotates_reports_and_fails_on_what_is_new() {
    let dir = Dir::app(FILES).committed();
    dir.write("out/summary.md", "# before\n");
    let red = step(&dir, &[("LINT_SARIF", "out/deep/lint.sarif"), ("LINT_ARGS", "--strict --no-baseline")]);
    assert_eq!(red.status, 1, "{}", red.err);
    assert!(red.out.starts_with("::warning file=src/main.rs,line=1,"), "{}", red.out);
    let sarif: serde_json::Value = serde_json::from_str(&dir.read("out/deep/lint.sarif")).expect("JSON");
    assert_eq!(sarif["runs"][0]["results"].as_array().map(Vec::len), Some(1));
    let summary = dir.read("out/summary.md");
    assert!(summary.starts_with("# before\n# Tasks without an owner\n"), "{summary}");

    dir.run(&["baseline"]);
    let green = step(&dir, &[("LINT_SUMMARY", "false")]);
    assert_eq!((green.status, green.err.as_str()), (0, ""));
    assert_eq!(dir.read("out/summary.md"), summary, "no summary is wanted");

    dir.write("src/main.rs", "fn main(");
    let broken = step(&dir, &[("LINT_SARIF", "out/lint.sarif")]);
    assert_eq!(broken.status, 2);
    assert!(broken.out.contains("::warning::migrate-lint: the SARIF is incomplete"), "{}", broken.out);
}

#[test]
fn the_action_hands_over_what_the_step_reads() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(here.join(path)).expect(path);
    let (action, step) = (read("action.yml"), read("ci/lint"));
    // what the binary is made of decides whether a cached one will do
    let key = action.lines().find(|line| line.contains("sources=")).expect("a key");
    for file in glob::glob(&format!("{}/src/**/*.rs", here.display())).expect("a pattern").flatten() {
        let text = std::fs::read_to_string(&file).expect("a source");
        for path in text.split("include_str!(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let path = file.parent().expect("a directory").join(path).canonicalize().expect(path);
            let top = path.strip_prefix(here).expect("of this crate").iter().next().expect("a directory");
            assert!(key.contains(&format!(" {} ", top.display())), "{key} lacks {}", path.display());
        }
    }
    for (name, input) in [("PATH", "path"), ("ARGS", "args"), ("SARIF", "sarif"), ("SUMMARY", "summary")] {
        assert!(step.contains(&format!("LINT_{name}")), "{name}");
        assert!(action.contains(&format!("LINT_{name}: ${{{{ inputs.{input} }}}}")), "{name}");
        assert!(action.contains(&format!("\n  {input}:\n    description: ")), "{input}");
    }
}

#[cfg(unix)]
#[test]
fn the_hook_looks_at_what_is_to_be_committed() {
    let dir = Dir::app(FILES).committed();
    dir.run(&["baseline"]);
    dir.commit();
    std::fs::create_dir_all(dir.at(".git/hooks")).expect("directory");
    std::fs::copy(script("pre-commit"), dir.at(".git/hooks/pre-commit")).expect("copied");
    let bin = Path::new(env!("CARGO_BIN_EXE_cargo-migrate-lint")).parent().expect("a directory");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a PATH"));
    let commit = |args: &[&str], path: &str| {
        let mut git = Command::new("git");
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("PATH", path).env_remove("GIT_DIR");
        git.args(["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-m", "x"]).args(args);
        ran(git.current_dir(dir.path()).output().expect("git runs"))
    };
    // bad in the working tree, but not staged
    dir.write("src/main.rs", "fn main() { tokio::spawn(serve()); }\nfn worse() { tokio::spawn(worse()); }\n");
    dir.write("notes.txt", "x");
    dir.git(&["add", "notes.txt"]);
    assert_eq!(commit(&[], &path).status, 0);
    dir.write("src/other.rs", "");
    dir.git(&["add", "src/other.rs"]);
    assert_eq!(commit(&[], &path).status, 0);
    // staged, and mended only in the working tree
    dir.git(&["add", "src/main.rs"]);
    dir.write("src/main.rs", "fn main() {}");
    let refused = commit(&[], &path);
    assert_eq!(refused.status, 1, "{}", refused.out);
    let said = format!("{}{}", refused.out, refused.err);
    assert!(said.contains("src/main.rs:2:14: warning[detached_spawn_finite]"), "{said}");
    assert_eq!(commit(&["--no-verify"], &path).status, 0);
    // without the lint it says what to do
    dir.git(&["add", "src/main.rs"]);
    let without = commit(&[], "/usr/bin:/bin");
    assert_eq!(without.status, 1);
    assert!(without.err.contains("cargo-migrate-lint is not installed"), "{}", without.err);
}
