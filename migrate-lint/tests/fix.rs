//! `fix`: what it mends, what it leaves, and when it refuses.

mod common;
#[path = "common/schema.rs"]
mod schema;

use common::Dir;
use std::fs;
use std::path::{Path, PathBuf};

const BEFORE: &str = "
== src/main.rs
// migrate-lint: allow(detached_spawn_finite) once there was a spawn here
// migrate-lint: allow(detached_spawn_finite, suppression) and here
fn main() {
    run(); // migrate-lint: allow(detached_spawn_finite) and here, 日本
    // migrate-lint: allow(suppression, detached_spawn_finite) this one is needed
    tokio::spawn(run());
    // migrate-lint: allow(detached_spawn_finite)
    stop(); // migrate-lint: allow(no_such_rule) nor this
}
== src/lib.rs
fn f() {}
";

const AFTER: &str = "fn main() {
    run();
    // migrate-lint: allow(detached_spawn_finite) this one is needed
    tokio::spawn(run());
    // migrate-lint: allow(detached_spawn_finite)
    stop(); // migrate-lint: allow(no_such_rule) nor this
}";

#[test]
fn suppressions_that_suppress_nothing_go() {
    let dir = Dir::app(BEFORE).committed();
    assert!(dir.run(&[]).out.ends_with("\n`cargo migrate-lint fix` mends 5 of them\n"));
    let ran = dir.run(&["fix"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert_eq!(ran.out, "fixed src/main.rs (5 fixes)\n");
    assert_eq!(dir.read("src/main.rs"), AFTER);
    assert_eq!(dir.git(&["status", "--porcelain"]), " M src/main.rs\n");
    // again changes nothing, and needs no permission to
    let again = dir.run(&["fix"]);
    assert_eq!((again.status, again.out.as_str()), (0, "nothing that can be fixed\n"));
    assert_eq!(dir.read("src/main.rs"), AFTER);
}

#[test]
fn line_ends_marks_and_permissions_stay() {
    let dir = Dir::app(BEFORE).committed();
    dir.write("src/main.rs", format!("\u{feff}{}", dir.read("src/main.rs").replace('\n', "\r\n")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = dir.at("src/main.rs");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("chmod");
        std::fs::rename(&path, dir.at("src/real.rs")).expect("renamed");
        std::os::unix::fs::symlink("real.rs", &path).expect("link");
    }
    dir.commit();
    assert_eq!(dir.run(&["fix", "-q"]).out, "");
    assert_eq!(dir.read("src/main.rs"), format!("\u{feff}{}", AFTER.replace('\n', "\r\n")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let link = std::fs::symlink_metadata(dir.at("src/main.rs")).expect("there");
        assert!(link.is_symlink(), "a link stays a link");
        let real = std::fs::metadata(dir.at("src/real.rs")).expect("there");
        assert_eq!(real.permissions().mode() & 0o777, 0o640);
    }
    assert_eq!(dir.files("src").len(), if cfg!(unix) { 3 } else { 2 }, "nothing is left behind");
}

#[test]
fn what_is_accepted_is_mended_too() {
    let dir = Dir::app(BEFORE).committed();
    dir.run(&["baseline"]);
    dir.commit();
    assert_eq!(dir.run(&["fix"]).out, "fixed src/main.rs (5 fixes)\n");
    assert!(dir.run(&["baseline", "--prune"]).out.ends_with(": 0 added, 5 removed, 2 kept\n"));
}

#[test]
fn only_what_is_committed_is_changed() {
    let refuses = |dir: &Dir, args: &[&str], words: &[&str]| {
        let before = dir.read("src/main.rs");
        let ran = dir.run(&[&["fix"], args].concat());
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(words.iter().all(|word| ran.err.contains(word)), "{args:?}: {}", ran.err);
        assert_eq!(dir.read("src/main.rs"), before);
    };
    let fixes = |dir: &Dir, args: &[&str]| {
        let ran = dir.run(&[&["fix"], args].concat());
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (0, "fixed src/main.rs (5 fixes)\n"),
            "{args:?}: {}",
            ran.err
        );
    };
    let none = Dir::app(BEFORE);
    refuses(&none, &[], &["no Git repository", "--allow-no-vcs"]);
    refuses(&none, &["--allow-dirty"], &["--allow-no-vcs"]);
    fixes(&none, &["--allow-no-vcs"]);

    let dirty = Dir::app(BEFORE).committed();
    dirty.write("src/lib.rs", "fn changed() {}");
    refuses(&dirty, &[], &["--allow-dirty", "src/lib.rs (dirty)"]);
    refuses(&dirty, &["--allow-staged"], &["--allow-dirty", "src/lib.rs (dirty)"]);
    fixes(&dirty, &["--allow-dirty"]);

    let staged = Dir::app(BEFORE).committed();
    staged.write("src/lib.rs", "fn changed() {}");
    staged.git(&["add", "src/lib.rs"]);
    refuses(&staged, &[], &["pass --allow-staged", "src/lib.rs (staged)"]);
    fixes(&staged, &["--allow-staged"]);

    let new = Dir::app(BEFORE).committed();
    new.write("notes.txt", "");
    refuses(&new, &[], &["--allow-dirty", "notes.txt (dirty)"]);
    new.write(".gitignore", "notes.txt\n.gitignore");
    fixes(&new, &[]);
}

#[test]
fn a_file_that_cannot_be_written_is_told() {
    let dir = Dir::app(&BEFORE.replace("fn f() {}", "fn broken(")).committed();
    let ran = dir.run(&["fix"]);
    assert_eq!((ran.status, ran.out.as_str()), (2, "fixed src/main.rs (5 fixes)\n"));
    assert!(ran.err.contains("src/lib.rs:1:"), "{}", ran.err);
}

#[test]
fn fixes_are_told_to_programs() {
    let dir = Dir::app(BEFORE).committed();
    let document = dir.json("");
    let fix = &document["findings"][0]["fix"];
    let whole_line =
        serde_json::json!([{ "line": 1, "column": 1, "end_line": 2, "end_column": 1, "text": "" }]);
    assert_eq!(fix, &whole_line);
    let ran = dir.run(&["--format", "sarif"]);
    let sarif: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let schema = serde_json::from_str(include_str!("schema/sarif-2.1.0-rtm.5.json")).expect("JSON");
    assert_eq!(schema::objections(&schema, &sarif), [""; 0]);
    let replacement = "/runs/0/results/0/fixes/0/artifactChanges/0/replacements/0/deletedRegion/endLine";
    assert_eq!(sarif.pointer(replacement), Some(&2.into()));
}

/// The programs of `tests/fixes`, and what they become.
fn programs() -> Vec<(PathBuf, PathBuf)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixes");
    let mut files: Vec<_> = fs::read_dir(dir).expect("directory").flatten().map(|e| e.path()).collect();
    files.sort();
    let is_before = |path: &PathBuf| !path.to_string_lossy().ends_with(".fixed.rs");
    files
        .into_iter()
        .filter(is_before)
        .map(|path| (path.with_extension("fixed.rs"), path))
        .map(|(b, a)| (a, b))
        .collect()
}

/// A copy of one file after `fix`, run twice.
fn fixed(file: &Path) -> String {
    let dir = Dir::new();
    let text = fs::read_to_string(file).expect("a program");
    dir.write("main.rs", &text);
    let ran = dir.run(&["fix", "--allow-no-vcs", "main.rs"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{}", file.display());
    let once = dir.read("main.rs");
    let again = dir.run(&["fix", "--allow-no-vcs", "main.rs"]);
    assert_eq!(again.out, "nothing that can be fixed\n", "{}", file.display());
    assert_eq!(dir.read("main.rs"), once);
    once
}

#[test]
fn programs_become_what_they_should() {
    for (before, after) in programs() {
        let fixed = fixed(&before);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&after, &fixed).expect("written");
        }
        let after = fs::read_to_string(&after).unwrap_or_default();
        assert_eq!(fixed, after, "{}: UPDATE=1 writes what happens now", before.display());
    }
    assert!(programs().len() >= 3);
}

#[test]
fn programs_compile_and_run_afterwards() {
    let cases = trybuild::TestCases::new();
    for (_, after) in programs() {
        cases.pass(after);
    }
}

#[test]
fn every_fixture_can_be_fixed_and_still_be_linted() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut seen = 0;
    for dir in fs::read_dir(tests.join("fixtures")).expect("directory").flatten() {
        for file in fs::read_dir(dir.path()).expect("directory").flatten() {
            fixed(&file.path());
            seen += 1;
        }
    }
    assert!(seen >= 6);
}
