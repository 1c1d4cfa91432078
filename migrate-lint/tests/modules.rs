//! Where the files of modules are.

mod common;

use common::Dir;

#[test]
fn modules_are_found_as_rustc_finds_them() {
    let dir = Dir::app(
        "
== src/lib.rs
mod flat;
mod nested;
#[path = \"elsewhere/odd.rs\"]
mod odd;
mod inline {
    mod deep;
    #[path = \"named.rs\"]
    mod named;
}
#[path = \"moved\"]
mod renamed {
    mod inner;
}
fn f() {
    #[path = \"../in_fn.rs\"]
    mod in_fn;
}
item_macro! { mod in_macro; }
include!(\"included.rs\");
#[cfg_attr(windows, path = \"win.rs\")]
#[cfg_attr(unix, path = \"nix.rs\")]
mod platform;
mod r#try;
== src/flat.rs
mod child;
fn f() { tokio::spawn(g()); }
== src/flat/child.rs
fn f() { tokio::spawn(g()); }
== src/nested/mod.rs
mod child;
== src/nested/child.rs
fn f() { tokio::spawn(g()); }
== src/elsewhere/odd.rs
mod beside;
== src/elsewhere/beside.rs
fn f() { tokio::spawn(g()); }
== src/inline/deep.rs
fn f() { tokio::spawn(g()); }
== src/inline/named.rs
fn f() { tokio::spawn(g()); }
== src/moved/inner.rs
fn f() { tokio::spawn(g()); }
== in_fn.rs
fn f() { tokio::spawn(g()); }
== src/in_macro.rs
fn f() { tokio::spawn(g()); }
== src/included.rs
use tokio::spawn as from_include;
fn f() { tokio::spawn(g()); }
== src/win.rs
fn f() { tokio::spawn(g()); }
== src/nix.rs
fn f() { tokio::spawn(g()); super::from_include(g()); }
== src/try.rs
fn f() { tokio::spawn(g()); }
",
    );
    let document = dir.json("");
    assert_eq!(document["problems"].as_array().map(Vec::len), Some(0), "{}", document["problems"]);
    assert_eq!(
        dir.found(""),
        [
            "in_fn.rs:1",
            "src/elsewhere/beside.rs:1",
            "src/flat/child.rs:1",
            "src/flat.rs:2",
            "src/in_macro.rs:1",
            "src/included.rs:2",
            "src/inline/deep.rs:1",
            "src/inline/named.rs:1",
            "src/moved/inner.rs:1",
            "src/nested/child.rs:1",
            "src/nix.rs:1",
            "src/nix.rs:1",
            "src/try.rs:1",
            "src/win.rs:1",
        ]
    );
}

/// `src/deep.rs` looks in `src/deep`, and where a `#[path]` is in force in `src`.
#[test]
fn a_path_on_an_inline_module_counts_from_the_file() {
    let dir = Dir::app(
        "
== src/lib.rs
mod deep;
== src/deep.rs
#[path = \"moved\"]
mod inline {
    mod by_name;
    mod further { mod down; }
}
mod plain {
    #[path = \"up\"]
    mod inner { mod by_path; }
}
== src/moved/by_name.rs
fn f() { tokio::spawn(g()); }
== src/moved/further/down.rs
fn f() { tokio::spawn(g()); }
== src/deep/plain/up/by_path.rs
fn f() { tokio::spawn(g()); }
",
    );
    assert_eq!(dir.run(&[]).err, "");
    assert_eq!(
        dir.found(""),
        ["src/deep/plain/up/by_path.rs:1", "src/moved/by_name.rs:1", "src/moved/further/down.rs:1"]
    );
}
