//! Precise mode: what clippy settles, what it cannot, and what stays the
//! repository's own.

mod common;

use common::Dir;

/// A workspace that hides its types from syntax: they come out of the
/// macros of a crate beside it. `tokio` is a stand-in, for nothing is downloaded.
const FILES: &str = r##"
== tokio/Cargo.toml
[package]
name = "tokio"
version = "1.0.0"
edition = "2024"
== tokio/src/lib.rs
pub mod runtime {
    pub struct Handle;
    impl Handle {
        pub fn spawn<F: Future>(&self, _: F) {}
    }
}
== helper/Cargo.toml
[package]
name = "helper"
version = "1.0.0"
edition = "2024"
[dependencies]
tokio = { path = "../tokio" }
[workspace]
== helper/src/lib.rs
pub struct Pool;
impl Pool {
    pub fn spawn<F: Future>(&self, _: F) {}
}
#[macro_export]
macro_rules! pool {
    () => {
        $crate::Pool
    };
}
#[macro_export]
macro_rules! handle {
    () => {
        tokio::runtime::Handle
    };
}
== app/.git/HEAD
== app/clippy.toml
disallowed-methods = ["std::env::args"]
== app/Cargo.toml
[package]
name = "app"
version = "0.1.0"
edition = "2024"
[features]
more = []
[dependencies]
helper = { path = "../helper" }
tokio = { path = "../tokio" }
[workspace]
== app/src/main.rs
#![allow(clippy::all)]
use helper::{handle, pool};
use tokio::runtime::Handle;
fn main() {
    std::env::args();
    handle!().spawn(async {});
    pool!().spawn(async {});
    #[cfg(feature = "more")]
    pool!().spawn(async {});
    start(|| Handle);
}
fn start(handle: fn() -> Handle) {
    handle().spawn(async {});
}
#[cfg(test)]
mod tests {
    #[test]
    fn t() {
        helper::pool!().spawn(async {});
    }
}
"##;

fn said(dir: &Dir, args: &[&str]) -> (String, String) {
    let ran = dir.run(&[&["check", "app", "--format", "short"], args].concat());
    let places = ran.out.lines().filter_map(|line| line.strip_prefix("app/src/main.rs:"));
    let places = places.map(|line| line.split(": `").next().unwrap_or(line).to_string());
    (places.collect::<Vec<_>>().join("\n"), ran.err)
}

#[test]
fn clippy_settles_what_syntax_does_not_tell() {
    let dir = Dir::with(FILES);
    let (plain, _) = said(&dir, &[]);
    assert_eq!(
        plain,
        "6:15: unknown[detached_spawn]\n7:13: unknown[detached_spawn]\n9:13: unknown[detached_spawn]\n13:14: unknown[detached_spawn]\n\
         19:25: unknown[detached_spawn]"
    );
    let precise = "6:15: warning[detached_spawn_finite]\n13:14: warning[detached_spawn_finite]\n\
                   9:13: unknown[detached_spawn]";
    let (settled, err) = said(&dir, &["--precise"]);
    assert_eq!(settled, precise, "{err}");
    assert_eq!(err, "note: clippy builds the code first, which may take its time\n");
    // again, from what was built
    assert_eq!(
        said(&dir, &["--precise", "--all-features", "-q"]).0,
        precise.rsplit_once('\n').expect("lines").0
    );
}

#[test]
fn what_clippy_cannot_build_stays_unknown() {
    let dir = Dir::with(FILES);
    dir.write(
        "app/src/main.rs",
        dir.read("app/src/main.rs").replace("std::env::args();", "no_such_function();"),
    );
    let (settled, err) = said(&dir, &["--precise"]);
    assert!(settled.contains("7:13: unknown[detached_spawn]"), "{settled}");
    assert!(err.contains("clippy could not build") && err.contains("no_such_function"), "{err}");
}

#[test]
fn flags_of_a_build_need_one() {
    let dir = Dir::with(FILES);
    let ran = dir.run(&["check", "app", "--all-features"]);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("--all-features goes with --precise"), "{}", ran.err);
    let ran = dir.run(&["check", "app/src/main.rs", "--precise"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("a package or workspace"), "{}", ran.err);
}
