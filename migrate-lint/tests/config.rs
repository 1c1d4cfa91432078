//! `migrate-lint.toml`: what it decides, and what it is told when it is wrong.

mod common;

use common::{APP, Dir};

const FILES: &str = "
== src/lib.rs
pub mod gen;
fn f() { tokio::spawn(g()); }
== src/gen.rs
fn f() { tokio::spawn(g()); }
// migrate-lint: allow(detached_spawn_finite)
== examples/show.rs
fn main() { tokio::spawn(g()); }
";

fn with(config: &str) -> Dir {
    let dir = Dir::app(FILES);
    dir.write("migrate-lint.toml", config);
    dir
}

#[test]
fn levels_of_rules() {
    assert_eq!(with("").run(&[]).status, 1);
    let info = with("levels.detached_spawn_finite = 'info'\nlevels.suppression = 'info'").run(&[]);
    assert_eq!(info.status, 0);
    assert!(info.out.contains("note[detached_spawn_finite]: "), "{}", info.out);
    assert!(info.out.contains("4 findings (4 notes), "), "{}", info.out);
    let deny = with("[levels]\ndetached_spawn_finite = \"deny\"").run(&["--format", "short"]);
    assert_eq!(deny.status, 1);
    assert!(deny.out.contains("src/lib.rs:2:10: error[detached_spawn_finite]: "), "{}", deny.out);
    let allow = with("[levels]\ndetached_spawn_finite = \"allow\"\nsuppression = \"allow\"").run(&[]);
    assert_eq!(
        (allow.status, allow.out.as_str()),
        (0, "0 findings, 0 unknown, 0 suppressed; 3 files in 1 package\n")
    );
}

#[test]
fn excluded_files_are_not_reported() {
    let dir = with("exclude = [\"src/gen.rs\", \"examples/\"]");
    assert_eq!(dir.found(""), ["src/lib.rs:2"]);
    dir.write("src/gen.rs", "fn broken(");
    assert_eq!(dir.run(&[]).err, "");
}

#[test]
fn scopes_have_reasons_and_the_last_decides() {
    let dir = with(
        "
[levels]
suppression = 'allow'
[[scope]]
paths = ['src', 'examples']
level = 'info'
reason = 'later'
[[scope]]
paths = ['examples']
rules = ['detached_spawn_finite']
reason = 'they show plain Tokio'
",
    );
    let ran = dir.run(&["--format", "short"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("src/lib.rs:2:10: note[detached_spawn_finite]"), "{}", ran.out);
    assert!(ran.out.contains(", 1 suppressed; "), "{}", ran.out);
}

#[test]
fn scopes_that_nothing_is_in_are_stale() {
    let dir = with(
        "[[scope]]\npaths = ['src', 'examples']\nreason = 'a'\n\n[[scope]]\npaths = ['old']\nreason = 'b'\n",
    );
    let ran = dir.run(&[]);
    assert_eq!(ran.status, 0, "{}", ran.out);
    assert!(ran.err.starts_with("note: 1 entry or scope that nothing needs"), "{}", ran.err);
    let strict = dir.run(&["--strict"]);
    assert_eq!(strict.status, 1);
    assert!(
        strict.err.contains("migrate-lint.toml:5:1: warning: nothing is found in this scope"),
        "{}",
        strict.err
    );
}

#[test]
fn whatever_is_not_understood_is_an_error_with_a_hint() {
    for (config, expected) in [
        ("exclud = []", "toml:1:1: error: there is no key `exclud`; did you mean `exclude`?"),
        (
            "colour = 1",
            "toml:1:1: error: there is no key `colour`; the keys are baseline, exclude, levels, scope",
        ),
        (
            "\n[levels]\ndetachd_spawn_finite = 'deny'",
            "toml:3:1: error: there is no rule `detachd_spawn_finite`; did you mean `detached_spawn_finite`?",
        ),
        (
            "[levels]\ndetached_spawn_finite = 'deney'",
            "toml:2:25: error: there is no level `deney`; did you mean `deny`?",
        ),
        ("levels = 3", "toml:1:10: error: a table is expected here, not a TOML integer"),
        (
            "levels.detached_spawn_finite = 3",
            "error: a level is expected here, as a string, not a TOML integer",
        ),
        ("exclude = 'src'", "error: a list is expected here, such as [\"src\"], not a TOML string"),
        ("exclude = ['../x']", "error: `../x` is no pattern: patterns are relative"),
        ("exclude = ['a[']", "error: `a[` is no pattern: "),
        ("[scope]\npaths = []", "toml:1:2: error: scopes are written `[[scope]]`"),
        ("[[scope]]\npaths = ['a']", "toml:1:1: error: this scope has no `reason`"),
        ("[[scope]]\nreason = ' - '\npaths = []", "error: this scope has no `reason`"),
        ("[[scope]]\nreason = 'why'", "error: this scope has no `paths`; for the whole tree, use [levels]"),
        (
            "[[scope]]\nreason = 'why'\npaths = ['a']\nrule = 'b'",
            "toml:4:1: error: a scope has no key `rule`; did you mean `rules`?",
        ),
        (
            "[[scope]]\nreason = 'why'\npaths = ['a']\nrules = ['b']",
            "toml:4:10: error: there is no rule `b`; the rules are",
        ),
        ("a = ", "toml:1:5: error: not TOML: "),
    ] {
        let ran = with(config).run(&[]);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{config}");
        assert!(ran.err.contains(expected), "{config}: {}", ran.err);
    }
    let all = with("exclud = []\nlevel = {}\n").run(&[]).err;
    assert_eq!(all.lines().count(), 2, "every mistake is told: {all}");
}

#[test]
fn a_configuration_that_is_no_file_is_not_passed_over() {
    let dir = Dir::app(FILES);
    std::fs::create_dir(dir.at("migrate-lint.toml")).expect("directory");
    let ran = dir.run(&[]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("migrate-lint.toml: error: not a regular file"), "{}", ran.err);
}

#[test]
fn the_nearest_configuration_up_to_the_repository_is_used() {
    let dir = Dir::app(&format!("{FILES}\n== migrate-lint.toml\n[levels]\ndetached_spawn_finite = 'deny'"));
    let inner = format!("{APP}{FILES}").replace("\n== ", "\n== repo/app/");
    for part in inner.split("\n== ").skip(1) {
        let (path, text) = part.split_once('\n').expect("a path");
        dir.write(path, text);
    }
    let level = |args: &[&str]| {
        let ran = dir.run(&[args, &["repo/app", "--format", "short"]].concat());
        ran.out.split_once("lib.rs:2:10: ").expect("found").1.split_once('[').expect("a rule").0.to_string()
    };
    assert_eq!(level(&[]), "error");
    dir.write("repo/migrate-lint.toml", "[levels]\ndetached_spawn_finite = 'info'");
    assert_eq!(level(&[]), "note");
    assert_eq!(level(&["--config", "migrate-lint.toml"]), "error");
    dir.remove("repo/migrate-lint.toml");
    dir.write("repo/.git/HEAD", "");
    assert_eq!(level(&[]), "warning", "not from outside of the repository");
    let gone = dir.run(&["--config", "gone.toml"]);
    assert_eq!(gone.status, 2);
    assert!(gone.err.contains("gone.toml: error: file not found"), "{}", gone.err);
}
