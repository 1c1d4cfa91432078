//! Every public function that takes an async closure has a test that gives it one untyped, in a task
//! whose future must be `Send`: `in_a_task!(test, "function", ..)` in a file of the name `untyped.rs`.

use std::collections::BTreeSet;

use crate::files::{self, File};
use crate::functions::{self, Function};
use crate::{Problem, lex, settle};

/// What a bound on an async closure says.
const BOUNDS: &[&str] = &["AsyncFnOnce", "TaskFn", "ItemFn", "PermitFn", "TryPermitFn", "ReadyFn", "Handler"];

/// They start the first task, and are called in none.
const OUTSIDE: &[&str] = &[
    "core::region::root::Root::start",
    "core::region::root::Root::start_at",
    "scheduler::runtime::Runtime::block_on",
    "scheduler::runtime::Runtime::block_on_with_report",
    "scheduler::entry::main",
    "scheduler::entry::test",
    "lab::lab::Lab::run",
    "lab::lab::Lab::run_with_report",
    "lab::check::Explore::check",
    "lab::entry::test",
    "lab::explored::Lab::run_by",
    "lab::explored::Explore::run",
    "lab::explored::Explore::run_in",
    "lab::model::Program::task",
];

/// The functions that the tests in a file name.
fn named(file: &File) -> Vec<(usize, String)> {
    let lines = (1..).zip(file.text.lines());
    let named = lines.filter_map(|(line, text)| {
        let (_, rest) = text.strip_prefix("in_a_task!(")?.split_once('"')?;
        Some((line, rest.split('"').next()?.to_owned()))
    });
    named.collect()
}

fn problems<'a>(
    functions: &[Function],
    outside: &[&str],
    tests: impl Iterator<Item = &'a File>,
) -> Vec<Problem> {
    let mut covered = BTreeSet::new();
    let mut problems = Vec::new();
    for file in tests {
        for (line, key) in named(file) {
            if !functions.iter().any(|function| function.key == key) {
                let what = format!("names `{key}`, which is no public function");
                problems.push(Problem::at(&file.path, line, what));
            }
            covered.insert(key);
        }
    }
    for key in outside.iter().filter(|key| !functions.iter().any(|function| function.key == **key)) {
        problems.push(Problem::new(file!(), format!("`{key}` in `OUTSIDE` is no public function")));
    }
    for function in functions {
        let takes = BOUNDS.iter().any(|bound| lex::has_word(&function.signature, bound));
        let key = &function.key;
        if takes && !covered.contains(key) && !outside.contains(&&**key) {
            let what = format!(
                "`{}` takes an async closure: give it an untyped one with `in_a_task!(.., \"{key}\", ..)` \
                 in its crate's `tests/untyped.rs`",
                function.name(),
            );
            problems.push(Problem::at(&function.path, function.line, what));
        }
    }
    problems
}

#[test]
fn every_async_closure_is_given_untyped() {
    let tests = files::house().filter(|file| file.path.ends_with("/tests/untyped.rs"));
    settle("untyped closures", problems(&functions::public(), OUTSIDE, tests));
}

#[test]
fn a_function_without_a_test_is_caught() {
    let text = "pub fn a(f: impl AsyncFnOnce()) {}\npub fn b<F: Fn()>(f: F) {}\npub fn c(f: impl AsyncFnOnce()) {}\n";
    let functions = functions::of(&File::new("core/src/x.rs", text));
    let tests = File::new(
        "core/tests/untyped.rs",
        "in_a_task!(a, \"core::x::a\", ..);\nin_a_task!(d, \"core::x::d\", ..);",
    );
    crate::objects(
        &problems(&functions, &["core::x::e"], [&tests].into_iter()),
        &["`core::x::d`", "`core::x::e`", "`c` takes"],
    );
}
