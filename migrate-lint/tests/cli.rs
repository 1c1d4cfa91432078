//! The command line as a user meets it.

mod common;

use common::{Dir, lint, ran, run};
use std::io::Read;
use std::process::Stdio;

fn one_finding() -> Dir {
    Dir::app(
        "
== src/main.rs
fn main() {
\tlet _ = (\"日本\", tokio::spawn(serve()));
}
",
    )
}

#[test]
fn a_finding_in_text() {
    let dir = one_finding();
    let ran = dir.check("");
    assert_eq!(ran.status, 1);
    assert_eq!(ran.err, "");
    let file = dir.at("src/main.rs");
    let expected = format!(
        "warning[detached_spawn_finite]: `tokio::spawn` starts a task that nobody owns
 --> {file}:2:17
  |
2 |     let _ = (\"日本\", tokio::spawn(serve()));
  |                      ^^^^^^^^^^^^
  |
  = note: the task goes on when the code that started it returns, fails or is cancelled, and its errors and panics are lost
  = help: cx.spawn_future(\"serve\", serve(..)), with the cx of compat::hosted::run(async |cx| ..)

1 finding (1 warning), 0 unknown, 0 suppressed; 1 file in 1 package
"
    );
    assert_eq!(ran.out, expected);
}

#[test]
fn a_finding_on_one_line() {
    let dir = one_finding();
    let line = format!(
        "{}:2:17: warning[detached_spawn_finite]: `tokio::spawn` starts a task that nobody owns\n",
        dir.at("src/main.rs")
    );
    let ran = run(&["--format", "short", &dir.at("")]);
    let summary = "1 finding (1 warning), 0 unknown, 0 suppressed; 1 file in 1 package\n";
    assert_eq!((ran.status, ran.out), (1, format!("{line}{summary}")));
    assert_eq!(run(&["--format", "short", "-q", &dir.at("")]).out, line);
}

#[test]
fn colours_where_they_are_wanted() {
    let dir = one_finding();
    let colored = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = lint();
        for name in ["CARGO_TERM_COLOR", "NO_COLOR"] {
            command.env_remove(name);
        }
        let output = command.envs(variables.iter().copied()).args(args).arg(dir.at("")).output();
        ran(output.expect("runs")).out.contains('\u{1b}')
    };
    assert!(!colored(&[], &[]), "a pipe is no terminal");
    assert!(colored(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(colored(&[], &[("CARGO_TERM_COLOR", "always")]));
    assert!(!colored(&["--color=never"], &[("CARGO_TERM_COLOR", "always")]));
}

#[test]
fn a_finding_in_json() {
    let dir = one_finding();
    let expected = serde_json::json!({
        "schema": 1,
        "tool": { "name": "migrate-lint", "version": env!("CARGO_PKG_VERSION") },
        "root": dir.at("").trim_end_matches('/'),
        "findings": [{
            "rule": "detached_spawn_finite",
            "level": "warn",
            "file": "src/main.rs",
            "line": 2,
            "column": 17,
            "end_line": 2,
            "end_column": 29,
            "item": "main",
            "fate": "dropped",
            "message": "`tokio::spawn` starts a task that nobody owns",
            "reason": "the task goes on when the code that started it returns, fails or is cancelled, and its errors and panics are lost",
            "suggestion": "cx.spawn_future(\"serve\", serve(..)), with the cx of compat::hosted::run(async |cx| ..)",
            "fix": null,
            "snippet": "\tlet _ = (\"日本\", tokio::spawn(serve()));",
            "cfg": [],
            "in_test": false,
            "targets": [{ "package": "app", "kind": "bin", "name": "app" }],
        }],
        "unknowns": [],
        "set_aside": [],
        "stale": [],
        "problems": [],
        "summary": {
            "findings": 1, "unknowns": 0, "suppressed": 0, "accepted": 0,
            "packages": 1, "files": 1, "lines": 3, "complete": true,
        },
    });
    assert_eq!(dir.json(""), expected);
}

#[test]
fn suggestions_fit_the_call() {
    let dir = Dir::with(
        "
== a.rs
use asupersync::Cx;
use tokio::spawn as go;
fn f(cx: &Cx) {
    go(async {});
    go(async move {});
    go(Type::new());
    go(x.y());
    all.for_each(go);
    vec![go(async move {})];
    m!(=> x; go(run(1)););
    tokio::task::spawn_blocking(|| {});
}
",
    );
    let document = dir.json("a.rs");
    let findings = document["findings"].as_array().expect("findings");
    let tries: Vec<_> = findings.iter().map(|f| f["suggestion"].as_str().expect("text")).collect();
    assert_eq!(
        tries,
        [
            r#"cx.spawn("name", async |cx| { .. })"#,
            r#"cx.spawn("name", async move |cx| { .. })"#,
            r#"cx.spawn_future("new", new(..))"#,
            r#"cx.spawn_future("name", future)"#,
            r#"|future| cx.spawn_future("name", future)"#,
            r#"cx.spawn("name", async move |cx| { .. })"#,
            r#"cx.spawn_future("run", run(..))"#,
            r#"cx.spawn_blocking("name", || ..)"#,
        ]
    );
    assert_eq!(findings[0]["message"], "`go` (which is `tokio::spawn`) starts a task that nobody owns");
}

#[test]
fn statuses() {
    let dir = Dir::with(
        "
== clean.rs
fn f() {}
== unknown.rs
use mystery::*;
fn f() { spawn(g()); }
== found.rs
fn f() { tokio::spawn(g()); }
== broken.rs
fn f() { tokio::spawn(g()); }
fn {
",
    );
    assert_eq!(dir.check("clean.rs").status, 0);
    let unknown = dir.check("unknown.rs");
    assert_eq!(unknown.status, 0);
    assert!(unknown.out.contains("unknown[detached_spawn]: `spawn` may start a task"), "{}", unknown.out);
    assert!(unknown.out.contains("unknown.rs:2:10\n"), "{}", unknown.out);
    assert!(unknown.out.contains("note: it may come from `mystery::*`"), "{}", unknown.out);
    assert!(unknown.out.contains("0 findings, 1 unknown, "), "{}", unknown.out);
    assert_eq!(dir.check("found.rs").status, 1);
    assert_eq!(dir.check("broken.rs").status, 2);
    assert_eq!(dir.check("absent.rs").status, 2);
}

#[test]
fn cargo_passes_the_name_of_the_subcommand() {
    let dir = one_finding();
    for args in [&["migrate-lint"][..], &["migrate-lint", "check"], &["check", "."], &[], &["./Cargo.toml"]] {
        let output = lint().current_dir(dir.path()).args(args).output().expect("runs");
        let ran = ran(output);
        assert_eq!(ran.status, 1, "{args:?}: {}", ran.err);
        assert!(ran.out.contains("--> src/main.rs:2:17\n"), "{args:?}: {}", ran.out);
    }
}

#[test]
fn the_manifest_is_looked_for_upwards_as_cargo_does() {
    let dir = one_finding();
    dir.write("src/deep/x", "");
    let output = lint().current_dir(dir.path().join("src/deep")).output().expect("runs");
    let found = ran(output);
    assert_eq!(found.status, 1, "{}", found.err);
    assert!(found.out.contains("--> ../../src/main.rs:2:17\n"), "{}", found.out);
    let none = Dir::new();
    let nowhere = none.run(&[]);
    assert_eq!(nowhere.status, 2);
    assert!(nowhere.err.contains("no Cargo.toml here"), "{}", nowhere.err);
    // a mistyped command is taken for a path, and the message knows it
    let mistyped = dir.run(&["basline"]);
    assert_eq!(mistyped.status, 2);
    assert!(mistyped.err.contains("or did you mean the command `baseline`?"), "{}", mistyped.err);
}

#[test]
fn help_version_explain_list() {
    for args in [&["--help"][..], &["migrate-lint", "-h"], &["help"]] {
        let ran = run(args);
        assert_eq!(ran.status, 0);
        for word in ["Usage:", "explain RULE", "--format", "Exit status", "detached_spawn"] {
            assert!(ran.out.contains(word), "{word}");
        }
        assert!(ran.out.lines().all(|line| line.chars().count() <= 100), "{}", ran.out);
    }
    for command in ["check", "baseline", "explain", "list"] {
        let own = run(&[command, "--help"]);
        assert_eq!(own.status, 0);
        assert!(own.out.contains(&format!("Usage: cargo migrate-lint {command}")), "{}", own.out);
        assert_eq!(run(&["help", command]).out, own.out);
    }
    assert_eq!(run(&["-V"]).out, format!("cargo-migrate-lint {}\n", env!("CARGO_PKG_VERSION")));
    let page = run(&["explain", "detached_spawn_finite"]);
    assert_eq!(page.status, 0);
    assert!(page.out.contains("## What to write instead"));
    let none = run(&["explain", "detached"]);
    assert_eq!(none.status, 2);
    assert!(none.err.contains("there is no rule `detached`; the rules are "), "{}", none.err);
    let list = run(&["list"]).out;
    assert!(
        list.lines().any(|l| l.split_whitespace().take(2).eq(["detached_spawn_finite", "warn"])),
        "{list}"
    );
}

#[test]
fn usage_errors_say_what_to_do() {
    for (args, word) in [
        (&["--frmat", "json"][..], "no option `--frmat`; did you mean `--format`?"),
        (&["--format", "yaml"], "no `yaml`; the choices are text, short, json"),
        (&["--color", "allways"], "did you mean `always`?"),
        (&["--format"], "--format"),
        (&["a", "b"], "one PATH at a time"),
        (&["explain"], "name of one rule"),
        (&["explain", "detached_spawn_finit"], "did you mean `detached_spawn_finite`?"),
    ] {
        let ran = run(args);
        assert_eq!(ran.status, 2, "{args:?}");
        assert_eq!(ran.out, "");
        assert!(ran.err.contains(word) && ran.err.contains("--help"), "{args:?}: {}", ran.err);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut text = String::from("\n== a.rs\n");
    for _ in 0..2_000 {
        text.push_str("fn f() { tokio::spawn(g()); }\n");
    }
    let dir = Dir::with(&text);
    let mut child =
        lint().arg(dir.at("a.rs")).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let mut first = [0; 16];
    let mut stdout = child.stdout.take().expect("piped");
    stdout.read_exact(&mut first).expect("output");
    drop(stdout);
    let ran = ran(child.wait_with_output().expect("ends"));
    assert_eq!((ran.status, ran.err.as_str()), (1, ""));
}
