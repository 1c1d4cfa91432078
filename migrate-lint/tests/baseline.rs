//! The baseline through the life of a repository: code moves, branches merge,
//! and only what is new fails.

mod common;

use common::{Dir, Ran};
use std::fs;

const FILES: &str = "
== src/lib.rs
mod server;
mod other;
== src/server.rs
pub fn start() {
    tokio::spawn(serve(1, 2));
}

pub fn run() {
    first();
    tokio::spawn(async move {
        step().await;
    });
    second();
    third();
}
== src/other.rs
pub fn idle() {}
";

const DIR: &str = "migrate-lint-baseline";

/// The application with its baseline, committed.
fn accepted() -> Dir {
    let dir = Dir::app(FILES);
    dir.git(&["init", "--quiet"]);
    assert_eq!(dir.run(&[]).status, 1);
    let ran = dir.run(&["baseline"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(ran.out, "migrate-lint-baseline: 2 added, 0 removed, 0 kept\n");
    dir.commit();
    dir
}

fn entries(dir: &Dir) -> Vec<String> {
    dir.files(DIR).into_iter().filter(|path| path != "README.md").collect()
}

/// What fails the run: `item` of each.
fn new(dir: &Dir) -> Vec<String> {
    let document = dir.json("");
    let findings = document["findings"].as_array().expect("a list").iter();
    findings.map(|f| f["item"].as_str().expect("text").to_string()).collect()
}

fn passes(dir: &Dir, why: &str) -> Ran {
    let ran = dir.run(&[]);
    assert_eq!(ran.status, 0, "{why}: {}{}", ran.out, ran.err);
    ran
}

fn edit(dir: &Dir, path: &str, from: &str, to: &str) {
    let text = dir.read(path);
    assert!(text.contains(from), "{path} has no {from:?}");
    dir.write(path, text.replacen(from, to, 1));
}

#[test]
fn what_is_there_is_accepted_and_says_so() {
    let dir = accepted();
    let ran = passes(&dir, "accepted");
    assert_eq!(ran.out, "0 findings, 0 unknown, 0 suppressed, 2 in the baseline; 3 files in 1 package\n");
    assert_eq!(ran.err, "");
    let names: Vec<_> =
        entries(&dir).iter().map(|e| e.rsplitn(3, '-').nth(2).expect("hashes").to_string()).collect();
    assert_eq!(
        names,
        ["src/server.rs/run-detached_spawn_finite", "src/server.rs/start-detached_spawn_finite"]
    );
    assert!(dir.read(&format!("{DIR}/README.md")).contains("cargo migrate-lint baseline"));
    assert!(entries(&dir).iter().all(|entry| dir.read(&format!("{DIR}/{entry}")).is_empty()));
    assert_eq!(dir.run(&["--no-baseline"]).status, 1);
    assert_eq!(dir.json("")["summary"]["accepted"], 2);
    // again changes nothing
    assert!(dir.run(&["baseline"]).out.ends_with(": 0 added, 0 removed, 2 kept\n"));
    assert_eq!(dir.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_baseline_that_is_named_and_missing_is_told() {
    let dir = accepted();
    let ran = dir.run(&["--baseline", "migrate-lnt-baseline"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("migrate-lnt-baseline: warning: there is no such baseline"), "{}", ran.err);
    let made = dir.run(&["baseline", "--baseline", "other"]);
    assert_eq!((made.status, made.err.as_str()), (0, ""));
    assert_eq!(dir.run(&["--baseline", "other"]).err, "");
}

#[test]
fn from_wherever_it_is_run() {
    let dir = accepted();
    for (cwd, args) in
        [("src", &[".."][..]), ("..", &[dir.path().to_str().expect("UTF-8")]), ("", &["Cargo.toml"])]
    {
        let output = common::lint().current_dir(dir.path().join(cwd)).args(args).output().expect("runs");
        assert_eq!(common::ran(output).status, 0, "{cwd} {args:?}");
    }
}

#[test]
fn layout_and_neighbours_may_change() {
    let dir = accepted();
    dir.write(
        "src/server.rs",
        "
// a comment
pub fn renamed_neighbour() {}
pub fn run() { first(); tokio::spawn(async move { step() . await ; }) ; second(); third() }
pub fn start() {
    tokio::spawn(
        serve(
            1, // one
            2,
        ),
    );
}
",
    );
    let ran = passes(&dir, "layout");
    assert_eq!(ran.err, "", "nothing is stale either");
    edit(&dir, "src/server.rs", "step()", "other_step()");
    passes(&dir, "edited in place");
}

#[test]
fn functions_may_move_and_be_renamed() {
    // down the file, up into a module, into another file, under another name
    let moves: [(&str, &str, &str); 4] = [
        ("start", "src/server.rs", "mod inner { BODY }"),
        ("start", "src/other.rs", "BODY"),
        ("begin", "src/server.rs", "BODY"),
        ("begin", "src/other.rs", "impl Server { BODY }"),
    ];
    for (name, file, text) in moves {
        let dir = accepted();
        let body = "pub fn start() {\n    tokio::spawn(serve(1, 2));\n}\n";
        edit(&dir, "src/server.rs", body, "");
        let moved = text.replace("BODY", &body.replace("start", name));
        dir.write(file, format!("{}{moved}", dir.read(file)));
        assert_eq!(passes(&dir, text).err, "");
        assert!(dir.run(&["baseline"]).out.ends_with(": 1 added, 1 removed, 1 kept\n"), "{text}");
        assert_eq!(passes(&dir, text).err, "");
    }
    // a whole file
    let dir = accepted();
    fs::rename(dir.path().join("src/server.rs"), dir.path().join("src/listener.rs")).expect("renamed");
    dir.write("src/lib.rs", "mod listener;\nmod other;\n");
    assert_eq!(passes(&dir, "a file renamed").err, "");
    // to another file, and edited on the way
    let dir = accepted();
    edit(&dir, "src/server.rs", "    tokio::spawn(serve(1, 2));\n", "}\npub fn rest() {\n");
    edit(&dir, "src/server.rs", "start", "started");
    dir.write("src/other.rs", "pub fn start() { log(); tokio::spawn(serve(1, 2)); }");
    passes(&dir, "moved and edited");
}

#[test]
fn a_fix_does_not_pay_for_a_new_offence() {
    // in another function of the same file, with the same words
    let dir = accepted();
    edit(&dir, "src/server.rs", "    tokio::spawn(serve(1, 2));\n", "    serve(1, 2);\n");
    dir.write(
        "src/server.rs",
        dir.read("src/server.rs") + "pub fn worse() {\n    tokio::spawn(serve(1, 2));\n}\n",
    );
    assert_eq!(dir.run(&[]).status, 1);
    assert_eq!(new(&dir), ["worse"]);
    // in the same function, with other words
    let dir = accepted();
    edit(&dir, "src/server.rs", "serve(1, 2)", "serve(3, 4)");
    assert_eq!(new(&dir), ["start"]);
    // by the function going, and another one coming
    let dir = accepted();
    edit(&dir, "src/server.rs", "pub fn start() {", "pub fn worse() { log();");
    assert_eq!(new(&dir), ["worse"]);
    // a second one like the first
    let dir = accepted();
    edit(&dir, "src/server.rs", "serve(1, 2));", "serve(1, 2));\n    tokio::spawn(serve(1, 2));");
    assert_eq!(new(&dir), ["start"]);
}

#[test]
fn what_is_mended_is_a_note_and_fails_only_when_strict() {
    let dir = accepted();
    edit(&dir, "src/server.rs", "tokio::spawn(serve(1, 2))", "serve(1, 2)");
    let ran = passes(&dir, "mended");
    assert!(ran.err.starts_with("note: 1 entry or scope that nothing needs"), "{}", ran.err);
    let strict = dir.run(&["--strict"]);
    assert_eq!(strict.status, 1);
    let words = "src/server.rs: warning: `detached_spawn_finite` in `start` is not found any more";
    assert!(strict.err.contains(words), "{}", strict.err);
    assert!(dir.run(&["baseline", "--prune"]).out.ends_with(": 0 added, 1 removed, 1 kept\n"));
    assert_eq!(dir.run(&["--strict"]).status, 0);
    // and --prune accepts nothing new
    edit(&dir, "src/other.rs", "{}", "{ tokio::spawn(x()); }");
    assert!(dir.run(&["baseline", "--prune"]).out.ends_with(": 0 added, 0 removed, 1 kept\n"));
    assert_eq!(new(&dir), ["idle"]);
    // with the last finding, the directory goes
    dir.write("src/server.rs", "");
    dir.write("src/other.rs", "");
    assert!(dir.run(&["baseline"]).out.ends_with(": 0 added, 1 removed, 0 kept\n"));
    assert!(!dir.path().join(DIR).exists());
}

#[test]
fn a_deleted_file_is_no_finding() {
    let dir = accepted();
    dir.remove("src/server.rs");
    dir.write("src/lib.rs", "mod other;\n");
    let ran = passes(&dir, "deleted");
    assert!(ran.err.starts_with("note: 2 entries or scopes that nothing needs"), "{}", ran.err);
}

/// Two branches from the accepted state, each changed and committed with its
/// baseline, merged by plain git.
fn merged(ours: impl Fn(&Dir), theirs: impl Fn(&Dir)) -> Dir {
    let dir = accepted();
    dir.git(&["switch", "--quiet", "-c", "theirs"]);
    theirs(&dir);
    assert_eq!(dir.run(&["baseline"]).status, 0);
    dir.commit();
    dir.git(&["switch", "--quiet", "main"]);
    ours(&dir);
    assert_eq!(dir.run(&["baseline"]).status, 0);
    dir.commit();
    let merge = dir.try_git(&["merge", "--quiet", "--no-edit", "theirs"]);
    let conflicts = dir.git(&["diff", "--name-only", "--diff-filter=U"]);
    assert_eq!((merge.status, conflicts.as_str()), (0, ""), "{}{}", merge.out, merge.err);
    dir
}

#[test]
fn branches_that_add_merge_without_conflict() {
    let add = |dir: &Dir, file: &str, text: &str| dir.write(file, dir.read(file) + text);
    // different files; the same file, top and bottom
    for (ours, theirs) in [("src/other.rs", "src/lib.rs"), ("src/server.rs", "src/other.rs")] {
        let dir = merged(
            |dir| add(dir, ours, "pub fn a() { tokio::spawn(a()); }\n"),
            |dir| add(dir, theirs, "pub fn b() { tokio::spawn(b()); }\n"),
        );
        assert_eq!(passes(&dir, ours).err, "");
        assert_eq!(entries(&dir).len(), 4);
    }
    // the same line in the same function, before and after the one that was there
    let dir = merged(
        |dir| {
            edit(
                dir,
                "src/server.rs",
                "start() {\n",
                "start() {\n    tokio::spawn(serve(1, 2));\n    a();\n    b();\n",
            )
        },
        |dir| add(dir, "src/server.rs", "pub fn c() { tokio::spawn(c()); }\n"),
    );
    assert_eq!(passes(&dir, "one function").err, "");
    let spawn = "    tokio::spawn(async move {\n        step().await;\n    });\n";
    let dir = merged(
        |dir| edit(dir, "src/server.rs", "    first();\n", &format!("    first();\n{spawn}    a();\n")),
        |dir| edit(dir, "src/server.rs", "    third();\n", &format!("    third();\n    b();\n{spawn}")),
    );
    assert_eq!(passes(&dir, "both add the same words to one function").err, "");
    assert_eq!(entries(&dir).len(), 4);
}

#[test]
fn branches_that_mend_and_add_merge_without_conflict() {
    let mend = |dir: &Dir| edit(dir, "src/server.rs", "    tokio::spawn(serve(1, 2));\n", "");
    let new = |name: &str| format!("pub fn {name}() {{ tokio::spawn({name}()); }}\n");
    // both mend the same; one adds in exchange, which git could take for a rename
    let dir = merged(
        |dir| {
            mend(dir);
            dir.write("src/other.rs", new("a"));
        },
        mend,
    );
    assert_eq!(passes(&dir, "mended twice").err, "");
    assert_eq!(entries(&dir).len(), 2);
    // both mend the same and add something else
    let dir = merged(
        |dir| {
            mend(dir);
            dir.write("src/other.rs", new("a"));
        },
        |dir| {
            mend(dir);
            dir.write("src/lib.rs", dir.read("src/lib.rs") + &new("b"));
        },
    );
    assert_eq!(passes(&dir, "mended twice, added twice").err, "");
    assert_eq!(entries(&dir).len(), 3);
    // what one side mends does not come back
    let dir = merged(mend, |dir| dir.write("src/other.rs", new("a")));
    assert_eq!(passes(&dir, "mended on one side").err, "");
    assert_eq!(entries(&dir).len(), 2);
    // both add the very same
    let dir = merged(|dir| dir.write("src/other.rs", new("a")), |dir| dir.write("src/other.rs", new("a")));
    assert_eq!(passes(&dir, "the same twice").err, "");
    assert_eq!(entries(&dir).len(), 3);
}

#[test]
fn a_rebase_is_a_merge_of_sets_too() {
    let dir = accepted();
    dir.git(&["switch", "--quiet", "-c", "topic"]);
    dir.write("src/other.rs", "pub fn a() { tokio::spawn(a()); }\n");
    dir.run(&["baseline"]);
    dir.commit();
    dir.git(&["switch", "--quiet", "main"]);
    edit(&dir, "src/server.rs", "    tokio::spawn(serve(1, 2));\n", "");
    dir.run(&["baseline"]);
    dir.commit();
    dir.git(&["rebase", "--quiet", "main", "topic"]);
    assert_eq!(passes(&dir, "rebased").err, "");
    assert_eq!(entries(&dir).len(), 2);
}

#[test]
fn packages_linted_alone_leave_the_rest_of_the_baseline_alone() {
    let member = |name: &str| {
        format!(
            "
== {name}/Cargo.toml
[package]
name = \"{name}\"
version = \"0.1.0\"
[dependencies]
tokio = \"1\"
== {name}/src/lib.rs
pub fn f() {{ tokio::spawn({name}()); }}
"
        )
    };
    let root = "\n== Cargo.toml\n[workspace]\nmembers = [\"a\", \"b\"]\n";
    let dir = Dir::with(&format!("{root}{}{}", member("a"), member("b")));
    dir.run(&["baseline"]);
    assert_eq!(entries(&dir).len(), 2);
    for path in ["a", "b/Cargo.toml", "."] {
        let ran = dir.run(&["--strict", path]);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{path}: {}", ran.out);
    }
    // what goes in one does not pay for what comes in the other, nor is it removed from outside
    dir.write("a/src/lib.rs", "pub fn f() {}");
    assert!(dir.run(&["baseline", "b"]).out.ends_with(": 0 added, 0 removed, 2 kept\n"));
    dir.write("b/src/lib.rs", "pub fn f() { tokio::spawn(a()); }");
    assert_eq!(dir.run(&["b"]).status, 1);
    assert!(dir.run(&["baseline", "a"]).out.ends_with(": 0 added, 1 removed, 1 kept\n"));
}

#[test]
fn other_places_names_and_files() {
    // paths with spaces and other scripts, in a directory the configuration names
    let dir = Dir::with(
        "
== migrate-lint.toml
baseline = \"lint/accepted here\"
== Cargo.toml
[package]
name = \"app\"
version = \"0.1.0\"
[lib]
path = \"src dir/日本.rs\"
[dependencies]
tokio = \"1\"
== src dir/日本.rs
impl<T> Drop for &'static [(T, u8)] { fn drop(&mut self) { tokio::spawn(é()); } }
macro_rules! m { () => { tokio::spawn(x()); } }
",
    );
    assert_eq!(dir.run(&["baseline", "-q"]).out, "");
    let listed = dir.files("lint/accepted here");
    assert_eq!(listed.len(), 3, "{listed:?}");
    assert!(listed.iter().filter(|path| path.starts_with("src dir/日本.rs/")).count() == 2, "{listed:?}");
    assert_eq!(dir.run(&["--strict"]).status, 0);
    assert_eq!(dir.run(&["--baseline", "nowhere"]).status, 1);
    // what is no entry is said to be none
    dir.write("lint/accepted here/notes.txt", "");
    let ran = dir.run(&[]);
    assert_eq!(ran.status, 0);
    assert!(ran.err.contains("notes.txt: warning: no entry of a baseline"), "{}", ran.err);
}

#[test]
fn an_incomplete_run_changes_nothing() {
    let dir = accepted();
    dir.write("src/server.rs", "fn broken(");
    let ran = dir.run(&["baseline"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("the baseline is left as it is"), "{}", ran.err);
    assert_eq!(entries(&dir).len(), 2);
}
