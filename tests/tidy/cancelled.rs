//! Every public function that waits says what a drop loses, and is cancelled at every await by a test.
//!
//! The list is `cancelled.txt`: a function, the file of its test, and the function there that calls it. That
//! one must be there, do so, and stand in a file that attacks at every await; nothing is listed that is not
//! public. A public type that is a future says what its drop loses, too.

use std::collections::BTreeMap;

use crate::files::{self, File};
use crate::functions::{self, Function};
use crate::{Problem, lex, settle};

const LIST: &str = "tests/tidy/cancelled.txt";

/// How a file says that it cancels at every await.
const ATTACKS: &[&str] = &["at_every_await(", "at_every_poll(", "crate::stage::"];

/// One line of the list.
struct Row<'a> {
    line: usize,
    file: &'a str,
    test: &'a str,
}

/// By function; a line that is neither empty nor a comment has three words.
fn rows(list: &str) -> Result<BTreeMap<&str, Row<'_>>, Problem> {
    let mut rows = BTreeMap::new();
    for (line, text) in (1..).zip(list.lines()).filter(|(_, text)| !text.is_empty() && !text.starts_with('#'))
    {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [function, file, test] = words[..] else {
            return Err(Problem::at(LIST, line, "is not: function, file, test"));
        };
        if rows.insert(function, Row { line, file, test }).is_some() {
            return Err(Problem::at(LIST, line, format!("`{function}` stands here twice")));
        }
    }
    Ok(rows)
}

fn waits(function: &Function) -> bool {
    function.signature.contains("async fn ") || function.signature.contains("-> impl Future")
}

/// What keeps a row from being true.
fn flaw(name: &str, row: &Row<'_>, tests: &[&File]) -> Option<String> {
    let Some(file) = tests.iter().find(|file| file.path == row.file) else {
        return Some(format!("there is no `{}`", row.file));
    };
    if !ATTACKS.iter().any(|attack| file.text.contains(attack)) {
        return Some(format!("nothing in `{}` is cancelled at every await", row.file));
    }
    let begin = format!("fn {}(", row.test);
    let lines = file.code.lines().skip_while(|line| !line.trim_start_matches("async ").starts_with(&begin));
    let body: Vec<&str> = lines.take_while(|line| *line != "}").collect();
    if body.is_empty() {
        return Some(format!("there is no `{}` in `{}`", row.test, row.file));
    }
    let called = body.iter().any(|line| lex::has_word(line, name));
    (!called).then(|| format!("`{}` does not call `{name}`", row.test))
}

fn problems(functions: &[Function], list: &str, tests: &[&File]) -> Vec<Problem> {
    let rows = match rows(list) {
        Ok(rows) => rows,
        Err(problem) => return vec![problem],
    };
    let mut problems = Vec::new();
    let listed = |key: &str| functions.iter().any(|function| function.key == key && waits(function));
    for (key, row) in rows.iter().filter(|(key, _)| !listed(key)) {
        let what = format!("`{key}` is no public function that waits");
        problems.push(Problem::at(LIST, row.line, what));
    }
    for function in functions.iter().filter(|function| waits(function)) {
        let Function { key, path, line, .. } = function;
        if !function.docs.contains("/// # Cancel safety") {
            let what =
                format!("`{}` waits: say under \"# Cancel safety\" what a drop loses", function.name());
            problems.push(Problem::at(path, *line, what));
        }
        let flaw = match rows.get(&**key) {
            None => Some(format!("enter `{key}` in {LIST} with the test that cancels it at every await")),
            Some(row) => flaw(function.name(), row, tests).map(|flaw| format!("{LIST}:{}: {flaw}", row.line)),
        };
        problems.extend(flaw.map(|flaw| Problem::at(path, *line, flaw)));
    }
    problems
}

#[test]
fn every_wait_is_cancelled_at_every_await() {
    let tests: Vec<&File> = files::house().collect();
    settle("cancelled at every await", problems(&functions::public(), files::text(LIST), &tests));
}

/// Public types that are futures.
fn undocumented(futures: &[Function]) -> Vec<Problem> {
    let silent = futures.iter().filter(|future| !future.docs.contains("/// # Cancel safety"));
    let problem = |future: &Function| {
        let what =
            format!("`{}` is a future: say under \"# Cancel safety\" what a drop loses", future.name());
        Problem::at(&future.path, future.line, what)
    };
    silent.map(problem).collect()
}

#[test]
fn every_future_says_what_its_drop_loses() {
    let futures: Vec<Function> = files::rust().flat_map(functions::futures).collect();
    assert!(futures.len() >= 4, "the search has missed some");
    settle("cancel safety of futures", undocumented(&futures));
}

#[test]
fn a_silent_future_is_caught() {
    let text = "/// # Cancel safety\npub struct A<T>(T);\nimpl<T> Future for A<T> {\n}\npub struct B;\n\
                impl std::future::Future for B {\n}\nstruct C;\nimpl Future for C {\n}\n";
    let futures = functions::futures(&File::new("core/src/x.rs", text));
    assert_eq!(futures.iter().map(|future| &*future.key).collect::<Vec<_>>(), ["core::A", "core::B"]);
    crate::objects(&undocumented(&futures), &["`B` is a future"]);
}

#[test]
fn offences_are_caught() {
    let text = "/// # Cancel safety\npub async fn a() {}\npub fn b() -> impl Future {}\n/// # Cancel safety\n\
                pub async fn c() {}\n/// # Cancel safety\npub async fn d() {}\n/// # Cancel safety\n\
                pub async fn e() {}\npub fn f() {}\n";
    let functions = functions::of(&File::new("core/src/x.rs", text));
    let attacks = File::new("core/tests/x.rs", "fn t() {\n    at_every_await(a());\n    b();\n}\n");
    let calls = File::new("core/tests/y.rs", "fn t() {\n    e();\n}\n");
    let list = "# function file test\ncore::x::a core/tests/x.rs t\ncore::x::b core/tests/x.rs t\n\
                core::x::c core/tests/x.rs u\ncore::x::e core/tests/y.rs t\ncore::x::f core/tests/x.rs t\n";
    let wanted = ["`core::x::f` is no", "`b` waits", "no `u`", "enter `core::x::d`", "nothing in"];
    crate::objects(&problems(&functions, list, &[&attacks, &calls]), &wanted);
    let twice = "core::x::a core/tests/x.rs t\ncore::x::a core/tests/x.rs t\n";
    crate::objects(&problems(&functions, twice, &[&attacks]), &["twice"]);
}
