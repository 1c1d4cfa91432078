//! Input that is broken, hostile or changing: never a panic, never a hang,
//! always a message that says what and where, and the rest still linted.

mod common;

use common::Dir;

/// Checks the whole package: status 2, all words on standard error, and the
/// good file linted nevertheless.
fn incomplete(dir: &Dir, words: &[&str]) {
    let ran = dir.check("");
    assert_eq!(ran.status, 2, "{}{}", ran.out, ran.err);
    for word in words {
        assert!(ran.err.contains(word), "no {word:?} in: {}", ran.err);
    }
    assert!(ran.out.contains("warning[detached_spawn_finite]"), "{}", ran.out);
    assert!(ran.out.contains("good.rs:1:10\n"), "{}", ran.out);
    assert!(ran.out.contains("incomplete: 1 error"), "{}", ran.out);
    assert_eq!(dir.json("")["summary"]["complete"], false);
}

const GOOD: &str = "
== src/lib.rs
mod good;
mod bad;
== src/good.rs
fn f() { tokio::spawn(g()); }
";

#[test]
fn syntax_errors_have_a_place() {
    for (text, place) in [
        ("fn ok() {}\nfn broken( {", "src/bad.rs:2:"),
        ("fn ok() {}\n  let x = 'abc;", "src/bad.rs:2:"),
        ("/* open", "src/bad.rs:1:1:"),
        ("fn f() { let = ; }", "src/bad.rs:1:14:"),
        ("日本 fn", "src/bad.rs:1:4:"),
    ] {
        let dir = Dir::app(GOOD);
        dir.write("src/bad.rs", text);
        incomplete(&dir, &[place, "error: syntax error:"]);
    }
}

#[test]
fn not_utf8() {
    let dir = Dir::app(GOOD);
    dir.write("src/bad.rs", b"fn f() {}\n// \xff\n");
    incomplete(&dir, &["src/bad.rs: error: not UTF-8 (first invalid byte on line 2)"]);
}

#[test]
fn a_module_without_file() {
    let dir = Dir::app(GOOD);
    incomplete(&dir, &["src/lib.rs:2:5: error: file of module `bad` not found: neither", "src/bad/mod.rs"]);
    dir.write("src/lib.rs", "mod good;\n#[cfg_attr(windows, path = \"win.rs\")]\nmod bad;\n");
    incomplete(&dir, &["src/lib.rs:3:5: error: ", "neither ", "src/win.rs, ", "src/bad/mod.rs"]);
    // under a condition it may well be meant for another machine
    dir.write("src/lib.rs", "mod good;\n#[cfg(windows)]\nmod bad;\n");
    let ran = dir.check("");
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("src/lib.rs:3:5: warning: file of module `bad` not found"), "{}", ran.err);
}

#[test]
fn a_file_that_is_gone() {
    let dir = Dir::app(GOOD);
    dir.write("src/lib.rs", "mod good;\n#[path = \"gone.rs\"]\nmod bad;\n");
    incomplete(&dir, &["src/gone.rs: error: file not found; it was removed"]);
}

#[test]
fn a_directory_in_place_of_a_file() {
    let dir = Dir::app(GOOD);
    dir.write("src/bad.rs/x", "");
    incomplete(&dir, &["src/bad.rs: error: not a regular file"]);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_a_file_is_not_waited_for() {
    let dir = Dir::app(GOOD);
    let made = std::process::Command::new("mkfifo").arg(dir.at("src/bad.rs")).status();
    assert!(made.expect("mkfifo").success());
    incomplete(&dir, &["src/bad.rs: error: not a regular file"]);
}

#[cfg(unix)]
#[test]
fn symbolic_links() {
    use std::os::unix::fs::symlink;
    let dir = Dir::app(GOOD);
    symlink("bad.rs", dir.at("src/bad.rs")).expect("link to itself");
    incomplete(&dir, &["src/bad.rs: error: cannot be read:"]);
    // a tree that contains itself through a directory link
    let dir = Dir::app(
        "
== src/lib.rs
mod good;
mod bad;
== src/good.rs
fn f() { tokio::spawn(g()); }
== src/bad/mod.rs
mod bad;
",
    );
    symlink(".", dir.at("src/bad/bad")).expect("link");
    incomplete(&dir, &["circular module"]);
    // members through a link loop
    let dir = Dir::with(
        "
== Cargo.toml
[workspace]
members = [\"**/m\"]
== x/m/Cargo.toml
[package]
name = \"m\"
version = \"0.1.0\"
== x/m/src/lib.rs
fn f() { tokio::spawn(g()); }
",
    );
    symlink("..", dir.at("x/up")).expect("link");
    let ran = dir.check("");
    assert_eq!(ran.status, 1, "{}", ran.err);
    assert_eq!(dir.json("")["summary"]["findings"], 1);
    // a dangling link to a good file elsewhere is followed
    let dir = Dir::app(GOOD);
    dir.write("shared.rs", "fn f() { tokio::spawn(g()); }");
    symlink("../shared.rs", dir.at("src/bad.rs")).expect("link");
    assert_eq!(dir.found(""), ["src/bad.rs:1", "src/good.rs:1"]);
}

#[cfg(unix)]
#[test]
fn no_permission() {
    use std::fs::{Permissions, read, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::app(GOOD);
    dir.write("src/bad.rs", "fn f() {}");
    set_permissions(dir.at("src/bad.rs"), Permissions::from_mode(0o000)).expect("chmod");
    if read(dir.at("src/bad.rs")).is_ok() {
        // nothing is forbidden to root
        assert_eq!(dir.check("").status, 1);
        return;
    }
    incomplete(&dir, &["src/bad.rs: error: permission denied; make the file readable"]);
}

#[test]
fn circular_modules() {
    let dir = Dir::app(GOOD);
    dir.write("src/bad.rs", "#[path = \"bad.rs\"]\nmod again;");
    incomplete(&dir, &["src/bad.rs:2:5: error: circular module"]);
    // each level names the next one twice: 2^40 places, were they all walked
    let mut files = String::from(GOOD);
    for i in 0..40 {
        let next = i + 1;
        files.push_str(&format!(
            "\n== src/l{i}.rs\n#[path = \"l{next}.rs\"] mod a;\n#[path = \"l{next}.rs\"] mod b;\n"
        ));
    }
    files.push_str("\n== src/l40.rs\n\n== src/bad.rs\n#[path = \"l0.rs\"] mod l0;\n");
    let ran = Dir::app(&files).check("");
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("a module of this crate more than 64 times"), "{}", ran.err);
}

#[test]
fn deep_nesting_is_refused_not_crashed_on() {
    let repeat = |open: &str, close: &str, n| format!("{}x{}", open.repeat(n), close.repeat(n));
    for (open, close) in [
        ("(", ")"),
        ("{", "}"),
        ("[", "]"),
        ("!", ""),
        ("&", ""),
        ("a + ", ""),
        ("a::<", ">"),
        ("if a {} else ", ""),
        ("|x| ", ""),
        ("m!(", ")"),
        ("m!{ a => ", "}"),
        ("async { ", "}"),
        ("match x { _ => ", "}"),
        ("f(", ")"),
        ("return ", ""),
    ] {
        let dir = Dir::app(GOOD);
        dir.write("src/bad.rs", format!("fn f() {{ {}; }}", repeat(open, close, 20_000)));
        incomplete(&dir, &["src/bad.rs:1:1: error: syntax error: nested too deeply"]);
    }
    for text in [
        format!("fn f() {{ let x: {}; }}", repeat("&", "", 20_000)),
        format!("use {};", repeat("a::", "", 20_000)),
        format!("use {};", repeat("a::{", "}", 20_000)),
        repeat("mod a {", "}", 20_000),
        format!("#[cfg({})] fn f() {{}}", repeat("all(", ")", 20_000)),
    ] {
        let dir = Dir::app(GOOD);
        dir.write("src/bad.rs", text);
        incomplete(&dir, &["src/bad.rs:1:1: error: syntax error: nested too deeply"]);
    }
}

/// Just below the bound, the stack must do: every shape at the depth that is
/// still accepted.
#[test]
fn what_the_bound_lets_through_is_linted() {
    for (open, close, n) in [
        ("(", ")", 250),
        ("{", "}", 250),
        ("[", "]", 250),
        ("f(", ")", 250),
        ("!", "", 7_000),
        ("&", "", 7_000),
        ("a + ", "", 3_500),
        ("a = ", "", 3_500),
        (".. ", "", 3_500),
        ("|x| ", "", 2_000),
        ("return ", "", 7_000),
        ("if a {} else ", "", 1_500),
        ("m!(", ")", 250),
        ("m!{ a => ", "}", 200),
        ("async { ", "}", 250),
        ("match x { _ => ", "}", 200),
        ("x.f(|| ", ")", 200),
        ("<", ">::a", 1_500),
        ("a as ", "", 3_500),
    ] {
        let deep = format!("{}x{}", open.repeat(n), close.repeat(n));
        let dir = Dir::app(GOOD);
        dir.write("src/bad.rs", format!("fn f() {{ {deep}; }}\nfn g() {{ tokio::spawn(g()); }}"));
        let ran = dir.check("");
        let refused = ran.err.contains("nested too deeply");
        assert!(!refused, "{open}: {}", ran.err);
        assert!(ran.status == 1 || ran.err.contains("syntax error"), "{open}: {}", ran.err);
    }
}

#[test]
fn types_patterns_and_items_nest_as_well() {
    let deep = |open: &str, close: &str, n| format!("{}x{}", open.repeat(n), close.repeat(n));
    for text in [
        format!("fn f() {{ let {} = y; }}", deep("(", ")", 250)),
        format!("fn f() {{ let {} = y; }}", deep("&", "", 7_000)),
        format!("fn f() {{ let {} = y; }}", deep("x @ ", "", 3_500)),
        format!("type T = {};", deep("&", "", 7_000)),
        format!("type T = {};", deep("(", ")", 250)),
        format!("type T = {};", deep("*const ", "", 3_500)),
        format!("type T = {};", deep("V<", ">", 2_000)),
        format!("type T = {};", deep("fn() -> ", "", 1_000)),
        format!("type T = impl {};", deep("A + ", "", 3_500)),
        format!("use {};", deep("a::", "", 2_000)),
        format!("use {};", deep("a::{", "}", 200)),
        format!("{} {}", "mod a {".repeat(250), "}".repeat(250)),
        format!("fn f() {{ {} {} }}", "fn f() {".repeat(200), "}".repeat(200)),
        format!("#[cfg({})] fn f() {{}}", deep("all(", ")", 200)),
    ] {
        let dir = Dir::app(GOOD);
        let text = format!("{text}\nfn g() {{ tokio::spawn(g()); }}");
        dir.write("src/bad.rs", &text);
        let ran = dir.check("");
        let start = &text[..40];
        assert!(!ran.err.contains("nested too deeply"), "{start}: {}", ran.err);
        assert!(ran.status == 1 || ran.err.contains("syntax error"), "{start}: {}", ran.err);
        assert!(ran.out.contains("good.rs:1:10\n"), "{start}: {}", ran.out);
    }
}

/// Work grows with the code, whatever its shape: of each of these, a search
/// that starts anew at every line would not end.
#[test]
fn long_functions_are_linted() {
    const N: usize = 2_000;
    let lines = |line: &str| -> String { (0..N).map(|i| line.replace('#', &i.to_string()) + "\n").collect() };
    let within = |head: &str, body: String| format!("{head} {{\n{body}}}\n");
    for (text, rule, n) in [
        (
            within("async fn f()", lines("let h# = tokio::spawn(g());") + &lines("h#.abort();")),
            "abort_without_await",
            N,
        ),
        (
            within("async fn f()", lines("let h# = tokio::spawn(g());") + &lines("h#.await;")),
            "leaky_await",
            N - 1,
        ),
        (within("async fn f()", lines("let h = tokio::spawn(g());")), "detached_spawn_finite", N),
        (
            within(
                "async fn f(m: &std::sync::Mutex<u32>)",
                lines("let g# = m.lock().unwrap();") + "g().await;\n",
            ),
            "guard_across_await",
            N,
        ),
        (
            within("async fn f()", lines("let r# = tokio::runtime::Runtime::new().unwrap();")),
            "runtime_dropped_in_async",
            N,
        ),
        (
            within("async fn f(h: tokio::task::JoinHandle<()>)", within("match x", lines("# => h.abort(),"))),
            "abort_without_await",
            N,
        ),
        (lines("fn f#() { tokio::spawn(f#()); }"), "detached_spawn_finite", N),
        (lines("// migrate-lint: allow(leaky_await) reason"), "suppression", N),
    ] {
        let dir = Dir::new();
        dir.write("main.rs", &text);
        let document = dir.json("main.rs");
        let found = document["findings"].as_array().expect("a list").iter();
        assert_eq!(found.filter(|finding| finding["rule"] == rule).count(), n, "{}", &text[..80]);
    }
    // twice as many ways with each line
    let doubled = within(
        "async fn f()",
        "let x0 = tokio::spawn(g());\n".to_string()
            + &(0..60).map(|i| format!("let x{} = (x{i}, x{i});\n", i + 1)).collect::<String>(),
    );
    let dir = Dir::new();
    dir.write("main.rs", doubled);
    assert_eq!(dir.json("main.rs")["summary"]["unknowns"], 1);
}

#[test]
fn a_long_line_is_shown_in_parts() {
    let dir = Dir::new();
    let spawns = "tokio::spawn(g(\"日本\")); ".repeat(3_000);
    dir.write("main.rs", format!("fn f() {{ let _ = \"{}\"; {spawns}}}\n", "日".repeat(300_000)));
    for format in ["text", "short", "json", "sarif", "github"] {
        let ran = dir.run(&["check", "main.rs", "--format", format]);
        assert_eq!(ran.status, 1, "{format}: {}", ran.err);
        assert!(ran.out.len() < 50_000_000, "{format}: {} bytes", ran.out.len());
    }
    let document = dir.json("main.rs");
    assert_eq!(document["summary"]["findings"], 3_000);
    let snippet = document["findings"][1_500]["snippet"].as_str().expect("a snippet");
    assert!(snippet.chars().count() == 1_000 && snippet.contains("tokio::spawn"), "{snippet}");
}

#[test]
fn tokens_that_begin_something_without_end() {
    for (text, end) in [("a::<b ", ""), ("use ", ""), ("use a ", ";")] {
        let dir = Dir::app(GOOD);
        dir.write("src/bad.rs", format!("fn f() {{ m! {{ {}{end} }} }}", text.repeat(20_000)));
        assert_eq!(dir.found(""), ["src/good.rs:1"], "{text}");
    }
}

#[test]
fn macro_input_that_never_reads_is_not_read_at_every_level() {
    let deep = |open: &str, close: &str| {
        format!("fn f() {{ {}{}{} }}", open.repeat(400), "a b c -> d; ".repeat(20_000), close.repeat(400))
    };
    for text in [deep("m! { -> ", "}"), format!("fn f() {{ m! {{ -> {} }} }}", deep("{ -> ", "}"))] {
        let dir = Dir::app(GOOD);
        dir.write("src/bad.rs", text);
        assert_eq!(dir.found(""), ["src/good.rs:1"]);
    }
}

#[test]
fn a_long_chain_of_imports_ends() {
    let mut text = String::new();
    for i in 0..12_000 {
        text.push_str(&format!("mod m{i} {{ pub use super::m{}::*; }}\n", i + 1));
    }
    text.push_str("mod m12000 { pub use super::m0::*; }\nuse m0::*;\nfn f() { spawn(g()); }\n");
    let dir = Dir::app(GOOD);
    dir.write("src/bad.rs", &text);
    assert_eq!(dir.found(""), ["src/good.rs:1", "?src/bad.rs:12003"]);
    // every module imports every other: no more than linear work a name
    let all: String = (0..60).map(|i| format!("pub use super::m{i}::*;\n")).collect();
    let mut text: String = (0..60).map(|i| format!("mod m{i} {{ {all} }}\n")).collect();
    text.push_str("use m0::*;\nfn f() { spawn(g()); task::spawn(g()); }\n");
    dir.write("src/bad.rs", &text);
    assert_eq!(dir.json("")["summary"]["unknowns"], 2);
}

#[test]
fn manifests() {
    let dir = Dir::with(
        "
== no/notes.txt
nothing
== no/app/Cargo.toml
[package]
== broken/Cargo.toml
[package
== empty/Cargo.toml
== nameless/Cargo.toml
[package]
version = \"1\"
== nothing/Cargo.toml
[package]
name = \"nothing\"
== lost/Cargo.toml
[package]
name = \"lost\"
[[bin]]
name = \"tool\"
path = \"gone.rs\"
[lib]
path = \"away.rs\"
== member/Cargo.toml
[workspace]
members = [\"gone\"]
== under/Cargo.toml
[workspace
== under/app/Cargo.toml
[package]
name = \"app\"
== under/app/src/lib.rs
fn f() {}
== other.txt
nothing
",
    );
    for (path, words) in [
        ("no", &["no: error: no Cargo.toml here; pass the directory of a package", "such as", "no/app"][..]),
        ("absent", &["absent: error: file not found"]),
        ("broken", &["broken/Cargo.toml:1:9: error: not valid TOML"]),
        ("empty", &["empty/Cargo.toml: error: neither [package] nor [workspace]"]),
        ("nameless", &["nameless/Cargo.toml: error: [package] has no `name`"]),
        ("nothing", &["nothing/Cargo.toml: error: no targets"]),
        (
            "lost",
            &[
                "lost/Cargo.toml: error: the root file of [[bin]] `tool` is missing",
                "away.rs: error: file not found",
            ],
        ),
        ("member", &["member/gone/Cargo.toml: error: file not found", "member or path dependency"]),
        ("under/app", &["under/Cargo.toml:1:", "what is inherited from it is not known"]),
        ("other.txt", &["other.txt: error: neither a directory"]),
    ] {
        let ran = dir.check(path);
        assert_eq!(ran.status, 2, "{path}: {}", ran.out);
        for word in words {
            assert!(ran.err.contains(word), "{path}: no {word:?} in: {}", ran.err);
        }
        let document = dir.json(path);
        assert_eq!(document["summary"]["complete"], false, "{path}");
        assert_ne!(document["problems"].as_array().map(Vec::len), Some(0), "{path}");
    }
}

#[test]
fn odd_but_valid_files() {
    for (text, place) in [
        (&b"\xef\xbb\xbffn f() { tokio::spawn(g()); }"[..], "src/bad.rs:1"),
        (b"fn f() {\r\n tokio::spawn(g());\r\n}\r\n", "src/bad.rs:2"),
        (b"#!/bin/x\nfn f() { tokio::spawn(g()); }", "src/bad.rs:2"),
    ] {
        let dir = Dir::app(GOOD);
        dir.write("src/bad.rs", text);
        assert_eq!(dir.found(""), [place, "src/good.rs:1"]);
    }
    let dir = Dir::app(GOOD);
    dir.write("src/bad.rs", "");
    assert_eq!(dir.found(""), ["src/good.rs:1"]);
}
