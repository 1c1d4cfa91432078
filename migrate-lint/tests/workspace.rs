//! Packages, targets, module trees, and names across crates.

mod common;

use common::{APP, Dir, json};

#[test]
fn all_targets_by_convention() {
    let dir = Dir::app(
        "
== src/lib.rs
fn f() { tokio::spawn(g()); }
== src/main.rs
fn f() { tokio::spawn(g()); }
== src/bin/one.rs
fn f() { tokio::spawn(g()); }
== src/bin/two/main.rs
mod helper;
== src/bin/two/helper.rs
fn f() { tokio::spawn(g()); }
== examples/e.rs
fn f() { tokio::spawn(g()); }
== examples/dir/main.rs
fn f() { tokio::spawn(g()); }
== tests/t.rs
fn f() { tokio::spawn(g()); }
== tests/data/not_a_target.rs
fn f() { tokio::spawn(g()); }
== benches/b.rs
fn f() { tokio::spawn(g()); }
== build.rs
fn f() { tokio::spawn(g()); }
== src/orphan.rs
fn f() { tokio::spawn(g()); }
",
    );
    assert_eq!(
        dir.found(""),
        [
            "benches/b.rs:1",
            "build.rs:1",
            "examples/dir/main.rs:1",
            "examples/e.rs:1",
            "src/bin/one.rs:1",
            "src/bin/two/helper.rs:1",
            "src/lib.rs:1",
            "src/main.rs:1",
            "tests/t.rs:1",
        ]
    );
}

#[test]
fn declared_targets_and_switched_off_discovery() {
    let dir = Dir::with(
        "
== Cargo.toml
[package]
name = \"app\"
version = \"0.1.0\"
edition = \"2024\"
autobins = false
autotests = false
build = \"scripts/make.rs\"
[lib]
path = \"code/entry.rs\"
[[bin]]
name = \"tool\"
path = \"code/tool.rs\"
[[example]]
name = \"shown\"
[dependencies]
tokio = \"1\"
== code/entry.rs
fn f() { tokio::spawn(g()); }
== code/tool.rs
fn f() { tokio::spawn(g()); }
== scripts/make.rs
fn f() { tokio::spawn(g()); }
== examples/shown/main.rs
fn f() { tokio::spawn(g()); }
== src/main.rs
fn f() { tokio::spawn(g()); }
== tests/t.rs
fn f() { tokio::spawn(g()); }
",
    );
    assert_eq!(
        dir.found(""),
        ["code/entry.rs:1", "code/tool.rs:1", "examples/shown/main.rs:1", "scripts/make.rs:1"]
    );
}

#[test]
fn renamed_dependencies_in_every_table() {
    let dir = Dir::with(
        "
== Cargo.toml
[workspace]
members = [\"a\"]
[workspace.dependencies]
shared-rt = { package = \"tokio\", version = \"1\" }
== a/Cargo.toml
[package]
name = \"a\"
version = \"0.1.0\"
edition = \"2021\"
[dependencies]
rt = { package = \"tokio\", version = \"1\" }
shared-rt = { workspace = true }
other = { package = \"unrelated\", version = \"1\" }
[target.'cfg(unix)'.dependencies]
nix-rt = { package = \"tokio\", version = \"1\" }
[dev-dependencies]
dev_rt = { package = \"tokio\", version = \"1\" }
[build-dependencies.build_rt]
package = \"tokio\"
version = \"1\"
== a/src/lib.rs
fn f() {
    rt::spawn(g());
    shared_rt::spawn(g());
    nix_rt::task::spawn(g());
    other::spawn(g());
}
== a/tests/t.rs
use dev_rt::spawn;
fn f() { spawn(g()); }
== a/build.rs
fn main() { ::build_rt::spawn(g()); }
",
    );
    let found = [
        "a/build.rs:1",
        "a/src/lib.rs:2",
        "a/src/lib.rs:3",
        "a/src/lib.rs:4",
        "a/tests/t.rs:2",
        "?a/src/lib.rs:5",
    ];
    assert_eq!(dir.found(""), found);
    // a member inherits from the workspace around it just the same
    let found = found.map(|f| f.replace("a/", ""));
    assert_eq!(dir.found("a"), found);
}

#[test]
fn re_exports_across_crates() {
    let dir = Dir::with(
        "
== Cargo.toml
[workspace]
members = [\"crates/*\"]
exclude = [\"crates/left-out\"]
== crates/rt/Cargo.toml
[package]
name = \"our-rt\"
version = \"0.1.0\"
edition = \"2021\"
[lib]
name = \"runtime\"
[dependencies]
tokio = \"1\"
== crates/rt/src/lib.rs
pub use tokio;
pub use tokio::spawn as launch;
pub mod prelude { pub use tokio::task::*; }
use tokio::spawn as private;
pub fn spawn() {}
== crates/app/Cargo.toml
[package]
name = \"app\"
version = \"0.1.0\"
edition = \"2021\"
[dependencies]
our-rt = { path = \"../rt\" }
again = { package = \"our-rt\", path = \"../rt\" }
== crates/app/src/main.rs
use runtime::prelude::*;
use again::tokio::task as t;
fn f() {
    spawn(g());
    t::spawn(g());
    runtime::launch(g());
    again::launch(g());
    runtime::spawn();
    runtime::tokio::spawn(g());
}
== crates/left-out/Cargo.toml
[package]
name = \"left-out\"
version = \"0.1.0\"
== crates/left-out/src/lib.rs
fn f() { tokio::spawn(g()); }
== crates/no-package/notes.txt
nothing
",
    );
    let lines = [4, 5, 6, 7, 9].map(|n| format!("crates/app/src/main.rs:{n}"));
    assert_eq!(dir.found(""), lines);
    // asked for one package, its path dependency is read but not reported
    let lines = [4, 5, 6, 7, 9].map(|n| format!("src/main.rs:{n}"));
    assert_eq!(dir.found("crates/app"), lines);
    assert_eq!(dir.found("crates/app/Cargo.toml"), lines);
    assert_eq!(dir.json("crates/app")["summary"]["files"], 1);
}

#[test]
fn path_dependencies_inside_the_tree_belong_to_the_workspace() {
    let dir = Dir::with(
        "
== ws/Cargo.toml
[workspace]
[package]
name = \"root\"
version = \"0.1.0\"
edition = \"2021\"
[dependencies]
inside = { path = \"inside\" }
outside = { path = \"../outside\" }
== ws/src/lib.rs
fn f() { outside::go(g()); }
== ws/inside/Cargo.toml
[package]
name = \"inside\"
version = \"0.1.0\"
edition = \"2021\"
== ws/inside/src/lib.rs
fn f() { tokio::spawn(g()); }
== outside/Cargo.toml
[package]
name = \"outside\"
version = \"0.1.0\"
edition = \"2021\"
== outside/src/lib.rs
pub use tokio::spawn as go;
fn f() { tokio::spawn(g()); }
",
    );
    assert_eq!(dir.found("ws"), ["inside/src/lib.rs:1", "src/lib.rs:1"]);
}

#[test]
fn packages_that_are_not_members_are_mentioned() {
    let dir = Dir::with(
        "
== Cargo.toml
[workspace]
members = [\"a\"]
== a/Cargo.toml
[package]
name = \"a\"
version = \"0.1.0\"
== a/src/lib.rs
== stranger/Cargo.toml
[workspace]
== target/notes.txt
nothing
",
    );
    let ran = dir.check("");
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.err.contains("stranger/Cargo.toml: warning: not part of this workspace"), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1);
}

#[test]
fn a_file_of_several_targets_is_reported_once() {
    let dir = Dir::app(
        "
== tests/one.rs
mod common;
== tests/two.rs
mod common;
== tests/common/mod.rs
pub fn f() { tokio::spawn(g()); }
",
    );
    let document = dir.json("");
    let findings = document["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1);
    let names: Vec<_> =
        findings[0]["targets"].as_array().expect("targets").iter().map(|t| &t["name"]).collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(findings[0]["in_test"], true);
}

#[test]
fn a_file_is_only_in_tests_if_all_its_targets_are() {
    let dir = Dir::app(
        "
== tests/t.rs
#[path = \"../src/shared.rs\"]
mod shared;
== src/lib.rs
mod deep;
== src/deep.rs
#[path = \"shared.rs\"]
mod shared;
== src/shared.rs
pub fn f() { tokio::spawn(g()); }
",
    );
    let findings = &dir.json("")["findings"];
    assert_eq!(findings.as_array().map(Vec::len), Some(1));
    assert_eq!(findings[0]["in_test"], false);
    assert_eq!(findings[0]["targets"].as_array().map(Vec::len), Some(2));
}

#[test]
fn conditions_are_carried_along() {
    let dir = Dir::app(
        "
== src/lib.rs
#[cfg(feature = \"net\")]
mod net;
#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn t() { tokio::spawn(g()); }
}
== src/net.rs
#![cfg(unix)]
cfg_if::cfg_if! {
    if #[cfg(target_os = \"linux\")] {
        fn f() { tokio::spawn(g()); }
    }
}
fn f() {
    match x {
        #[cfg(not(test))]
        1 => tokio::spawn(g()),
    }
    #[cfg(debug_assertions)]
    { tokio::spawn(g()); }
}
",
    );
    let document = dir.json("");
    let cfg: Vec<String> = document["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|f| format!("{} {}", f["cfg"], f["in_test"]))
        .collect();
    assert_eq!(
        cfg,
        [
            r##"["test","#[tokio::test]"] true"##,
            r#"["feature = \"net\"","unix","target_os = \"linux\""] false"#,
            r#"["feature = \"net\"","unix","not(test)"] false"#,
            r#"["feature = \"net\"","unix","debug_assertions"] false"#,
        ]
    );
}

#[test]
fn edition_2015_paths_start_at_the_root() {
    let dir = Dir::with(
        "
== Cargo.toml
[package]
name = \"old\"
version = \"0.1.0\"
[dependencies]
tokio = \"1\"
== src/lib.rs
extern crate tokio;
extern crate tokio as rt;
mod inner {
    use tokio::spawn;
    use rt::task;
    fn f() {
        spawn(g());
        task::spawn(g());
        ::rt::spawn(g());
    }
}
",
    );
    assert_eq!(dir.found(""), ["src/lib.rs:7", "src/lib.rs:8", "src/lib.rs:9"]);
}

#[test]
fn a_single_file_and_its_modules() {
    let dir = Dir::with(
        "
== main.rs
#!/usr/bin/env run
mod part;
fn f() { tokio::spawn(g()); }
== part.rs
fn f() { tokio::spawn(g()); }
",
    );
    assert_eq!(dir.found("main.rs"), ["main.rs:3", "part.rs:1"]);
}

#[test]
fn output_is_the_same_every_time() {
    let mut files = String::from(APP);
    let mut lib = String::new();
    for i in 0..60 {
        lib.push_str(&format!("mod m{i};\n"));
        files.push_str(&format!(
            "\n== src/m{i}.rs\nuse tokio::spawn as s{i};\nfn f() {{ s{i}(g()); spawn(g()); }}\n"
        ));
    }
    files.push_str(&format!("\n== src/lib.rs\n{lib}"));
    let dir = Dir::with(&files);
    let first = json(&dir.at(""));
    assert_eq!(first["summary"]["findings"], 60);
    assert_eq!(first["summary"]["unknowns"], 60);
    for _ in 0..4 {
        assert_eq!(json(&dir.at("")), first);
    }
}

#[test]
fn findings_name_the_item_around_them() {
    let dir = Dir::with(
        "
== a.rs
mod outer {
    impl<T> Trait for &Type<T> {
        fn method() { let f = || { tokio::spawn(g()); }; fn inner() { tokio::spawn(g()); } }
    }
    trait Provided { fn g() { tokio::spawn(g()); } }
    const C: () = { tokio::spawn(g()); };
}
m!(tokio::spawn(g()););
",
    );
    let document = dir.json("a.rs");
    let findings = document["findings"].as_array().expect("findings");
    let items: Vec<_> = findings.iter().map(|f| f["item"].as_str().expect("text")).collect();
    assert_eq!(
        items,
        ["outer::Type::method", "outer::Type::method::inner", "outer::Provided::g", "outer::C", "",]
    );
}

#[test]
fn what_git_ignores_is_not_walked_into() {
    let package = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n");
    let spawn = "fn f() { tokio::spawn(g()); }";
    let dir = Dir::with(&format!(
        "
== Cargo.toml
[workspace]
members = [\"crates/*\"]
== crates/a/Cargo.toml
{}
[[bin]]
name = \"named\"
path = \"scratch/named.rs\"
== crates/a/src/lib.rs
mod generated;
{spawn}
== crates/a/src/generated.rs
{spawn}
== crates/a/examples/kept.rs
{spawn}
== crates/a/examples/mine.rs
{spawn}
== crates/a/src/bin/try/main.rs
{spawn}
== crates/a/scratch/named.rs
{spawn}
== crates/mine/Cargo.toml
{}
== crates/mine/src/lib.rs
{spawn}
== stranger/Cargo.toml
{}
",
        package("a"),
        package("mine"),
        package("stranger")
    ));
    let all = dir.found("").len();
    assert_eq!(all, 7);
    let ignore = "mine*\ntry/\nscratch\ngenerated.rs\nstranger\n";
    dir.write(".gitignore", ignore);
    assert_eq!(dir.found("").len(), all, "no repository");
    dir.git(&["init", "--quiet"]);
    // what a manifest or a `mod` names is not walked into
    let left = [
        "crates/a/examples/kept.rs:1",
        "crates/a/scratch/named.rs:1",
        "crates/a/src/generated.rs:1",
        "crates/a/src/lib.rs:2",
    ];
    assert_eq!(dir.found(""), left);
    assert_eq!(dir.run(&["-q"]).err, "", "nor is the stranger mentioned");
    // tracked is not ignored
    dir.git(&["add", "--force", "crates/a/examples/mine.rs"]);
    assert_eq!(dir.found("").len(), left.len() + 1);
}
